"""An old database comes along, a newer one is refused, and models and migrations agree."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from blindspots.errors import StartupError
from blindspots.store import blind_tests, migrations, people_tables, pins  # noqa: F401 - every table
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


def test_jobs_and_models_of_before_belong_to_the_first_project(database):
    """SQLite makes the table of models anew: what refers to them must survive that."""
    migrations.upgrade(database)
    migrations.downgrade(database, "0003")
    with database.write() as tx:
        tx.execute(text("INSERT INTO artifacts VALUES ('a', 1, 'x', '2026-01-01 00:00:00+00:00')"))
        tx.execute(
            text(
                "INSERT INTO models (id, name, network, parameters, weights_sha256, input_shape, "
                "class_names, dataset, metrics, multiply_adds, linear, smooth, created_at) "
                "VALUES ('m', 'net', 'softmax', '{}', 'a', '[]', '[]', 'digits', '{}', 1, true, "
                "true, '2026-01-01 00:00:00+00:00')"
            )
        )
        tx.execute(
            text(
                "INSERT INTO jobs (id, kind, title, spec, spec_hash, state, lane, kept, owner, priority, "
                "seed, device, model_id, search_text, versions, parts_left, units_total, units_reused, "
                "units_committed, progress, progress_message, summary, created_at) VALUES ('j', 'attack', "
                "'t', '{}', 'h', 'succeeded', 'batch', true, 'local', 0, 0, 'cpu', 'm', 't', "
                "'{}', 0, 1, 0, 1, 1, '', '{}', '2026-01-01 00:00:00+00:00')"
            )
        )
    migrations.upgrade(database)
    with database.read() as tx:
        found = tx.execute(
            text(
                "SELECT jobs.model_id, jobs_in.name, models_in.name FROM jobs JOIN models ON models.id = "
                "jobs.model_id JOIN projects jobs_in ON jobs_in.id = jobs.project_id "
                "JOIN projects models_in ON models_in.id = models.project_id"
            )
        ).one()
    assert tuple(found) == ("m", "main", "main")
    with database.write() as tx, pytest.raises(IntegrityError):
        tx.execute(text("UPDATE jobs SET model_id = 'none'"))
