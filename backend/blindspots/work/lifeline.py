"""A thread beside the computation: it says that this worker lives, prolongs the lease, and hears of the end.

A computation that does not listen is given some seconds; then the process is ended, which frees its device.
"""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection

from blindspots.errors import Cancelled, Unavailable
from blindspots.settings import Settings
from blindspots.store import parts, workers
from blindspots.store.database import Database
from blindspots.store.parts import Claim
from blindspots.store.workers import NewWorker

LISTEN_SECONDS = 1.0  # how soon a cancellation is heard
IDLE_SECONDS = 5.0
FINISH_SECONDS = 5.0  # a worker that is asked to stop may use these to finish its part
DEAF_SECONDS = 7.0  # after these a computation that does not listen is ended with its process

log = logging.getLogger(__name__)


class Lifeline:
    """One per worker process."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        worker: NewWorker,
        *,
        end_process: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._worker = worker
        self._end_process = end_process
        self._claim: Claim | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._lost_since: float | None = None
        self._stopping_since: float | None = None
        self._renewed = 0.0
        self.worker_id = ""
        self._thread = threading.Thread(target=self._live, name="lifeline", daemon=True)

    def start(self) -> None:
        """Enter the worker's row, and begin."""
        with self._database.write() as tx:
            self.worker_id = workers.register(tx, self._worker)
        self._thread.start()

    def close(self) -> None:
        """The worker ends: its row goes."""
        self._closed.set()
        self._wake.set()
        self._thread.join(10)
        try:
            with self._database.write() as tx:
                workers.forget(tx, [self.worker_id])
        except Unavailable:
            log.warning("the worker could not sign off; it will be forgotten")

    def hold(self, claim: Claim | None) -> None:
        """This part is in our hands now; None: nothing is."""
        with self._lock:
            self._claim = claim
            self._lost_since = None
            self._renewed = time.monotonic()
        self._wake.set()

    def stop(self) -> None:
        """The worker is asked to end: finish the part soon, or give it back."""
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether no other part should be claimed."""
        return self._stopping_since is not None

    @property
    def lost(self) -> bool:
        """Whether the part was cancelled or taken back."""
        return self._lost_since is not None

    def check(self) -> None:
        """Raises Cancelled when the part in our hands shall not be finished."""
        if self._lost_since is not None:
            raise Cancelled("The job was cancelled, or its part was given to another worker.")
        since = self._stopping_since
        if since is not None and time.monotonic() - since > FINISH_SECONDS:
            raise Cancelled("The worker is asked to stop.")

    def mark_lost(self) -> None:
        """A write found that the claim no longer stands."""
        if self._lost_since is None:
            self._lost_since = time.monotonic()

    def _live(self) -> None:
        seen = float("-inf")
        while not self._closed.is_set():
            if self._wake.wait(LISTEN_SECONDS if self._claim else IDLE_SECONDS):
                self._wake.clear()
                seen = float("-inf")
            if self._closed.is_set():
                return
            try:
                with self._database.write() as tx:
                    seen = self._say_alive(tx, seen)
                    self._look_after(tx)
            except Unavailable:
                log.warning("the database does not answer; the lease cannot be prolonged")
            self._judge()

    def _say_alive(self, tx: Connection, seen: float) -> float:
        due = min(self._settings.heartbeat_seconds, IDLE_SECONDS)
        if time.monotonic() - seen < due:
            return seen
        claim = self._claim
        if not workers.seen(tx, self.worker_id, claim.part_id if claim else None):
            log.warning("this worker had been forgotten; it registers again")
            self.worker_id = workers.register(tx, self._worker)
        return time.monotonic()

    def _look_after(self, tx: Connection) -> None:
        with self._lock:
            claim = self._claim
        if claim is None or self._lost_since is not None:
            return
        if time.monotonic() - self._renewed < self._settings.heartbeat_seconds:
            stands = parts.is_held(tx, claim)
        else:
            stands = parts.renew(tx, claim, self._settings.lease_seconds)
            self._renewed = time.monotonic()
        if not stands and self._claim is claim:
            self.mark_lost()

    def _judge(self) -> None:
        """Without word from the database for a whole lease, the part counts as lost."""
        now = time.monotonic()
        if self._claim is None:
            return
        if now - self._renewed > self._settings.lease_seconds:
            self.mark_lost()
        since = self._lost_since
        if since is not None and now - since > DEAF_SECONDS and self._end_process:
            log.warning("the computation did not listen to its cancellation; the process ends")
            self._end_process()
