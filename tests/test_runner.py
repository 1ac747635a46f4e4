"""A worker runs what is ready; the numbers do not depend on who runs a part, or when."""

import threading
import time

import numpy as np
import pytest

from blindspots.store import losses, parts
from blindspots.store.parts import Holder
from blindspots.store.tables import parts as part_table
from blindspots.work.context import place
from blindspots.work.fingerprints import part_seed
from blindspots.work.runner import plain
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


def test_a_job_runs_to_its_end(bench):
    job_id = bench.service.submit(Stub(part_count=5), owner="ada")["id"]
    runner, _ = bench.worker()
    assert runner.run() == 6  # five parts and the merge
    job = bench.service.job(job_id)
    assert (job["state"], job["summary"], job["parts"]["succeeded"]) == ("succeeded", {"parts": 5}, 5)
    assert job["versions"]["device"] == "cpu"
    assert job["duration_seconds"] > 0
    np.testing.assert_array_equal(drawn(bench, job_id), expected(5))
    assert runner.run() == 0


def test_the_numbers_do_not_depend_on_who_runs_a_part_or_when(local):
    first = local.service.submit(Stub(part_count=12, part_seconds=0.01), owner="ada")["id"]
    threads = [threading.Thread(target=local.worker()[0].run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second = local.service.submit(Stub(part_count=12, part_seconds=0.01), owner="ada", fresh=True)["id"]
    local.worker()[0].run()
    rows = [local.service._row(job_id) for job_id in (first, second)]
    assert rows[0].result_sha256 == rows[1].result_sha256
    np.testing.assert_array_equal(drawn(local, first), expected(12))


def test_finished_parts_are_found_again_unless_fresh(local):
    runner, _ = local.worker()
    local.service.submit(Stub(part_count=3), owner="ada")
    assert runner.run() == 4
    again = local.service.submit(Stub(part_count=3, title="the same under another title"), owner="grace")[
        "id"
    ]
    assert local.service.job(again)["parts"]["reused"] == 3
    assert local.service.job(again)["progress"]["done"] == 6
    assert runner.run() == 1  # only the merge
    np.testing.assert_array_equal(drawn(local, again), expected(3))
    for changed in (Stub(part_count=3, seed=1), Stub(part_count=3, values=9)):
        assert local.service.job(local.service.submit(changed, owner="ada")["id"])["parts"]["reused"] == 0
    fresh = local.service.submit(Stub(part_count=3), owner="ada", fresh=True)["id"]
    assert local.service.job(fresh)["parts"]["reused"] == 0


def test_an_exception_fails_the_job_at_once_in_words_a_user_can_read(bench):
    job_id = bench.service.submit(Stub(part_count=3, raises="the wheel␀ came off"), owner="ada")["id"]
    runner, _ = bench.worker()
    assert runner.run() == 1
    job = bench.service.job(job_id)
    assert job["state"] == "failed"
    assert job["error"]["code"] == "failed"
    assert "the wheel" in job["error"]["message"]
    assert "Traceback" not in str(job)
    with bench.database.read() as tx:
        stored = tx.execute(part_table.select().where(part_table.c.state == "failed")).one().error
    assert "Traceback" in stored["trace"]
    assert [row["state"] for row in bench.service.parts(job_id)] == [
        "failed",
        "cancelled",
        "cancelled",
        "cancelled",
    ]


def test_a_trained_model_appears_with_the_job_that_trained_it(bench):
    runner, _ = bench.worker()
    first = bench.service.submit(Stub(part_count=1, model_name="net"), owner="ada")["id"]
    other = bench.service.submit(Stub(part_count=1, model_name="net", seed=7), owner="ada")["id"]
    same = bench.service.submit(Stub(part_count=1, model_name="net", seed=7, title="once more"), owner="ada")[
        "id"
    ]
    runner.run()
    names = [bench.service.job(job_id)["summary"]["model_name"] for job_id in (first, other, same)]
    assert names == ["net", "net-2", "net-2"]
    assert [model["name"] for model in bench.service.models()] == ["net-2", "net"]
    job = bench.service.job(first)
    assert job["model"] == job["models"][0] == {"id": bench.service.model("net")["id"], "name": "net"}


def test_a_waiting_job_says_what_it_waits_for(local):
    job = local.service.submit(Stub(part_count=1, part_seconds=3, title="the long one"), owner="ada")
    assert "No worker" in job["waiting_for"]
    runner, _ = local.worker()
    thread = threading.Thread(target=runner.run)
    thread.start()
    while "the long one" not in (
        local.service.submit(Stub(part_count=1, seed=1), owner="ada", idempotency_key="k")["waiting_for"]
        or ""
    ):
        time.sleep(0.05)
    assert "busy" in local.service.job(local.service.submit(Stub(seed=2), owner="ada")["id"])["waiting_for"]
    worker = next(each for each in local.service.workers() if each["alive"])
    assert worker["job"]["title"] == "the long one"
    thread.join(10)


def test_a_checkpoint_reaches_the_next_attempt(local):
    from blindspots.work.context import PartContext, Supplies

    local.service.submit(Stub(part_count=1), owner="ada")
    _, lifeline = local.worker()
    supplies = Supplies(local.settings, local.database, local.artifacts, local.kinds)

    def claim():
        with local.database.write() as tx:
            return parts.claim(tx, "batch", Holder(lifeline.worker_id, "x", "cpu"), -1.0)

    first = PartContext(supplies, claim(), lifeline, "cpu")
    assert first.load_checkpoint() is None
    first.save_checkpoint({"step": np.arange(3)})
    with local.database.write() as tx:
        losses.take_back(tx, losses.silent(3))
    second = PartContext(supplies, claim(), lifeline, "cpu")
    np.testing.assert_array_equal(second.load_checkpoint()["step"], np.arange(3))


def test_installed_files_replace_the_old_ones_in_one_step(tmp_path):
    folder = tmp_path / "sets" / "mnist"
    place(folder, {"a": b"1", "b": b"2"})
    place(folder, {"a": b"3"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"3"}
    with pytest.raises(ValueError, match="plain file name"):
        place(folder, {"../a": b"4"})
    assert [path.name for path in folder.parent.iterdir()] == ["mnist"]


def test_numbers_become_storable():
    found = plain(
        {"a": np.float32(0.5), "b": float("inf"), "c": np.arange(2), "d": {"e": [float("nan"), "x\x00"]}}
    )
    assert found == {"a": 0.5, "b": None, "c": [0, 1], "d": {"e": [None, "x�"]}}


def test_a_seed_per_part_is_64_bits_of_sha256():
    import hashlib

    digest = hashlib.sha256(b"7:3").digest()
    assert part_seed(7, 3) == int.from_bytes(digest[:8], "big")
