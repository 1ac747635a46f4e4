"""The embedded mode: one data folder, one program, and the workers that live and die with it."""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from blindspots.errors import BlindspotsError, StartupError
from blindspots.settings import Settings
from blindspots.store import migrations, workers
from blindspots.store.database import Database, check_answers
from blindspots.work.machine import host_name
from blindspots.work.queues import LANES
from blindspots.work.reconciler import take_back_from_the_dead

FREE_BYTES = 64 << 20
STOP_SECONDS = 8.0  # a worker gives its part back within five
LONGEST_PAUSE = 30.0  # between two starts of a worker that keeps dying
STEADY_SECONDS = 60.0  # a worker that lived so long starts again at once

log = logging.getLogger(__name__)


def prepare_data_folder(settings: Settings) -> None:
    """Make the data folder, and prove that it can be written. Raises StartupError with one sentence."""
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < FREE_BYTES:
            raise StartupError(
                f"The disk of the data folder {folder} is full: {free >> 20} MB are left, "
                f"{FREE_BYTES >> 20} MB are needed. Free some space, or set BLINDSPOTS_DATA_DIR to another "
                "folder."
            )
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        raise StartupError(
            f"The data folder {folder} cannot be written ({error.strerror}). Change its owner or mode, "
            "or set BLINDSPOTS_DATA_DIR to another folder."
        ) from error


def prepare_database(settings: Settings) -> Database:
    """An answering database in the state that this version expects. Raises StartupError."""
    database = Database(settings.database)
    check_answers(database)
    try:
        migrations.upgrade(database)
    except StartupError:
        raise
    except BlindspotsError as error:
        raise StartupError(
            f"The database could not be migrated: {error.__cause__ or error.message}"
        ) from error
    return database


class DataFolderLock:
    """One program per data folder. The lock goes with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "blindspots.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises StartupError while another process holds it."""
        file = open(self._path, "a+", encoding="ascii")  # noqa: SIM115 - held until `release`
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise StartupError(
                f"Blindspots already runs on the data folder {self._path.parent} (process {holder}). "
                "Stop it first, or set BLINDSPOTS_DATA_DIR to another folder."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let another one in."""
        if self._file is not None:
            self._file.close()
            self._file = None


def environment(settings: Settings) -> dict[str, str]:
    """The settings in force as variables, for a child process."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("BLINDSPOTS_")}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None:
            continue
        if isinstance(value, tuple):
            text = json.dumps([str(each) for each in value])
        else:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if text:
            variables[f"BLINDSPOTS_{name.upper()}"] = text
    return variables


@dataclass
class _Place:
    """A worker that shall always be there."""

    lane: str
    process: "subprocess.Popen[bytes] | None" = None
    started: float = float("-inf")
    failures: int = 0
    not_before: float = field(default=float("-inf"))


class Workers:
    """Starts one worker per lane and starts it again when it dies, ever more slowly when it keeps dying."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        lanes: tuple[str, ...] = LANES,
        kinds: str = "blindspots.experiments:KINDS",
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        self._longest_pause = longest_pause
        self._settings = settings
        self._database = database
        self._kinds = kinds
        self._places = [_Place(lane) for lane in lanes]
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="workers", daemon=True)

    def start(self) -> None:
        """Start them, and watch over them."""
        take_back_from_the_dead(self._database, self._settings)
        self._thread.start()

    def stop(self) -> None:
        """Ask them to end; those that do not within seconds are killed. What they held is given back."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(BlindspotsError):
            take_back_from_the_dead(self._database, self._settings)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by lane, of those that run."""
        return {place.lane: place.process.pid for place in self._places if place.process}

    def _watch(self) -> None:
        # Workers are started from this thread only: Linux kills them when the thread that started them ends.
        while not self._closed.is_set():
            for place in self._places:
                self._tend(place)
            self._closed.wait(0.5)
        self._end()

    def _end(self) -> None:
        running = [place.process for place in self._places if place.process and place.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and any(process.poll() is None for process in running):
            time.sleep(0.3)
            if self._idle():
                break  # Celery's own way out takes seconds; whoever holds nothing can simply go
        for process in running:
            process.kill()
            process.wait()

    def _idle(self) -> bool:
        with contextlib.suppress(BlindspotsError), self._database.read() as tx:
            return workers.holding(tx, host_name()) == 0
        return False

    def _tend(self, place: _Place) -> None:
        now = time.monotonic()
        if place.process is not None:
            status = place.process.poll()
            if status is None:
                return
            place.process = None
            place.failures = 0 if now - place.started > STEADY_SECONDS else place.failures + 1
            pause = min(self._longest_pause, 0.5 * 2**place.failures) if place.failures else 0.0
            place.not_before = now + pause
            log.warning(
                "the %s worker ended with status %s; it starts again in %.0f s", place.lane, status, pause
            )
            with contextlib.suppress(BlindspotsError):
                take_back_from_the_dead(self._database, self._settings)
        if now >= place.not_before:
            place.started = now
            place.process = self._spawn(place.lane)

    def _spawn(self, lane: str) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable, "-m", "blindspots.work.worker",
            "--lane", lane, "--kinds", self._kinds, "--parent", str(os.getpid()),
        ]  # fmt: skip
        # A session of its own: Ctrl-C reaches the program only, which then stops its workers in order.
        return subprocess.Popen(
            command, env=environment(self._settings), stdin=subprocess.DEVNULL, start_new_session=True
        )
