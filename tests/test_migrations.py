"""An old database comes along, a newer one is refused, and models and migrations agree."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from blindspots.errors import StartupError
from blindspots.store import blind_tests, migrations, people_tables  # noqa: F401 - every table
from blindspots.store.database import Database, check_answers
from blindspots.store.tables import metadata


@pytest.fixture
def database(database_url):
    opened = Database(database_url)
    yield opened
    opened.close()


def test_every_table_comes_and_goes(database):
    migrations.upgrade(database)
    present, newest = migrations.revisions(database)
    assert present == newest
    assert set(inspect(database.engine).get_table_names()) >= set(metadata.tables)
    migrations.downgrade(database, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    migrations.upgrade(database)
    migrations.check_current(database)


def test_the_migrations_build_what_the_models_say(database):
    migrations.upgrade(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(database):
    migrations.upgrade(database)
    migrations.upgrade(database)
    migrations.check_current(database)


def test_a_newer_database_is_refused(database):
    migrations.upgrade(database)
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (migrations.upgrade, migrations.check_current):
        with pytest.raises(StartupError, match="newer Blindspots"):
            refused(database)


def test_an_empty_database_is_not_used_unmigrated(database):
    with pytest.raises(StartupError, match="blindspots migrate"):
        migrations.check_current(database)


def test_a_database_that_does_not_answer_is_named(tmp_path):
    for url in (
        f"sqlite:///{tmp_path}/no/such/folder/x.sqlite",
        "postgresql://nobody:secret@127.0.0.1:1/none",
    ):
        with pytest.raises(StartupError, match="does not answer") as caught:
            check_answers(Database(url))
        assert "secret" not in caught.value.message
