"""10,000 MNIST test images against 100-100-10 through the running service, and what the service costs.

    python benchmarks/service.py                 trains the network to 400 iterations first (minutes)
    python benchmarks/service.py --quick         60 iterations, 2,000 images, 3 kills: to see that it works

Starts `blindspots up` on an empty data folder, trains the network and attacks through REST. In turn with the
jobs, the bare attack runs here on the same images with the same weights and threads. Then the batch worker is
killed with SIGKILL at random moments while the same job runs again, and the two results are compared byte by
byte. Needs psutil and the MNIST files (BLINDSPOTS_DATASETS_DIR).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import random
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
from bare import BareAttack

from blindspots.client import Client
from installation import batch_child, installation, peak_memory, processor_seconds


def attack_spec(model: str, options: argparse.Namespace) -> dict[str, object]:
    """The job, as REST takes it. Every adversarial image is kept."""
    return {
        "kind": "attack",
        "model": model,
        "images": {
            "source": "dataset",
            "dataset": "mnist",
            "split": "test",
            "selection": "first",
            "count": options.images,
        },
        "method": {
            "name": "minimum_distortion",
            "mode": options.mode,
            "polish": options.polish,
            "max_ticks": options.ticks,
        },
        "keep": "all",
    }


def run_job(client: Client, up: psutil.Process, spec: dict[str, object]) -> tuple[str, float, float]:
    """Submits, waits; job id, wall seconds from submit to succeeded, processor seconds of the service."""
    processor, begun = processor_seconds(up), time.perf_counter()
    job = client.submit(spec, fresh=True)
    while (state := client.job(job.id).state) not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.05)
    wall = time.perf_counter() - begun
    if state != "succeeded":
        raise RuntimeError(f"job {job.id}: {client.job(job.id).error}")
    return job.id, wall, processor_seconds(up) - processor


def run_killing(
    client: Client, up: psutil.Process, spec: dict[str, object], *, kills: int, within: float, seed: int
) -> tuple[str, int, float]:
    """The job again; its worker is killed `kills` times, up to `within` s after a part is seen running."""
    chance = random.Random(seed)
    begun = time.perf_counter()
    job = client.submit(spec, fresh=True)
    done = 0
    while (detail := client.job(job.id)).state not in ("succeeded", "failed", "cancelled"):
        child = batch_child(up)
        if done < kills and detail.parts.running and child is not None:
            time.sleep(chance.uniform(0, within))
            with contextlib.suppress(psutil.Error):
                child.kill()
                done += 1
                wait_for_recovery(client, job.id, up, child.pid)
        time.sleep(0.02)
    if detail.state != "succeeded":
        raise RuntimeError(f"job {job.id}: {detail.error}")
    return job.id, done, time.perf_counter() - begun


def wait_for_recovery(client: Client, job: str, up: psutil.Process, killed: int) -> None:
    """Until another child computes the job; a part that only waits for its lease cannot be killed again."""
    attempts = total_attempts(client, job)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        child = batch_child(up)
        if child is not None and child.pid != killed and total_attempts(client, job) > attempts:
            return
        if client.job(job).state in ("succeeded", "failed", "cancelled"):
            return
        time.sleep(0.05)


def total_attempts(client: Client, job: str) -> int:
    """How often the parts of a job were begun."""
    return sum(int(part["attempt"]) for part in parts_of(client, job))


def parts_of(client: Client, job: str) -> list[dict[str, Any]]:
    """The parts of a job, in order."""
    return list(client.request("GET", f"/jobs/{job}/parts").json()["items"])


def digest(client: Client, job: str) -> tuple[str, dict[str, np.ndarray]]:
    """SHA-256 over names, types, shapes and bytes of every array of the NPZ export, and the arrays."""
    arrays = client.results(job)
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return sha.hexdigest(), arrays


def violations(client: Client, job: str, images: int, arrays: dict[str, np.ndarray]) -> list[str]:
    """Whatever was lost or done twice."""
    found = []
    if not np.array_equal(arrays["index"], np.arange(images)):
        found.append("the rows are not each image once, in order")
    parts = parts_of(client, job)
    states = [part["state"] for part in parts]
    if set(states) != {"succeeded"}:
        found.append(f"part states {states}")
    if len({part["index"] for part in parts}) != len(parts):
        found.append("a part is there twice")
    return found


def train(client: Client, iterations: int) -> str:
    """Trains 100-100-10 on MNIST as an ordinary job; the model's id."""
    job = client.submit(
        {
            "kind": "train",
            "title": "N100-100-10",
            "dataset": "mnist",
            "network": {"name": "mlp", "widths": [100, 100], "activation": "sigmoid"},
            "optimiser": {"name": "lbfgs", "max_iterations": iterations},
        }
    )
    return str(client.wait(job.id, timeout=3600).models[0].id)


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Everything, as JSON."""
    with installation(options.threads) as (client, up, data):
        model = train(client, options.iterations)
        spec = attack_spec(model, options)
        bare = BareAttack(client, model, data, spec, threads=options.threads)
        run_job(client, up, spec)  # the worker imports torch and compiles its kernels: once per start
        service, alone = [], []
        for _ in range(options.repeats):
            service.append(run_job(client, up, spec))
            alone.append(bare.run())
        memory = peak_memory(up)
        reference = service[-1][0]
        wall, processor = median(run[1] for run in service), median(run[2] for run in service)
        bare_wall, bare_processor = median(run[0] for run in alone), median(run[1] for run in alone)
        before, expected = digest(client, reference)
        parts = client.job(reference).parts.total
        killed, kills, killed_wall = run_killing(
            client, up, spec, kills=options.kills, within=0.8 * wall / parts, seed=options.seed
        )
        after, arrays = digest(client, killed)
        return {
            "images": options.images,
            "parts": parts,
            "success": float(expected["success"].mean()),
            "wall_seconds": wall,
            "images_per_second": options.images / wall,
            "bare_wall_seconds": bare_wall,
            "bare_images_per_second": options.images / bare_wall,
            "overhead_wall": wall / bare_wall - 1,
            "processor_seconds": processor,
            "bare_processor_seconds": bare_processor,
            "overhead_processor": processor / bare_processor - 1,
            "mean_distortion": float(expected["rms"].mean()),
            "largest_difference_to_bare": float(np.abs(expected["rms"] - bare.distortion()).max()),
            "peak_memory_mib": memory,
            "kills": kills,
            "seconds_with_kills": killed_wall,
            "attempts_with_kills": [part["attempt"] for part in parts_of(client, killed)],
            "byte_equal": before == after,
            "violations": violations(client, killed, options.images, arrays),
            "runs": {"service": service, "bare": alone},
        }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--iterations", type=int, default=400, help="of L-BFGS, training the network")
    parser.add_argument("--mode", choices=("paper", "tight", "nearest"), default="nearest")
    parser.add_argument("--polish", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--ticks", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / ".cache" / "service.json")
    options = parser.parse_args()
    if options.quick:
        options.iterations, options.images, options.kills, options.repeats = 60, 2000, 3, 1
    return options


def main() -> None:
    options = arguments()
    found = measure(options)
    for name, value in found.items():
        if name != "runs":
            print(f"{name}: {value:,.4g}" if isinstance(value, float) else f"{name}: {value}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(
        json.dumps({"options": {k: str(v) for k, v in vars(options).items()}} | found, indent=1)
    )


if __name__ == "__main__":
    main()
