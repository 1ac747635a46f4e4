"""What this process runs on: its host, its device, its threads, its versions."""

import ctypes
import importlib.metadata
import os
import platform
import signal
import socket
import sys
import threading
import time
from typing import Any

from blindspots.settings import Settings

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
PR_SET_PDEATHSIG = 1


def host_name() -> str:
    """Tells machines apart, and containers that share a machine's name: process ids mean something only
    within.
    """
    try:
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}/{namespace}" if namespace else socket.gethostname()


def thread_count(settings: Settings, lane: str) -> int:
    """CPU threads of one worker. The lanes leave each other room: threads that wait for a core only spin."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if settings.threads:
        return settings.threads
    if given.isdecimal() and int(given) > 0:
        return int(given)
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, cores - 1) if lane == "batch" else max(1, min(4, cores // 2))


def limit_threads(count: int) -> None:
    """For the numerical libraries of this process's children; they read it when they are imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = str(count)


def prepare_torch(threads: int) -> tuple[str, str]:
    """Set torch up for this process; answers the device that `auto` means, and its name."""
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # saturated sigmoids otherwise cost many times as much
    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name(0)
    return "cpu", platform.processor() or platform.machine()


def versions(threads: int, device_name: str) -> dict[str, Any]:
    """What is recorded with every job that this process works on."""
    packages = ("blindspots", "torch", "numpy", "scipy", "numba")
    found = {name: importlib.metadata.version(name) for name in packages}
    return found | {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "device_name": device_name,
        "threads": threads,
    }


def die_with(parent: int) -> None:
    """End this process when its parent ends, however that ends.

    Linux sends the signal; elsewhere, and for a parent that was gone before, a thread watches.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
