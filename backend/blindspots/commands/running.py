"""Commands that run the service itself: up, worker, migrate."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from blindspots.api.app import create_app
from blindspots.commands.console import out
from blindspots.commands.serving import listen, serve
from blindspots.settings import Settings
from blindspots.store import migrations
from blindspots.store.artifacts import ArtifactStore
from blindspots.work.binding import check_binding
from blindspots.work.demo import ensure_demo
from blindspots.work.embedded import (
    DataFolderLock,
    Workers,
    environment,
    prepare_data_folder,
    prepare_database,
)
from blindspots.work.queues import CeleryPublisher
from blindspots.work.reconciler import Reconciler
from blindspots.work.service import Service


@contextmanager
def working(settings: Settings) -> Iterator[Service]:
    """The service with its workers and its reconciler, all stopped at the end. Raises StartupError."""
    with contextlib.ExitStack() as stack:
        database = prepare_database(settings)
        stack.callback(database.close)
        publisher = CeleryPublisher(settings)
        stack.callback(publisher.close)
        artifacts = ArtifactStore(settings.artifacts)
        service = Service(settings, database, artifacts, publisher)
        workers = Workers(settings, database)
        workers.start()
        stack.callback(workers.stop)
        also = [service.advance_all, *([lambda: ensure_demo(service)] if settings.demo else [])]
        reconciler = Reconciler(settings, database, artifacts, publisher, also=also)
        reconciler.start()
        stack.callback(reconciler.close)
        yield service


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def up(settings: Settings, *, browser: bool) -> None:
    """Server and workers, until Ctrl-C or SIGTERM. Raises StartupError."""
    check_binding(settings)
    prepare_data_folder(settings)
    signal.signal(signal.SIGTERM, _interrupt)
    lock = DataFolderLock(settings.data_dir)
    lock.acquire()
    try:
        with listen(settings.host, settings.port) as listener, working(settings) as service:
            serve(create_app(settings, service), listener, settings, browser=browser)
    finally:
        lock.release()


def worker(settings: Settings, lane: str) -> NoReturn:
    """Become a worker of that lane. Raises StartupError."""
    prepare_data_folder(settings)
    command = [sys.executable, "-m", "blindspots.work.worker", "--lane", lane]
    os.execve(sys.executable, command, environment(settings))


def migrate(settings: Settings) -> None:
    """Bring the database to this version's state. Raises StartupError."""
    prepare_data_folder(settings)
    database = prepare_database(settings)
    try:
        present, _ = migrations.revisions(database)
    finally:
        database.close()
    out.print(f"The database is at revision {present}.", markup=False)
