"""Bring a database to the state that this version of the program expects."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from blindspots.errors import StartupError
from blindspots.store.database import Database


def migrations_folder() -> Path:
    """Inside the installed package, or beside `backend/` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_alembic", package.parents[1] / "alembic"):
        if (folder / "env.py").is_file():
            return folder
    raise StartupError(
        "The database migrations are missing from this installation. Install Blindspots again."
    )


def upgrade(database: Database) -> None:
    """Migrate to the newest state. Raises StartupError when a newer program has used the database."""
    with database.rebuild() as connection:
        config = _config(connection)
        _refuse_newer(connection, config)
        command.upgrade(config, "head")


def downgrade(database: Database, revision: str) -> None:
    """Go back to an earlier revision; `base` takes every table away."""
    with database.rebuild() as connection:
        command.downgrade(_config(connection), revision)


def revisions(database: Database) -> tuple[str | None, str | None]:
    """The revision of the database, and the newest that this program knows."""
    with database.read() as connection:
        script = ScriptDirectory.from_config(_config(connection))
        return MigrationContext.configure(connection).get_current_revision(), script.get_current_head()


def check_current(database: Database) -> None:
    """Raises StartupError unless the database is exactly as this program expects."""
    present, newest = revisions(database)
    if present != newest:
        with database.read() as connection:
            _refuse_newer(connection, _config(connection))
        raise StartupError("The database was made by an older Blindspots. Run `blindspots migrate` first.")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _refuse_newer(connection: Connection, config: Config) -> None:
    present = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if present is not None and present not in known:
        raise StartupError(
            f"The database was used by a newer Blindspots (its revision {present} is unknown here). "
            "Install that version again, or set BLINDSPOTS_DATA_DIR to another folder."
        )
