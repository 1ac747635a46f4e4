"""An installation of Blindspots of a benchmark's own, and its processes as the system sees them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from blindspots.client import Client
from blindspots.errors import BlindspotsError

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "data"
KILLS_NEED = {
    # A lost worker is noticed within seconds instead of a minute, and one part may lose many of them.
    "BLINDSPOTS_LEASE_SECONDS": "4",
    "BLINDSPOTS_HEARTBEAT_SECONDS": "1",
    "BLINDSPOTS_RECONCILE_SECONDS": "1",
    "BLINDSPOTS_MAX_ATTEMPTS": "100",
}


@contextlib.contextmanager
def installation(threads: int) -> Iterator[tuple[Client, psutil.Process, Path]]:
    """`blindspots up` on an empty data folder of its own; ended, and the folder removed, at the end."""
    data = Path(tempfile.mkdtemp(prefix="blindspots-service-"))
    environment = (
        os.environ
        | KILLS_NEED
        | {
            "BLINDSPOTS_DATA_DIR": str(data / "data"),
            "BLINDSPOTS_DATASETS_DIR": os.environ.get("BLINDSPOTS_DATASETS_DIR") or str(DATASETS),
            "BLINDSPOTS_PORT": "0",
            "BLINDSPOTS_DEMO": "false",
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
        }
    )
    log = (data / "log.txt").open("w")
    up = subprocess.Popen(
        [sys.executable, "-m", "blindspots", "up", "--no-browser"],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        yield connect(data / "data", up), psutil.Process(up.pid), data / "data"
    finally:
        up.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            up.wait(timeout=30)
        up.kill()
        log.close()
        shutil.rmtree(data, ignore_errors=True)


def connect(data: Path, up: subprocess.Popen[bytes]) -> Client:
    """A client of the installation, once it answers."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if up.poll() is not None:
            raise RuntimeError((data.parent / "log.txt").read_text()[-2000:])
        try:
            client = Client(data_dir=data)
            client.system()
        except BlindspotsError:
            time.sleep(0.2)
        else:
            return client
    raise RuntimeError("blindspots up did not answer within two minutes")


def family(up: psutil.Process) -> list[psutil.Process]:
    """The service's processes that live now."""
    return [up, *up.children(recursive=True)]


def processor_seconds(up: psutil.Process) -> float:
    """Processor time so far of all processes of the service."""
    total = 0.0
    for process in family(up):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def peak_memory(up: psutil.Process) -> dict[str, float]:
    """Largest resident memory so far in MiB, by process."""
    peaks: dict[str, float] = {}
    for process in family(up):
        with contextlib.suppress(psutil.Error, OSError, StopIteration):
            status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            line = next(line for line in status if line.startswith("VmHWM"))
            peaks[f"{process.pid} {role(process)}"] = int(line.split()[1]) / 1024
    return peaks


def role(process: psutil.Process) -> str:
    """What a process of the service does, from its command line and its parent's."""
    words = " ".join(process.cmdline())
    for lane in ("interactive", "batch"):
        if lane in words:
            return f"{lane} worker"
    parent = process.parent()
    if parent is not None and "worker" in (above := role(parent) if parent.pid != os.getpid() else ""):
        return above.replace("worker", "worker's child") if "child" not in above else above
    return "server"


def batch_child(up: psutil.Process) -> psutil.Process | None:
    """The process that computes batch parts: the youngest child of the batch worker that holds torch."""
    with contextlib.suppress(psutil.Error):
        children = [p for p in family(up) if role(p) == "batch worker's child"]
        if children:
            return max(children, key=lambda p: p.memory_info().rss)
    return None
