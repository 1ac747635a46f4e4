"""Runs migrations on the connection that `blindspots.store.migrations` hands over, or on
BLINDSPOTS_DATABASE_URL.
"""

from alembic import context

from blindspots.settings import Settings
from blindspots.store import tables
from blindspots.store.database import Database


def run(connection) -> None:
    """All steps in one transaction."""
    context.configure(connection=connection, target_metadata=tables.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(Settings().database).rebuild() as opened:
        run(opened)
