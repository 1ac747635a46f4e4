"""A real `blindspots up` in a process of its own, on a free port and a temporary data folder."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx2
import psutil

from servers import free_port

Found = TypeVar("Found")
ROOT = Path(__file__).parent.parent
SIGN_IN_LINK = re.compile(r"https?://\S+token=[\w.~%+/=-]+")
FINISHED = frozenset({"succeeded", "failed", "cancelled"})


def datasets_dir() -> Path | None:
    """The folder of real data sets on this machine, where there is one."""
    named = os.environ.get("BLINDSPOTS_DATASETS_DIR")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """The variables of a fresh installation: nothing of this machine's own settings leaks in."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BLINDSPOTS_")}
    found = datasets_dir()
    own = {
        "BLINDSPOTS_DATA_DIR": str(data_dir),
        "BLINDSPOTS_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        **({"BLINDSPOTS_DATASETS_DIR": str(found)} if found else {}),
    }
    return inherited | own | {f"BLINDSPOTS_{name.upper()}": value for name, value in settings.items()}


@dataclass
class Installation:
    """A running server with its workers, and a client that is signed in."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes]" = field(init=False)
    sign_in_url: str = field(init=False, default="")
    client: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60.0))

    @property
    def base_url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        parts = urlsplit(self.sign_in_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def token(self) -> str:
        """The secret of this installation. The printed link carries a code that signs in once; this lasts."""
        return (self.data_dir / "token").read_text().strip()

    @property
    def log(self) -> str:
        """What the program has printed."""
        return self._log_file.read_text(errors="replace")

    @property
    def _log_file(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def start(self, *, seconds: float = 90.0) -> Self:
        """Start, and return once it says that it is ready."""
        with open(self._log_file, "wb") as log:
            self.process = launch(self.data_dir, log, **self.settings)
        self.sign_in_url = wait_for(self._printed_link, seconds, "the sign-in link")
        self.client.base_url = httpx2.URL(self.base_url)
        self.client.headers["Authorization"] = f"Bearer {self.token}"
        wait_for(self._ready, seconds, "/readyz")
        return self

    def processes(self) -> list[psutil.Process]:
        """The started process and everything below it."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def stop(self, how: signal.Signals = signal.SIGINT, *, seconds: float = 30.0) -> list[psutil.Process]:
        """Send the signal and wait; return the processes that outlived it (there should be none)."""
        family = self.processes() if self.process.poll() is None else []
        self.process.send_signal(how)
        self.process.wait(seconds)
        self.client.close()
        left: list[psutil.Process] = psutil.wait_procs(family, timeout=seconds)[1]
        return left

    def submit(self, spec: Mapping[str, Any], **query: Any) -> dict[str, Any]:
        """The job that this Spec becomes."""
        reply = self.client.post("/api/v1/jobs", json=spec, params=query)
        assert reply.status_code == 202, reply.text
        job: dict[str, Any] = reply.json()
        return job

    def finish(self, job_id: str, *, seconds: float = 120.0) -> dict[str, Any]:
        """Wait for a job to end, however it ends."""

        def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = self.client.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
            return job if job["state"] in FINISHED else None

        return wait_for(ended, seconds, f"job {job_id}")

    def run(self, spec: Mapping[str, Any], *, seconds: float = 120.0) -> dict[str, Any]:
        """Submit, wait, and insist on success."""
        job = self.finish(self.submit(spec)["id"], seconds=seconds)
        assert job["state"] == "succeeded", job["error"]
        return job

    def jobs(self, **filters: str) -> list[dict[str, Any]]:
        """The newest jobs."""
        reply = self.client.get("/api/v1/jobs", params={"limit": 200, **filters}).raise_for_status()
        found: list[dict[str, Any]] = reply.json()["items"]
        return found

    def wait_for_demo(self, *, seconds: float = 180.0) -> Self:
        """Wait until the demo networks are trained, and each is attacked."""

        def done() -> bool:
            trained, attacked = self.jobs(kind="train"), self.jobs(kind="attack")
            complete = 0 < len(trained) <= len(attacked)
            return complete and all(job["state"] in FINISHED for job in trained + attacked)

        wait_for(done, seconds, "the demo networks and their attacks")
        return self

    def _printed_link(self) -> str | None:
        self._still_running()
        found = SIGN_IN_LINK.search(self.log)
        return found.group() if found else None

    def _ready(self) -> bool:
        self._still_running()
        with contextlib.suppress(httpx2.TransportError):
            return self.client.get("/readyz").status_code == 200
        return False

    def _still_running(self) -> None:
        if self.process.poll() is not None:
            raise AssertionError(
                f"blindspots up ended with code {self.process.returncode}:\n{self.log[-4000:]}"
            )


def launch(data_dir: Path, log: IO[bytes], **settings: str) -> "subprocess.Popen[bytes]":
    """Start `blindspots up` and return at once."""
    command = [sys.executable, "-m", "blindspots", "up", "--no-browser"]
    return subprocess.Popen(
        command,
        env=environment(data_dir, **settings),
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextlib.contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[Installation]:
    """An installation that is stopped at the end, whatever happened."""
    installation = Installation(data_dir, settings)
    try:
        yield installation.start()
    finally:
        if installation.process.poll() is None:
            for process in installation.stop():
                process.kill()
        installation.client.close()


def wait_for(ask: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """The first true answer; AssertionError when none came in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.1)
    return answer
