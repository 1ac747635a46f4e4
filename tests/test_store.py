"""The promises of the store, on SQLite and on PostgreSQL."""

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import exc, insert, select, update

from blindspots.errors import Conflict, StartupError
from blindspots.store import leadership, losses, parts, turns
from blindspots.store.database import Database, new_id, now
from blindspots.store.parts import Holder
from blindspots.store.tables import JOB_STATES, PART_STATES
from blindspots.store.tables import jobs as job_table
from blindspots.store.tables import parts as part_table
from blindspots.work.publishing import WINDOW
from claims import claim, commit, states, submit
from stub_kind import Stub
from workbench import Workbench


@pytest.fixture
def bench(database_url, tmp_path):
    made = Workbench(database_url, tmp_path / "data")
    yield made
    made.close()


PART_MOVES = {
    ("waiting", "ready"), ("waiting", "cancelled"), ("ready", "running"), ("ready", "cancelled"),
    ("running", "ready"), ("running", "succeeded"), ("running", "failed"), ("running", "cancelled"),
}  # fmt: skip
JOB_MOVES = {
    ("queued", "running"), ("queued", "failed"), ("queued", "cancelled"),
    ("running", "succeeded"), ("running", "failed"), ("running", "cancelled"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "known", "allowed"), [(part_table, PART_STATES, PART_MOVES), (job_table, JOB_STATES, JOB_MOVES)]
)
def test_the_table_itself_forbids_every_other_transition(bench, table, known, allowed):
    job_id = submit(bench, part_count=1)
    with bench.database.read() as tx:
        template = dict(tx.execute(select(table).limit(1)).one()._mapping)
    for old in known:
        for new in known:
            fresh = template | {
                "id": new_id(),
                "state": old,
                "worker_id": "w",
                "lease_until": datetime.now(UTC),
            }
            fresh |= {"position": 1000 + known.index(old) * 10 + known.index(new)}
            row = {name: value for name, value in fresh.items() if name in table.c}
            with bench.database.write() as tx:
                tx.execute(insert(table).values(**row))
            change = update(table).where(table.c.id == row["id"]).values(state=new)
            if old == new or (old, new) in allowed:
                with bench.database.write() as tx:
                    tx.execute(change)
            else:
                with (
                    pytest.raises(exc.IntegrityError, match="illegal transition"),
                    bench.database.write() as tx,
                ):
                    tx.execute(change)
    assert bench.service.job(job_id)["state"] == "queued"


def test_an_unknown_state_and_a_running_part_without_a_lease_are_refused(bench):
    submit(bench, part_count=1)
    for values in ({"state": "resting"}, {"state": "running", "worker_id": None, "lease_until": None}):
        with pytest.raises(exc.IntegrityError), bench.database.write() as tx:
            tx.execute(update(part_table).where(part_table.c.state == "ready").values(**values))


def test_two_workers_never_hold_the_same_part(bench):
    submit(bench, part_count=20)
    taken, lock = [], threading.Lock()

    def work(number):
        holder = Holder(f"{number:036d}", "a test", "cpu")
        while claimed := claim(bench, holder=holder):
            with lock:
                taken.append(claimed.index)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(20))


def test_the_merge_is_ready_exactly_when_the_last_part_is_committed(bench):
    job_id = submit(bench, part_count=2)
    first, second = claim(bench), claim(bench)
    assert commit(bench, second) == (True, None)
    assert states(bench, job_id) == ["running", "succeeded", "waiting"]
    accepted, merge = commit(bench, first)
    assert accepted
    assert states(bench, job_id) == ["succeeded", "succeeded", "ready"]
    claimed = claim(bench)
    assert (claimed.part_id, claimed.merge, claimed.part_count) == (merge, True, 2)
    assert commit(bench, claimed, found=1) == (True, None)
    job = bench.service.job(job_id)
    assert (job["state"], job["summary"], job["progress"]["fraction"]) == ("succeeded", {"found": 1}, 1.0)


def test_a_worker_whose_lease_ran_out_cannot_commit(bench):
    job_id = submit(bench, part_count=1)
    slow = claim(bench, lease=-1.0)
    with bench.database.write() as tx:
        assert losses.take_back(tx, losses.silent(3)) == 1
    quick = claim(bench)
    assert quick.attempt == slow.attempt + 1
    assert commit(bench, slow, who="slow") == (False, None)
    with bench.database.write() as tx:
        assert not parts.renew(tx, slow, 60)
        assert not parts.report(tx, slow, 1.0, "still here")
        assert not parts.fail(tx, slow, {"code": "x", "message": "y"}, {})
        assert not parts.give_back(tx, slow)
    assert commit(bench, quick, who="quick")[0]
    assert commit(bench, quick, who="again") == (False, None)
    assert states(bench, job_id) == ["succeeded", "ready"]


def test_a_lease_that_is_renewed_is_not_taken_back(bench):
    submit(bench, part_count=1)
    claimed = claim(bench, lease=-1.0)
    with bench.database.write() as tx:
        assert parts.renew(tx, claimed, 60)
        assert losses.take_back(tx, losses.silent(3)) == 0


