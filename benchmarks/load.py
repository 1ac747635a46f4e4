"""How many parts a database can hand out and take back, and what fifty watching people cost.

    python benchmarks/load.py                    both; a few minutes
    python benchmarks/load.py --seconds 5        shorter, to see that it works

First the scheduling limit: 1, 2 and 4 worker processes run a job whose parts take no time, on SQLite and on a
PostgreSQL of this benchmark's own; beside them the same with parts of 50 ms, where workers should add up.
Then `blindspots up` with an attack running while fifty people each hold an event stream open and ask for the
history every second, with ETags as the page does. Needs psutil.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import secrets
import sys
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import psycopg

from installation import installation

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

PARTS = 1000
PEOPLE = 50


def work(url: str, folder: str, number: int, ready: Barrier) -> None:
    """One worker process: everything but Celery, whose messages are only hints."""
    from workbench import Workbench

    bench = Workbench(url, Path(folder))
    runner, _ = bench.worker(pid=number)
    ready.wait()
    runner.run()
    bench.close()


def rate(url: str, workers: int, *, parts: int, seconds: float) -> float:
    """Parts per second from the first claim to the end of the job."""
    from stub_kind import Stub
    from workbench import Workbench

    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(url.format(folder=folder), Path(folder))
        job = bench.service.submit(
            Stub(part_count=parts, part_seconds=seconds), owner="benchmark", fresh=True
        )
        context = multiprocessing.get_context("spawn")
        ready = context.Barrier(workers + 1)
        arguments = (url.format(folder=folder), folder)
        processes = [
            context.Process(target=work, args=(*arguments, number + 1, ready)) for number in range(workers)
        ]
        for process in processes:
            process.start()
        ready.wait()
        begun = time.perf_counter()
        for process in processes:
            process.join()
        spent = time.perf_counter() - begun
        state = bench.service.job(job["id"])["state"]
        bench.close()
    if state != "succeeded":
        raise RuntimeError(f"the job is {state}")
    return parts / spent


def new_database() -> str:
    """The URL of an empty PostgreSQL database."""
    import services

    server = services.postgres_url()
    name = f"load_{secrets.token_hex(6)}"
    administer(server, f'CREATE DATABASE "{name}"')
    return server.rpartition("/")[0] + f"/{name}"


def remove_database(url: str) -> None:
    """It is not needed any more."""
    import services

    administer(services.postgres_url(), f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')


def administer(server: str, statement: str) -> None:
    """One statement outside any transaction."""
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


def scheduling(parts: int) -> list[dict[str, Any]]:
    """Rates on both databases."""
    found = []
    for name, url in (("SQLite", "sqlite:///{folder}/load.sqlite"), ("PostgreSQL", "")):
        for seconds, count in ((0.0, parts), (0.05, parts // 5)):
            for workers in (1, 2, 4):
                database = url or new_database()
                per_second = rate(database, workers, parts=count, seconds=seconds)
                if not url:
                    remove_database(database)
                row = {
                    "database": name,
                    "part_seconds": seconds,
                    "workers": workers,
                    "parts_per_second": per_second,
                }
                print(json.dumps(row), flush=True)
                found.append(row)
    return found


async def person(base: str, token: str, until: float, times: list[float], events: list[int]) -> None:
    """Watches the events, and asks for the history every second as the page does."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=base, headers=headers, timeout=30) as client:
        listening = asyncio.create_task(listen(client, until, events))
        tag = ""
        while time.monotonic() < until:
            begun = time.perf_counter()
            answer = await client.get("/api/v1/jobs?limit=50", headers={"If-None-Match": tag})
            times.append(time.perf_counter() - begun)
            if answer.status_code not in (200, 304):
                raise RuntimeError(f"{answer.status_code}: {answer.text[:200]}")
            tag = answer.headers.get("etag", "")
            await asyncio.sleep(1.0)
        listening.cancel()


async def listen(client: httpx2.AsyncClient, until: float, events: list[int]) -> None:
    """Count the events that arrive."""
    async with client.stream("GET", "/api/v1/events") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data:"):
                events.append(1)
            if time.monotonic() > until:
                return


async def crowd(base: str, token: str, seconds: float) -> dict[str, Any]:
    """Everybody at once."""
    times: list[float] = []
    events: list[int] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(person(base, token, until, times, events) for _ in range(PEOPLE)))
    low, middle, high = (1000 * float(np.quantile(times, q)) for q in (0.5, 0.95, 0.99))
    return {
        "people": PEOPLE, "seconds": seconds, "requests": len(times), "events": len(events),
        "p50_ms": round(low, 1), "p95_ms": round(middle, 1), "p99_ms": round(high, 1),
    }  # fmt: skip


def watching(seconds: float) -> dict[str, Any]:
    """A crowd around a running installation."""
    attack = {
        "kind": "attack",
        "images": {"source": "dataset", "dataset": "digits", "split": "train", "count": 1297},
    }
    training = {"kind": "train", "dataset": "digits", "network": {"name": "softmax"}, "model_name": "watched"}
    with installation(1) as (client, _, data):
        client.wait(client.submit(training).id)
        token = (data / "token").read_text().strip()
        running = [
            client.submit({**attack, "model": "watched", "seed": seed}, fresh=True).id for seed in range(20)
        ]
        found = asyncio.run(crowd(client.url, token, seconds))
        done = sum(client.job(job).state == "succeeded" for job in running)
    print(json.dumps(found | {"jobs_done_meanwhile": done}), flush=True)
    return found


def main() -> None:
    """Measure, and print one line of JSON per figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="How long the crowd watches.")
    parser.add_argument("--parts", type=int, default=PARTS, help="Parts of the empty job.")
    options = parser.parse_args()
    scheduling(options.parts)
    watching(options.seconds)


if __name__ == "__main__":
    main()
