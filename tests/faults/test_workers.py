"""Real Celery workers, killed, frozen and flooded: every job still ends once, with the same bytes.

Once with SQLite and messages as files, once with PostgreSQL and Redis.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from pydantic import SecretStr

import services
from blindspots.experiments.plan import Plan
from blindspots.work.embedded import Workers
from blindspots.work.queues import CeleryPublisher
from conftest import create_database, drop_database
from stub_kind import Stub, expected
from workbench import Workbench

TESTS = Path(__file__).parent.parent
LEASE = 4.0
KILLS = int(os.environ.get("BLINDSPOTS_TEST_KILLS", "3"))  # a full run takes 20 and more
PARTS = 10 * KILLS


class Plant(Workbench):
    """A workbench whose publisher is Celery's, with worker processes that are started again when they die."""

    def __init__(self, url: str, folder: Path, broker: str) -> None:
        super().__init__(
            url, folder, broker_url=SecretStr(broker),
            lease_seconds=LEASE, heartbeat_seconds=1.0, reconcile_seconds=1.0, threads=1,
        )  # fmt: skip
        self.publisher = CeleryPublisher(self.settings)
        self.service.publisher = self.publisher
        self.reconciler._publisher = self.publisher
        self.workers = Workers(
            self.settings, self.database, lanes=("batch",), kinds="stub_kind:KINDS", longest_pause=0.1
        )
        self.workers.start()
        self.reconciler.start()

    def worker_processes(self) -> tuple[psutil.Process, psutil.Process]:
        """The worker's process that receives, and its child that computes; waits until both are there."""
        found: tuple[psutil.Process, psutil.Process] = wait(self._processes, 60, "a worker")
        return found

    def _processes(self) -> tuple[psutil.Process, psutil.Process] | None:
        pid = self.workers.pids.get("batch")
        registered = {worker["pid"] for worker in self.service.workers() if worker["alive"]}
        with contextlib.suppress(psutil.NoSuchProcess):
            receiving = psutil.Process(pid)
            for child in receiving.children():
                if child.pid in registered:
                    return receiving, child
        return None

    def submit(self, **values: Any) -> str:
        return str(self.service.submit(Stub(**values), owner="ada", fresh=True)["id"])

    def end_of(self, job_id: str, seconds: float = 90) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            job = self.service.job(job_id)
            return job if job["finished_at"] else None

        return wait(ended, seconds, f"the end of job {job_id}")

    def check_result(self, job_id: str, count: int, seed: int) -> None:
        """Succeeded, every part committed once, and the bytes of an undisturbed run."""
        job = self.end_of(job_id)
        assert job["state"] == "succeeded", job["error"]
        rows = self.service.parts(job_id)
        assert [row["state"] for row in rows] == ["succeeded"] * (count + 1)
        found = self.service.outcome(job_id).result.array("drawn")
        assert found.tobytes() == expected(count, seed).tobytes()

    def close(self) -> None:
        self.workers.stop()
        super().close()
        self.publisher.close()


