"""Starts the servers that the tests need, on loopback and a free port, with durability off.

They die with the test process, even when that is killed.
"""

import atexit
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis


class ServiceMissing(RuntimeError):
    """No real service could be had; the message says what to install."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_postgres(programs: Path) -> str:
    account = _account()
    folder = _temporary_folder("blindspots-postgres-", account)
    data = folder / "data"
    initdb = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
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


def start_redis(program: str) -> str:
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
