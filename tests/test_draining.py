"""A worker that is drained finishes what it does and takes no more, until it is resumed."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from blindspots.errors import NotFound
from stub_kind import Stub
from team import Team
from workbench import Workbench


@pytest.fixture
def bench(database_url: str, tmp_path: Path) -> Iterator[Workbench]:
    made = Workbench(database_url, tmp_path / "data")
    yield made
    made.close()


def test_a_drained_worker_takes_nothing_and_others_go_on(bench: Workbench) -> None:
    drained, first = bench.worker(pid=1)
    other, _ = bench.worker(pid=2)
    job = bench.service.submit(Stub(part_count=4), owner="local")["id"]
    bench.service.drain_worker(first.worker_id, draining=True)
    assert drained.run() == 0
    assert bench.service.job(job)["state"] == "queued"
    assert other.run() == 5, "four parts and the merge"
    assert bench.service.job(job)["state"] == "succeeded"
    again = bench.service.submit(Stub(part_count=2, seed=1), owner="local")["id"]
    bench.service.drain_worker(first.worker_id, draining=False)
    assert drained.run() == 3
    assert bench.service.job(again)["state"] == "succeeded"
    lines = {worker["id"]: worker for worker in bench.service.workers()}
    assert lines[first.worker_id]["parts_last_hour"] == 2
    assert not lines[first.worker_id]["draining"]


def test_a_job_says_that_all_workers_are_draining(bench: Workbench) -> None:
    _, lifeline = bench.worker()
    bench.service.drain_worker(lifeline.worker_id, draining=True)
    job = bench.service.submit(Stub(part_count=1), owner="local")
    assert "is draining" in str(job["waiting_for"])


def test_a_worker_that_is_not_there_cannot_be_drained(bench: Workbench) -> None:
    with pytest.raises(NotFound):
        bench.service.drain_worker("00000000-0000-7000-8000-000000000000", draining=True)


def test_the_running_installation_drains_and_resumes(client: httpx2.Client) -> None:
    worker = next(each for each in client.get("/api/v1/workers").json()["items"] if each["lane"] == "batch")
    path = f"/api/v1/workers/{worker['id']}"
    try:
        items = client.patch(path, json={"draining": True}).json()["items"]
        assert next(each for each in items if each["id"] == worker["id"])["draining"]
    finally:
        assert client.patch(path, json={"draining": False}).status_code == 200
    assert client.patch(path, json={"draining": "yes"}).status_code == 422
    assert client.patch(path, json={}).status_code == 422


@pytest.mark.parametrize("team", ["sqlite"], indirect=True)
def test_only_an_admin_of_the_service_drains(team: Team) -> None:
    worker = team.clients["root"].get("/api/v1/workers").json()["items"][0]
    path = f"/api/v1/workers/{worker['id']}"
    assert team.clients["mia"].patch(path, json={"draining": True}).status_code == 403
    assert team.clients["root"].patch(path, json={"draining": True}).status_code == 200
    noted = team.sql("SELECT action FROM audit_log WHERE subject = :worker", worker=worker["id"])
    assert [row.action for row in noted] == ["worker_drain"]
    assert team.clients["root"].patch(path, json={"draining": False}).status_code == 200