def wait(look: Callable[[], Any], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


def ended(process: psutil.Process) -> bool:
    """Gone, or dead and not yet waited for by its parent."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


# Each mode in one process, so that each plant is built once.
MODES = [pytest.param(mode, marks=pytest.mark.xdist_group(f"plant-{mode}")) for mode in ("files", "redis")]


@pytest.fixture(scope="module", params=MODES)
def plant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    folder = tmp_path_factory.mktemp(request.param) / "data"
    paths = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", paths)
        if request.param == "files":
            made = Plant("", folder, "")
            yield made
            made.close()
            return
        url = create_database()
        made = Plant(url, folder, services.redis_url())
        yield made
        made.close()
        drop_database(url)


def test_a_worker_takes_jobs_as_they_come(plant: Plant) -> None:
    for seed in range(3):
        plant.check_result(plant.submit(part_count=5, seed=seed), 5, seed)


def test_jobs_that_were_sent_while_nobody_worked_are_found(plant: Plant) -> None:
    plant.worker_processes()[0].kill()
    plant.check_result(plant.submit(part_count=3, seed=10), 3, 10)


def test_killing_the_worker_again_and_again_loses_and_doubles_nothing(plant: Plant) -> None:
    chance = random.Random(2013)
    job_id = plant.submit(part_count=PARTS, part_seconds=0.15, seed=20)
    kills = 0
    while kills < KILLS:
        wait(
            lambda: any(row["state"] == "running" for row in plant.service.parts(job_id)),
            60,
            "a running part",
        )
        time.sleep(chance.uniform(0, 0.4))
        processes = plant.worker_processes()
        processes[kills % 2].kill()  # all of the worker, or only what computes
        kills += 1
        wait(lambda computing=processes[1]: ended(computing), 10, "the end of the computation")
    plant.check_result(job_id, PARTS, 20)
    assert sum(row["attempt"] - 1 for row in plant.service.parts(job_id)) <= kills


def test_a_frozen_worker_cannot_commit_when_it_thaws(plant: Plant) -> None:
    _, frozen = plant.worker_processes()
    job_id = plant.submit(part_count=1, part_seconds=1.0, deaf=True, seed=30)
    wait(lambda: plant.service.parts(job_id)[0]["state"] == "running", 30, "a running part")
    frozen.suspend()
    try:
        first = plant.service.parts(job_id)[0]["attempt"]
        wait(lambda: plant.service.parts(job_id)[0]["state"] == "ready", 30, "the end of its lease")
        runner, _ = plant.worker()
        runner.run()
    finally:
        frozen.resume()
    plant.check_result(job_id, 1, 30)
    time.sleep(2.0)
    row = plant.service.parts(job_id)[0]
    assert row["attempt"] == first + 1
    assert row["worker"] == "a test"


def test_a_message_that_comes_many_times_runs_its_part_once(plant: Plant) -> None:
    job_id = plant.submit(part_count=2, part_seconds=0.3, seed=40)
    for row in plant.service.parts(job_id):
        for _ in range(10):
            plant.publisher.send("batch", row["id"])
    plant.publisher.send("batch", "no such part")
    plant.check_result(job_id, 2, 40)
    assert [row["attempt"] for row in plant.service.parts(job_id)] == [1, 1, 1]


def forget_messages(plant: Plant) -> None:
    """Everything that is in the broker is lost."""
    if plant.settings.embedded:
        for message in (plant.settings.data_dir / "messages").glob("*.msg"):
            message.unlink(missing_ok=True)
    else:
        with redis.Redis.from_url(services.redis_url()) as connection:
            connection.flushall()


def test_a_broker_that_forgets_everything_costs_seconds(plant: Plant) -> None:
    processes = plant.worker_processes()
    for process in processes:
        process.suspend()
    jobs = [plant.submit(part_count=1, seed=50 + number) for number in range(5)]
    forget_messages(plant)
    for process in processes:
        process.resume()
    for number, job_id in enumerate(jobs):
        plant.check_result(job_id, 1, 50 + number)


def test_a_job_of_jobs_survives_killed_workers_and_a_forgetful_broker(plant: Plant) -> None:
    """Steps one after the other; between and within them workers die, and every message is lost."""
    chance = random.Random(7)
    steps = [
        {
            "name": f"step {number}",
            "spec": {"kind": "stub", "part_count": 4, "part_seconds": 0.15, "seed": 80 + number},
            "needs": [f"step {number - 1}"] if number else [],
        }
        for number in range(3)
    ]
    document = json.dumps({"kind": "plan", "jobs": steps})
    job_id = plant.service.submit(Plan.model_validate_json(document), owner="ada", fresh=True)["id"]
    for kill in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.6))
        plant.worker_processes()[kill % 2].kill()
        forget_messages(plant)
    job = plant.end_of(job_id)
    assert job["state"] == "succeeded", job["error"]
    assert [step["state"] for step in job["steps"]] == ["succeeded"] * 3
    for number, step in enumerate(job["steps"]):
        plant.check_result(step["job_id"], 4, 80 + number)


def test_a_job_that_kills_its_workers_is_given_up_and_others_go_on(plant: Plant) -> None:
    deadly = plant.submit(part_count=1, dies=True, seed=60)
    harmless = plant.submit(part_count=2, seed=61)
    plant.check_result(harmless, 2, 61)
    job = plant.end_of(deadly, 120)
    assert job["state"] == "failed"
    assert job["error"]["code"] == "worker_lost"


def test_a_cancelled_job_stays_cancelled_when_workers_come_back(plant: Plant) -> None:
    job_id = plant.submit(part_count=3, part_seconds=20, seed=70)
    wait(lambda: plant.service.job(job_id)["state"] == "running", 30, "a running job")
    plant.service.cancel(job_id)
    began = time.monotonic()
    wait(
        lambda: not any(worker["job"] for worker in plant.service.workers() if worker["alive"]),
        12,
        "an idle worker",
    )
    assert time.monotonic() - began < 10
    plant.worker_processes()[0].kill()
    plant.check_result(plant.submit(part_count=1, seed=71), 1, 71)
    assert plant.service.job(job_id)["state"] == "cancelled"
    assert {row["state"] for row in plant.service.parts(job_id)} == {"cancelled"}


def test_a_worker_that_is_asked_to_end_gives_its_part_back(plant: Plant) -> None:
    worker, _ = plant.worker_processes()
    job_id = plant.submit(part_count=1, part_seconds=6, seed=80)
    wait(lambda: plant.service.parts(job_id)[0]["state"] == "running", 30, "a running part")
    worker.send_signal(signal.SIGTERM)
    wait(lambda: ended(worker), 12, "its end")
    plant.check_result(job_id, 1, 80)
    assert plant.service.parts(job_id)[0]["attempt"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="process ends are watched through Linux's own means")
def test_nothing_outlives_its_parent(plant: Plant) -> None:
    receiving, computing = plant.worker_processes()
    receiving.kill()
    wait(lambda: ended(computing), 5, "the end of its child")
