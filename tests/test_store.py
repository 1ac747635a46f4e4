"""The promises of the store, on SQLite and on PostgreSQL."""

import os
import threading
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import exc, insert, select, text, update

from blindspots.errors import ArtifactCorrupt, Conflict, InvalidInput, StartupError
from blindspots.store import events, files, history, images, jobs, leadership, losses, parts, turns
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database, new_id, now
from blindspots.store.job_query import JobQuery
from blindspots.store.parts import Finished, Holder
from blindspots.store.tables import JOB_STATES, PART_STATES
from blindspots.store.tables import jobs as job_table
from blindspots.store.tables import parts as part_table
from blindspots.work.publishing import WINDOW
from stub_kind import Stub
from workbench import Workbench

HOLDER = Holder("w" * 36, "a test", "cpu")


@pytest.fixture
def bench(database_url, tmp_path):
    made = Workbench(database_url, tmp_path / "data")
    yield made
    made.close()


def claim(bench, lane="batch", lease=60.0, holder=HOLDER):
    with bench.database.write() as tx:
        return parts.claim(tx, lane, holder, lease)


def commit(bench, claimed, **summary):
    artifact = bench.artifacts.write_arrays({"drawn": np.arange(3.0)})
    with bench.database.write() as tx:
        return parts.commit(tx, claimed, Finished(artifact, summary, 0.1, {}, "cpu"))


def states(bench, job_id):
    return [part["state"] for part in bench.service.parts(job_id)]


def submit(bench, owner="ada", **values):
    return bench.service.submit(Stub(**values), owner=owner)["id"]


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


