"""A worker stops when it is told, and loses nothing when it dies, sleeps or finds no room."""

import errno
import threading
import time

import numpy as np
import pytest
from sqlalchemy import update

from blindspots.store import parts
from blindspots.store.database import Database
from blindspots.store.parts import Holder
from blindspots.store.tables import parts as part_table
from blindspots.store.tables import workers as worker_table
from blindspots.work import lifeline as lifeline_module
from stub_kind import Stub, expected
from workbench import Workbench


@pytest.fixture
def bench(database_url, tmp_path):
    made = Workbench(database_url, tmp_path / "data", heartbeat_seconds=0.5)
    yield made
    made.close()


@pytest.fixture
def local(tmp_path):
    """Where the kind of database makes no difference."""
    made = Workbench("", tmp_path / "data", heartbeat_seconds=0.5)
    yield made
    made.close()


def drawn(bench, job_id):
    return bench.service.outcome(job_id).result.array("drawn")


def cancelled_while_running(bench, **values):
    runner, _ = bench.worker(end_process=lambda: ended.append(time.monotonic()))
    ended = []
    job_id = bench.service.submit(Stub(part_count=2, **values), owner="ada")["id"]
    thread = threading.Thread(target=runner.run)
    thread.start()
    while bench.service.job(job_id)["state"] != "running":
        time.sleep(0.02)
    time.sleep(0.2)
    bench.service.cancel(job_id)
    return job_id, thread, ended, time.monotonic()


def test_cancelling_really_stops_the_computation(bench):
    job_id, thread, ended, started = cancelled_while_running(bench, part_seconds=30)
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - started < 5
    assert [row["state"] for row in bench.service.parts(job_id)] == ["cancelled"] * 3
    assert not ended


def test_a_computation_that_does_not_listen_loses_its_process(local, monkeypatch):
    monkeypatch.setattr(lifeline_module, "DEAF_SECONDS", 0.5)
    job_id, thread, ended, started = cancelled_while_running(local, part_seconds=4, deaf=True)
    thread.join(10)
    assert ended
    assert ended[0] - started < 4
    assert local.service.job(job_id)["state"] == "cancelled"


def test_a_worker_that_is_asked_to_stop_gives_its_part_back(local, monkeypatch):
    monkeypatch.setattr(lifeline_module, "FINISH_SECONDS", 0.2)
    runner, lifeline = local.worker()
    job_id = local.service.submit(Stub(part_count=2, part_seconds=20), owner="ada")["id"]
    thread = threading.Thread(target=runner.run)
    thread.start()
    while local.service.parts(job_id)[0]["state"] != "running":
        time.sleep(0.02)
    lifeline.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert [row["state"] for row in local.service.parts(job_id)] == ["ready", "ready", "waiting"]
    assert runner.run() == 0  # it claims nothing more


def test_a_worker_that_wakes_up_too_late_changes_nothing(bench):
    """Its part was given to another one meanwhile: a stopped process, a sleeping laptop, a cut network."""
    job_id = bench.service.submit(Stub(part_count=1, part_seconds=1.5), owner="ada")["id"]
    sleeper, _ = bench.worker()
    thread = threading.Thread(target=sleeper.run)
    thread.start()
    while bench.service.parts(job_id)[0]["state"] != "running":
        time.sleep(0.02)
    with bench.database.write() as tx:
        tx.execute(
            update(part_table).where(part_table.c.state == "running").values(lease_until=None, state="ready")
        )
        quick = parts.claim(tx, "batch", Holder("q" * 36, "quick", "cpu"), 60)
    thread.join(10)
    row = bench.service.parts(job_id)[0]
    assert (row["state"], row["attempt"], row["worker"]) == ("running", 2, "quick")
    with bench.database.write() as tx:
        assert parts.give_back(tx, quick)
    sleeper.run()
    np.testing.assert_array_equal(drawn(bench, job_id), expected(1))


def test_the_lease_is_prolonged_while_the_worker_lives(tmp_path):
    bench = Workbench("", tmp_path / "data", lease_seconds=1.5, heartbeat_seconds=0.3, reconcile_seconds=0.2)
    job_id = bench.service.submit(Stub(part_count=1, part_seconds=4, deaf=True), owner="ada")["id"]
    runner, _ = bench.worker()
    bench.reconciler.start()
    runner.run()
    assert bench.service.job(job_id)["state"] == "succeeded"
    assert bench.service.parts(job_id)[0]["attempt"] == 1
    bench.close()


def test_a_full_disk_is_no_fault_of_the_job(local, monkeypatch):
    """Twice the disk has no room, then it has: the job still succeeds."""
    refusals = [OSError(errno.ENOSPC, "No space left on device")] * 2
    write = local.artifacts.write

    def refusing(content, media_type):
        if refusals:
            raise refusals.pop()
        return write(content, media_type)

    monkeypatch.setattr(local.artifacts, "write", refusing)
    job_id = local.service.submit(Stub(part_count=1), owner="ada")["id"]
    runner, _ = local.worker()
    for _ in range(4):
        runner.run()
        with local.database.write() as tx:
            tx.execute(update(part_table).values(not_before=None))
    assert local.service.job(job_id)["state"] == "succeeded"


def test_the_reconciler_takes_back_and_publishes_again(local):
    sent = []
    local.publisher.send = lambda lane, part_id: sent.append((lane, part_id))  # type: ignore[method-assign]
    job_id = local.service.submit(Stub(part_count=1), owner="ada")["id"]
    part_id = local.service.parts(job_id)[0]["id"]
    assert sent == [("batch", part_id)]
    with local.database.write() as tx:
        parts.claim(tx, "batch", Holder("gone", "gone", "cpu"), -1.0)
    assert local.reconciler.step()
    assert local.service.parts(job_id)[0]["state"] == "ready"
    assert len(sent) == 1  # nobody is there who could take a message
    local.worker()
    assert local.reconciler.step()
    assert sent == [("batch", part_id)] * 2
    assert local.reconciler.step()
    assert len(sent) == 2  # not again so soon


def test_the_parts_of_a_dead_process_do_not_wait_for_their_lease(local):
    from blindspots.work.machine import host_name

    job_id = local.service.submit(Stub(part_count=1), owner="ada")["id"]
    _, lifeline = local.worker(pid=2**22 + 1)  # above the largest process id of Linux
    with local.database.write() as tx:
        tx.execute(update(worker_table).values(host=host_name()))
        parts.claim(tx, "batch", Holder(lifeline.worker_id, "dead", "cpu"), 3600)
    local.reconciler.step()
    assert local.service.parts(job_id)[0]["state"] == "ready"


def test_a_database_that_goes_away_stops_no_worker(tmp_path):
    bench = Workbench("", tmp_path / "data")
    runner, _ = bench.worker()
    bench.service.submit(Stub(part_count=1), owner="ada")
    working, runner._database = runner._database, Database(f"sqlite:///{tmp_path}/none/x.sqlite")
    assert runner.run() == 0
    runner._database = working
    assert runner.run() == 2
    bench.close()
