"""Commands that run the service itself: up, worker, migrate."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from blindspots.api.app import create_app
from blindspots.commands.console import out
from blindspots.commands.serving import check_host, listen, prepare_folder, serve
from blindspots.settings import Settings
from blindspots.store import migrations
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database, check_answers
from blindspots.work.queues import CeleryPublisher
from blindspots.work.service import Service


@contextmanager
def opened(settings: Settings) -> Iterator[Service]:
    """The service on its database, migrated. Raises StartupError."""
    database = Database(settings.database)
    check_answers(database)
    migrations.upgrade(database)
    publisher = CeleryPublisher(settings)
    try:
        yield Service(settings, database, ArtifactStore(settings.artifacts), publisher)
    finally:
        publisher.close()
        database.close()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def up(settings: Settings, *, browser: bool) -> None:
    """Server and workers, until Ctrl-C or SIGTERM. Raises StartupError."""
    check_host(settings.host)
    prepare_folder(settings.data_dir)
    signal.signal(signal.SIGTERM, _interrupt)
    with listen(settings.host, settings.port) as listener, opened(settings) as service:
        app = create_app(settings, service)
        serve(app, listener, settings, browser=browser)


def migrate(settings: Settings) -> None:
    """Bring the database to this version's state. Raises StartupError."""
    prepare_folder(settings.data_dir)
    database = Database(settings.database)
    try:
        check_answers(database)
        migrations.upgrade(database)
        present, _ = migrations.revisions(database)
    finally:
        database.close()
    out.print(f"The database is at revision {present}.", markup=False)
