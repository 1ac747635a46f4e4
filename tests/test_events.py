"""Job events as browsers get them: a stream that resumes, and polling where there is none."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from bad_requests import ATTACK
from installation import Installation, running


def events(stream: httpx2.Response) -> Iterator[dict[str, str]]:
    """Server-sent events, as their named fields."""
    event: dict[str, str] = {}
    for line in stream.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "data" in event:
            yield event
            event = {}


def until_ended(stream: httpx2.Response, job_id: str) -> list[dict[str, Any]]:
    """All events of a job, up to its last."""
    found: list[dict[str, Any]] = []
    for event in events(stream):
        assert event["event"] == "job"
        data = json.loads(event["data"])
        assert str(data["event_id"]) == event["id"]
        if data["id"] == job_id:
            found.append(data)
            if data["state"] in ("succeeded", "failed", "cancelled"):
                return found
    raise AssertionError("the stream ended first")


def test_a_stream_tells_a_job_from_start_to_end(client: httpx2.Client, installation: Installation) -> None:
    with client.stream("GET", "/api/v1/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        job = installation.submit(ATTACK, fresh=True)
        seen = until_ended(stream, job["id"])
    assert seen[-1]["state"] == "succeeded"
    numbers = [event["event_id"] for event in seen]
    assert numbers == sorted(set(numbers))


def test_a_stream_resumes_where_it_broke(client: httpx2.Client, installation: Installation) -> None:
    with client.stream("GET", "/api/v1/events") as stream:
        job = installation.submit(ATTACK, fresh=True)
        seen = until_ended(stream, job["id"])
    installation.run(ATTACK)
    headers = {"Last-Event-ID": str(seen[0]["event_id"])}
    with client.stream("GET", "/api/v1/events", headers=headers) as stream:
        assert until_ended(stream, job["id"]) == seen[1:]


def test_polling_tells_the_same(client: httpx2.Client, installation: Installation) -> None:
    latest = client.get("/api/v1/events/poll").json()["latest"]
    job = installation.run(ATTACK)
    page = client.get("/api/v1/events/poll", params={"after": latest}).json()
    states = [event["state"] for event in page["items"] if event["id"] == job["id"]]
    assert states[-1] == "succeeded"
    assert page["latest"] == page["items"][-1]["event_id"]
    assert client.get("/api/v1/events/poll", params={"after": page["latest"]}).json()["items"] == []


def test_open_streams_do_not_hold_the_server_up(tmp_path: Path) -> None:
    with running(tmp_path / "data", demo="false") as installation:
        with installation.client.stream("GET", "/api/v1/events") as stream:
            assert stream.status_code == 200
            began = time.monotonic()
            installation.process.send_signal(signal.SIGTERM)
            assert list(events(stream)) == []
            assert time.monotonic() - began < 5
        installation.process.wait(30)
        assert not (installation.data_dir / "address").exists()
