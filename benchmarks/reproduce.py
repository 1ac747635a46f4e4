"""The paper's tables through the running service: time, memory, one worker against two, and killed workers.

    python benchmarks/reproduce.py                     preset quick, one worker, two workers, and with kills
    python benchmarks/reproduce.py --preset paper --workers 2 --kills 0      on MNIST

Every run starts `blindspots up` on an empty data folder, with further batch workers beside it, and submits
one `reproduce` job. The results of all runs are compared: tables, and every array of every transfer. Needs
psutil, and for the presets `paper` and `full` the MNIST files (BLINDSPOTS_DATASETS_DIR).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from blindspots.client import Client
from installation import DATASETS, KILLS_NEED, batch_child, installation, peak_memory, processor_seconds

ENDED = ("succeeded", "failed", "cancelled")
TIMES = ("seconds", "job_id", "created_at", "finished_at", "started_at", "model_id", "id", "job")


@contextlib.contextmanager
def more_workers(data: Path, count: int, threads: int) -> Iterator[list[psutil.Process]]:
    """`count` batch workers beside those of `blindspots up`."""
    environment = (
        os.environ
        | KILLS_NEED
        | {
            "BLINDSPOTS_DATA_DIR": str(data),
            "BLINDSPOTS_DATASETS_DIR": os.environ.get("BLINDSPOTS_DATASETS_DIR") or str(DATASETS),
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
        }
    )
    command = [sys.executable, "-m", "blindspots", "worker", "--lane", "batch"]
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield [psutil.Process(each.pid) for each in started]
    finally:
        for each in started:
            each.terminate()
        for each in started:
            each.wait(timeout=60)


def one_run(options: argparse.Namespace, *, workers: int, kills: int) -> dict[str, Any]:
    """A whole reproduction on an empty installation: what it took, and a digest of all that it found."""
    with (
        installation(options.threads) as (client, up, data),
        more_workers(data, workers - 1, options.threads) as others,
    ):
        wait_for_workers(client, workers)
        everyone = [up, *others]
        before = sum(processor_seconds(process) for process in everyone)
        begun = time.perf_counter()
        job = client.submit({"kind": "reproduce", "experiment": options.experiment, "preset": options.preset})
        killed = follow(client, job.id, up, kills=kills, seed=options.seed)
        seconds = time.perf_counter() - begun
        used = sum(processor_seconds(process) for process in everyone) - before
        memory = {name: size for process in everyone for name, size in peak_memory(process).items()}
        return {
            "workers": workers,
            "kills": killed,
            "wall_seconds": round(seconds, 1),
            "processor_seconds": round(used, 1),  # without those of killed processes
            "peak_mib_of_largest_process": round(max(memory.values())),
            "peak_mib_together": round(sum(memory.values())),
            "digest": digest(client, job.id),
            "steps": steps_seconds(client, job.id),
        }


def wait_for_workers(client: Client, count: int) -> None:
    """Until that many batch workers have said that they are there."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = client.request("GET", "/workers").json()["items"]
        if sum(worker["lane"] == "batch" for worker in found) >= count:
            return
        time.sleep(0.2)
    raise RuntimeError(f"{count} batch workers did not appear within two minutes")


def follow(client: Client, job: str, up: psutil.Process, *, kills: int, seed: int) -> int:
    """Wait for the job; kill the computing process `kills` times at random moments. Raises when it fails."""
    chance = random.Random(seed)
    done = 0
    next_kill = time.monotonic() + chance.uniform(1, 4)
    while (detail := client.job(job)).state not in ENDED:
        if done < kills and time.monotonic() > next_kill and (child := batch_child(up)) is not None:
            with contextlib.suppress(psutil.Error):
                child.kill()
                done += 1
            next_kill = time.monotonic() + chance.uniform(5, 10)
        time.sleep(0.1)
    if detail.state != "succeeded":
        raise RuntimeError(f"job {job}: {detail.error}")
    return done


def children(client: Client, job: str) -> list[dict[str, Any]]:
    """The steps of a job that were submitted, with their own steps after each."""
    found = []
    for step in client.request("GET", f"/jobs/{job}").json().get("steps", []):
        if step["job_id"]:
            found += [step, *children(client, step["job_id"])]
    return found


def steps_seconds(client: Client, job: str) -> dict[str, float]:
    """How long each step took, by its name."""
    steps = client.request("GET", f"/jobs/{job}").json().get("steps", [])
    return {step["name"]: step["seconds"] for step in steps}


def digest(client: Client, job: str) -> str:
    """SHA-256 over the tables, and over every array of every step that has any."""
    sha = hashlib.sha256()
    summary = client.request("GET", f"/jobs/{job}").json()["summary"]
    sha.update(json.dumps(timeless(summary), sort_keys=True).encode())
    for step in children(client, job):
        if step["kind"] not in ("attack", "transfer"):
            continue
        sha.update(step["name"].encode())
        arrays = client.results(step["job_id"])
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name])
            sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            sha.update(array.tobytes())
    return sha.hexdigest()


def timeless(document: Any) -> Any:
    """Without what no two runs can share: times and ids."""
    if isinstance(document, dict):
        return {name: timeless(value) for name, value in document.items() if name not in TIMES}
    if isinstance(document, list):
        return [timeless(value) for value in document]
    return document


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", default="tables")
    parser.add_argument("--preset", choices=("quick", "paper", "full"), default="quick")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kills", type=int, default=5, help="in one more run with one worker; 0 for none")
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / ".cache" / "reproduce.json")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    runs = [one_run(options, workers=workers, kills=0) for workers in options.workers]
    if options.kills:
        runs.append(one_run(options, workers=1, kills=options.kills))
    for run in runs:
        print("; ".join(f"{name}: {value}" for name, value in run.items() if name != "steps"))
    if len(options.workers) > 1:
        first, last = runs[0], runs[len(options.workers) - 1]
        ratio = first["wall_seconds"] / last["wall_seconds"]
        print(f"{last['workers']} workers against {first['workers']}: {ratio:.2f} times as fast")
    print(f"all results byte-equal: {len({run['digest'] for run in runs}) == 1}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(runs, indent=1))


if __name__ == "__main__":
    main()