def test_three_lost_workers_fail_the_job_with_the_reason(bench):
    job_id = submit(bench, part_count=2)
    with bench.database.write() as tx:
        tx.execute(update(part_table).where(part_table.c.position == 1).values(lane="interactive"))
    for _ in range(3):
        with bench.database.write() as tx:
            tx.execute(update(part_table).values(not_before=None))
        assert claim(bench, lease=-1.0).index == 0
        with bench.database.write() as tx:
            losses.take_back(tx, losses.silent(3))
    job = bench.service.job(job_id)
    assert job["state"] == "failed"
    assert job["error"]["code"] == "worker_lost"
    assert "part 0" in job["error"]["message"]
    assert states(bench, job_id) == ["failed", "cancelled", "cancelled"]


def test_a_cancelled_job_stays_cancelled_and_nothing_is_committed_after(bench):
    job_id = submit(bench, part_count=3)
    done, running = claim(bench), claim(bench)
    commit(bench, done)
    bench.service.cancel(job_id)
    assert commit(bench, running) == (False, None)
    assert claim(bench) is None
    job = bench.service.job(job_id)
    assert (job["state"], job["cancel_requested"]) == ("cancelled", True)
    assert states(bench, job_id) == ["succeeded", "cancelled", "cancelled", "cancelled"]
    assert bench.service.cancel(job_id)["state"] == "cancelled"


def test_owners_take_turns_however_much_one_of_them_sends(bench):
    huge = submit(bench, part_count=50, owner="ada")
    for _ in range(3):
        commit(bench, claim(bench))
    small = submit(bench, part_count=2, owner="grace", seed=1)
    order = []
    for _ in range(5):
        claimed = claim(bench)
        order.append(claimed.job_id)
        commit(bench, claimed)
    assert order == [small, huge, small, huge, small]
    held = claim(bench)
    assert held.job_id == huge
    later = submit(bench, part_count=2, owner="grace", seed=2)
    assert [claim(bench).job_id for _ in range(2)] == [later, huge]  # ada holds a part already


def test_the_jobs_of_one_owner_take_turns_and_urgent_ones_come_first(bench):
    first, second = submit(bench, part_count=3), submit(bench, part_count=3, seed=1)
    order = []
    for _ in range(4):
        claimed = claim(bench)
        commit(bench, claimed)
        order.append(claimed.job_id)
    assert order == [first, second, first, second]
    urgent = submit(bench, part_count=1, seed=2)
    with bench.database.write() as tx:
        tx.execute(update(job_table).where(job_table.c.id == urgent).values(priority=1))
    assert claim(bench).job_id == urgent


def test_the_broker_holds_a_bounded_window_of_parts(bench):
    submit(bench, part_count=100)  # which announces the first parts
    with bench.database.write() as tx:
        assert turns.unpublished(tx, "batch", older_than=20, window=WINDOW) == []
        assert len(turns.unpublished(tx, "batch", older_than=20, window=WINDOW + 3)) == 3
        assert len(turns.unpublished(tx, "batch", older_than=-1, window=WINDOW)) == WINDOW
        assert turns.unpublished(tx, "interactive", older_than=-1, window=WINDOW) == []


def test_a_job_that_depends_on_another_waits_for_it(bench):
    first = submit(bench, part_count=0 + 1)
    second = bench.service.submit(Stub(part_count=1, seed=5), owner="ada", depends_on=[first])["id"]
    assert states(bench, second) == ["waiting", "waiting"]
    assert "needs" in bench.service.job(second)["waiting_for"]
    commit(bench, claim(bench))
    assert states(bench, second) == ["waiting", "waiting"]
    commit(bench, claim(bench))
    assert states(bench, second) == ["ready", "waiting"]
    third = submit(bench, part_count=1, seed=6)
    fourth = bench.service.submit(Stub(part_count=1, seed=7), owner="ada", depends_on=[third])["id"]
    bench.service.cancel(third)
    assert bench.service.job(fourth)["error"]["code"] == "dependency_failed"
    with pytest.raises(Conflict):
        bench.service.submit(Stub(seed=8), owner="ada", depends_on=[third])


def test_one_leader_at_a_time(bench):
    def lead(holder, seconds=60.0):
        with bench.database.write() as tx:
            return leadership.lead(tx, "reconciler", holder, seconds)

    assert lead("one")
    assert lead("one")
    assert not lead("two")
    with bench.database.write() as tx:
        leadership.resign(tx, "reconciler", "one")
    assert lead("two", seconds=-1.0)
    assert lead("three")


def test_the_database_keeps_the_time(bench):
    with bench.database.read() as tx:
        moment, later = tx.execute(select(now(), now(90.5))).one()
    assert moment.tzinfo is UTC
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5
    assert (later - moment).total_seconds() == pytest.approx(90.5, abs=0.1)


def test_ids_ascend_and_never_repeat():
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert all(len(each) == 36 and each[14] == "7" and each[19] in "89ab" for each in made)


def test_an_unknown_database_is_refused():
    with pytest.raises(StartupError):
        Database("oracle://x")
