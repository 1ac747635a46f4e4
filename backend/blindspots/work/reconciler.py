"""Finds what was forgotten: parts whose message was lost or whose worker died, files without a reference.

It runs in every server and every worker; a lease in the database lets one of them lead.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from blindspots.errors import BlindspotsError
from blindspots.settings import Settings
from blindspots.store import events, files, leadership, losses, turns, workers
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database, new_id
from blindspots.work.machine import host_name
from blindspots.work.publishing import Publisher, publish

LANES = ("batch", "interactive")
SWEEP_SECONDS = 3600.0
log = logging.getLogger(__name__)


class Reconciler:
    """A thread that looks every `reconcile_seconds`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        artifacts: ArtifactStore,
        publisher: Publisher,
        *,
        also: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._settings = settings
        self._database = database
        self._artifacts = artifacts
        self._publisher = publisher
        self._also = also
        self._holder = new_id()
        self._swept = float("-inf")
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._live, name="reconciler", daemon=True)

    def start(self) -> None:
        """Begin at once."""
        self._thread.start()

    def close(self) -> None:
        """End, and let another one lead."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(10)
        try:
            with self._database.write() as tx:
                leadership.resign(tx, "reconciler", self._holder)
        except BlindspotsError:
            log.info("the leadership runs out by itself")

    def _live(self) -> None:
        while not self._closed.is_set():
            try:
                self.step()
            except Exception:
                log.exception("the reconciler stumbled; it goes on")
            self._closed.wait(self._settings.reconcile_seconds)

    def step(self) -> bool:
        """Look once; answers whether this process leads."""
        take_back_from_the_dead(self._database, self._settings)
        with self._database.write() as tx:
            if not leadership.lead(tx, "reconciler", self._holder, 3 * self._settings.reconcile_seconds):
                return False
        with self._database.write() as tx:
            taken = losses.take_back(tx, losses.silent(self._settings.max_attempts))
            events.prune(tx)
            workers.forget_silent(tx)
        if taken:
            log.warning("%d parts were taken back from silent workers", taken)
        for lane in LANES:
            self._publish_again(lane)
        for step in self._also:
            step()
        if time.monotonic() - self._swept > SWEEP_SECONDS:
            self._swept = time.monotonic()
            files.sweep(self._database, self._artifacts)
        return True

    def _publish_again(self, lane: str) -> None:
        """Only while somebody could take a message: a broker without workers must not fill up."""
        alive = max(3 * self._settings.heartbeat_seconds, 5.0)
        with self._database.read() as tx:
            idle = turns.idle_workers(tx, lane, alive)
        if idle:
            publish(self._database, self._publisher, self._settings, lane)


def take_back_from_the_dead(database: Database, settings: Settings) -> int:
    """Parts of worker processes of this machine that no longer exist need not wait for their lease."""
    with database.read() as tx:
        gone = [row.id for row in workers.on_host(tx, host_name()) if not _exists(row.pid)]
    if not gone:
        return 0
    with database.write() as tx:
        taken = losses.take_back(tx, losses.dead(gone, settings.max_attempts))
        workers.forget(tx, gone)
    return taken


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Dead, but not yet waited for by its parent. Only Linux says so."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return False
