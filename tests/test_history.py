"""The history of jobs and the stream of events, on SQLite and on PostgreSQL."""

import threading

import pytest
from sqlalchemy import text

from blindspots.errors import InvalidInput
from blindspots.store import events, parts
from blindspots.store.job_query import JobQuery
from claims import claim, commit, submit
from stub_kind import Stub
from workbench import Workbench


@pytest.fixture
def bench(database_url, tmp_path):
    made = Workbench(database_url, tmp_path / "data")
    yield made
    made.close()


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