def test_every_page_of_the_history_follows_the_one_before(bench):
    made = [submit(bench, part_count=1, seed=seed, title=f"job {seed}") for seed in range(7)]
    bench.service.cancel(made[2])
    for sort in ("-created_at", "created_at", "kind", "state"):
        seen, cursor = [], None
        while True:
            page = bench.service.jobs(JobQuery(sort=sort, limit=3, cursor=cursor))
            seen += [job["id"] for job in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            submit(bench, part_count=1, seed=100 + len(seen))  # what comes meanwhile moves nothing
        assert len(seen) == len(set(seen))
        assert set(made) <= set(seen)
    newest = bench.service.jobs(JobQuery(limit=200))["items"]
    assert [job["created_at"] for job in newest] == sorted(
        (job["created_at"] for job in newest), reverse=True
    )
    finished = bench.service.jobs(JobQuery(sort="-finished_at"))["items"]
    assert [job["id"] for job in finished] == [made[2]]


def test_the_history_is_filtered_and_searched(bench):
    wanted = submit(bench, title="50%_Off “Größe”", owner="grace")
    submit(bench, title="another", seed=1)

    def found(**query):
        return [job["id"] for job in bench.service.jobs(JobQuery(**query))["items"]]

    assert found(owner="grace") == [wanted] == found(search="größe") == found(search="50%_ off")
    assert found(search="50x") == [] == found(state="failed") == found(kind="none") == found(model="none")
    assert len(found(kind="stub", state="queued")) == 2
    small = bench.service.submit(Stub(part_count=1, seed=9), owner="ada", lane="interactive")["id"]
    assert small not in found()
    assert found(lane="interactive") == [small]
    bench.service.keep(small)
    assert small in found()


def test_a_cursor_that_is_not_ours_is_refused(bench):
    for cursor in ("x", "bm90IGpzb24", "WyJraW5kIl0", "WyItY3JlYXRlZF9hdCIsIDEsIDJd", "é" * 9):
        with pytest.raises(InvalidInput) as caught:
            bench.service.jobs(JobQuery(cursor=cursor))
        assert caught.value.field == "cursor"
    with pytest.raises(InvalidInput):
        bench.service.jobs(JobQuery(sort="owner"))


def test_events_tell_what_happened_in_order(bench):
    start = bench.service.latest_event()
    job_id = submit(bench, part_count=1)
    claimed = claim(bench)
    with bench.database.write() as tx:
        parts.report(tx, claimed, 0.5, "half way")
    commit(bench, claimed)
    commit(bench, claim(bench))
    heard = bench.service.events(start, 100)
    assert [event["state"] for event in heard] == ["queued", "running", "running", "running", "succeeded"]
    assert heard[2]["progress"]["fraction"] == 0.5
    assert heard[2]["progress"]["message"] == "half way"
    assert all(event["id"] == job_id for event in heard)
    assert [event["event_id"] for event in heard] == sorted(event["event_id"] for event in heard)
    assert bench.service.events(heard[-1]["event_id"], 100) == []
    bench.service.delete(job_id)
    assert bench.service.events(heard[-1]["event_id"], 100)[0]["state"] == "deleted"


def test_readers_of_events_never_skip_one(bench):
    """Several writers commit at once; a reader that goes on from the last id still sees every event."""
    start, seen, stop = bench.service.latest_event(), [], threading.Event()

    def read():
        last = start
        while True:
            ending = stop.is_set()
            for event in bench.service.events(last, 100):
                seen.append(event["event_id"])
                last = event["event_id"]
            if ending:
                return

    def write(seed):
        for number in range(10):
            submit(bench, part_count=1, seed=1000 * seed + number)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert len(seen) == 40


def test_old_events_are_forgotten_but_the_count_goes_on(bench):
    submit(bench, part_count=1)
    last = bench.service.latest_event()
    with bench.database.write() as tx:
        tx.execute(text("UPDATE events SET created_at = '2020-01-01 00:00:00.000000+00:00'"))
        events.prune(tx)
    assert bench.service.latest_event() == last


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


class TestArtifacts:
    """Files that are named by their content."""

    @pytest.fixture
    def store(self, tmp_path):
        return ArtifactStore(tmp_path / "artifacts")

    def test_what_was_written_is_read(self, store):
        arrays = {
            "a": np.arange(12, dtype=np.float32).reshape(4, 3).T,
            "b": np.array([True, False]),
            "e": np.zeros((0, 2)),
        }
        artifact = store.write_arrays(arrays)
        assert store.write_arrays(arrays) == artifact
        opened = store.open_arrays(artifact.sha256)
        assert opened.names == {"a", "b", "e"}
        for name, array in arrays.items():
            np.testing.assert_array_equal(opened.array(name), array)
            assert opened.array(name).dtype == array.dtype
        np.testing.assert_array_equal(opened.array("a", slice(1, 3)), arrays["a"][1:3])
        np.testing.assert_array_equal(opened.array("a", slice(0, 0)), arrays["a"][0:0])
        np.testing.assert_array_equal(opened.array("a", slice(2, 99)), arrays["a"][2:])
        with pytest.raises(KeyError):
            opened.array("c")

    def test_a_flipped_bit_is_never_served(self, store):
        artifact = store.write_arrays({"a": np.arange(1000.0)})
        path = store.path(artifact.sha256)
        content = bytearray(path.read_bytes())
        content[-5] ^= 1
        path.write_bytes(content)
        for read in (store.read, store.read_arrays, store.open_arrays):
            with pytest.raises(ArtifactCorrupt):
                read(artifact.sha256)
        path.unlink()
        for read in (store.read, store.open_arrays):
            with pytest.raises(ArtifactCorrupt):
                read(artifact.sha256)

    def test_a_damaged_file_is_replaced_by_writing_again(self, store):
        artifact = store.write(b"hello", "text/plain")
        store.path(artifact.sha256).write_bytes(b"hel")
        store.write(b"hello", "text/plain")
        assert store.read(artifact.sha256) == b"hello"

    def test_names_cannot_leave_the_folder(self, store):
        for name in ("../../etc/passwd", "a" * 63, "A" * 64, "", "/" * 64):
            with pytest.raises(ValueError, match="SHA-256"):
                store.path(name)

    def test_orphans_go_and_what_is_referred_to_stays(self, bench):
        store = bench.artifacts
        kept, orphan = store.write(b"kept", "image/png"), store.write(b"orphan", "image/png")
        with bench.database.write() as tx:
            images.enter(tx, kept, (1, 1, 1))
            files.enter(tx, orphan)
        leftover = store.folder / "unfinished" / "x"
        leftover.write_bytes(b"half")
        assert files.sweep(bench.database, store) == 0  # both are young
        old = time.time() - 2 * files.ORPHAN_SECONDS
        for path in (store.path(kept.sha256), store.path(orphan.sha256), leftover):
            os.utime(path, (old, old))
        with bench.database.write() as tx:
            tx.execute(text("UPDATE artifacts SET created_at = '2020-01-01 00:00:00.000000+00:00'"))
        assert files.sweep(bench.database, store) == 1
        assert store.read(kept.sha256) == b"kept"
        assert not store.path(orphan.sha256).exists()
        assert not leftover.exists()


def test_deleting_a_job_leaves_what_others_use(bench):
    job_id = submit(bench, part_count=1)
    with pytest.raises(Conflict):
        bench.service.delete(job_id)
    commit(bench, claim(bench))
    commit(bench, claim(bench))
    again = bench.service.submit(Stub(part_count=1), owner="grace")["id"]
    assert bench.service.job(again)["parts"]["reused"] == 1
    bench.service.delete(job_id)
    commit(bench, claim(bench))
    with bench.database.read() as tx:
        row = history.part_row(tx, again, 0)
        assert jobs.remembered(tx, "ada", "nothing") is None
    assert bench.artifacts.open_arrays(row.artifact_sha256).names == {"drawn"}
