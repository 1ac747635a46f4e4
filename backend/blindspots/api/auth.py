"""Who is asking: a session cookie for browsers, a bearer token for programs; nobody else.

Embedded mode has one user. Two files in the data folder, readable by their owner only, hold what proves that
somebody is that user: `token`, which programs send and people paste, and `secret`, which signs session
cookies. Nothing that a stranger can read leads to either.
"""

import hmac
import os
import secrets
import time
from collections import deque
from dataclasses import replace
from hashlib import sha256
from ipaddress import IPv6Network, ip_address
from pathlib import Path
from threading import Lock
from typing import Protocol

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from blindspots.api.problems import TryLater
from blindspots.errors import StartupError, Unauthenticated
from blindspots.work.actor import LOCAL, Actor

SESSION_SECONDS = 30 * 24 * 3600
LINK_SECONDS = 15 * 60
FAILURES_PER_MINUTE = 10
REMEMBERED_ADDRESSES = 10_000


def private_text(path: Path, make: str) -> str:
    """The content of a file that only its owner can read; made at first use.

    Raises StartupError when others can read it, or when it was emptied or shortened.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise StartupError(f"Cannot write {path}: {error.strerror}.") from error
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make + "\n")
            file.flush()
            os.fsync(file.fileno())
    try:
        if path.stat().st_mode & 0o077:
            raise StartupError(f"{path} can be read by others; run: chmod 600 '{path}'")
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"Cannot read {path}: {error}.") from error
    if len(text) < len(make):
        raise StartupError(
            f"{path} is too short to be safe; delete it, and a new one is made at the next start."
        )
    return text


class Throttle:
    """Counts failures by a key, an address or a name, in a sliding minute."""

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}
        self._lock = Lock()

    def failed(self, key: str) -> None:
        """Note a failure. Raises TryLater beyond the limit."""
        wait = self._wait(key)
        if wait:
            message = f"Too many wrong attempts; try again in {wait} seconds."
            raise TryLater(message, retry_after=wait)

    def counts(self, key: str) -> bool:
        """Note it; False beyond the limit."""
        return not self._wait(key)

    def forgive(self, key: str) -> None:
        """It was no failure after all."""
        with self._lock:
            if recent := self._failures.get(key):
                recent.pop()

    def _wait(self, key: str) -> int:
        """Seconds until another failure is taken; 0 where this one was noted."""
        now = time.monotonic()
        with self._lock:
            if len(self._failures) > REMEMBERED_ADDRESSES:
                self._forget(now)
            recent = self._failures.setdefault(key, deque(maxlen=FAILURES_PER_MINUTE))
            if len(recent) == FAILURES_PER_MINUTE and now - recent[0] < 60:
                return int(60 - (now - recent[0])) + 1
            recent.append(now)
            return 0

    def _forget(self, now: float) -> None:
        """Those whose minute is over; all others too where a flood of addresses has filled the memory."""
        recent = {key: times for key, times in self._failures.items() if times and now - times[-1] < 60}
        self._failures = recent if len(recent) < REMEMBERED_ADDRESSES else {}


class Doorkeeper(Protocol):
    """Says who sent a request."""

    async def identify(self, scope: Scope) -> Actor | None:
        """None: nobody that is known."""


class Authenticator:
    """The doorkeeper of an installation with one user: checks its token, sessions and sign-in links.

    The right token is looked at before failures are counted, and always works, so that a guesser on the same
    machine cannot lock its owner out; 256 random bits leave guessing hopeless at any rate.
    """

    def __init__(self, data_dir: Path) -> None:
        self._key = bytes.fromhex(private_text(data_dir / "secret", secrets.token_hex(32)))
        self.token = private_text(data_dir / "token", "bs_" + secrets.token_urlsafe(32))
        self._ended_path = data_dir / "ended-sessions"
        self._ended = self._read_ended()
        self._links: dict[str, float] = {}
        self._lock = Lock()
        self._throttle = Throttle()

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), sha256).hexdigest()

    def is_token(self, offered: str) -> bool:
        """Compares in constant time; hashing first hides the length too."""
        digests = (sha256(each.encode("utf-8", "surrogatepass")).digest() for each in (offered, self.token))
        return hmac.compare_digest(*digests)

    def issue_link_code(self) -> str:
        """A code that signs in once, within a quarter of an hour."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._links[code] = time.monotonic() + LINK_SECONDS
        return code

    def sign_in(self, offered: str, address: str) -> str:
        """A new session for the token or a fresh link code. Raises Unauthenticated or TryLater."""
        with self._lock:
            expiry = self._links.pop(offered, 0.0)
        if expiry < time.monotonic() and not self.is_token(offered):
            self._throttle.failed(address)
            raise Unauthenticated("This is not the token, or the link was used before.", field="token")
        return self._new_session()

    def _new_session(self) -> str:
        text = f"{secrets.token_hex(16)}.{int(time.time()) + SESSION_SECONDS}"
        return f"{text}.{self._sign('session ' + text)}"

    def is_session(self, cookie: str) -> bool:
        """Whether we signed it, it has not expired, and nobody signed out of it."""
        text, _, signature = cookie.rpartition(".")
        identifier, _, expires = text.partition(".")
        right = hmac.compare_digest(signature.encode(), self._sign("session " + text).encode())
        return right and int(expires) > time.time() and identifier not in self._ended

    def end_session(self, cookie: str) -> None:
        """Sign out: the cookie is worthless from now on, also after a restart."""
        if not self.is_session(cookie):
            return
        identifier, expires, _ = cookie.split(".")
        with self._lock:
            self._ended[identifier] = int(expires)
            with open(self._ended_path, "a", encoding="ascii") as file:
                file.write(f"{identifier} {expires}\n")

    def _read_ended(self) -> dict[str, int]:
        """Sessions that were signed out of and would not have expired yet."""
        if not self._ended_path.exists():
            return {}
        lines = [line.split() for line in self._ended_path.read_text(encoding="ascii").splitlines()]
        return {line[0]: int(line[1]) for line in lines if len(line) == 2 and int(line[1]) > time.time()}

    async def identify(self, scope: Scope) -> Actor | None:
        """The one user, where the token or the session is right."""
        offered = bearer_token(scope)
        if offered is not None:
            good = self.is_token(offered)
        else:
            cookie = session_cookie(scope)
            good = bool(cookie) and self.is_session(cookie)
        return replace(LOCAL, address=client_address(scope)) if good else None


def bearer_token(scope: Scope) -> str | None:
    """The token that a request carries, "" where it makes no sense; None where there is no such header.

    A bearer token that is wrong is not made good by a cookie.
    """
    offered = Headers(scope=scope).getlist("authorization")
    if not offered:
        return None
    scheme, _, token = offered[0].partition(" ")
    return token.strip() if len(offered) == 1 and scheme.lower() == "bearer" else ""


def session_cookie(scope: Scope) -> str:
    """What the session cookie holds, or ""."""
    return cookie_parser(Headers(scope=scope).get("cookie", "")).get(cookie_name(scope), "")


def cookie_name(scope: Scope) -> str:
    """Cookies do not know ports: under one name, two installations on a machine would sign each other out.

    Over https the prefix makes browsers insist that this very host has set it.
    """
    server = scope.get("server") or ("", 0)
    prefix = "__Host-" if scope["scheme"] == "https" else ""
    return f"{prefix}blindspots_session_{server[1]}"


def client_address(scope: Scope) -> str:
    """Where a request comes from. Of an IPv6 address the network: one customer has a whole one."""
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ip_address(host)
    except ValueError:
        return host[:100]
    if address.version == 4:
        return host
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or IPv6Network((address, 64), strict=False))


def local_token(data_dir: Path) -> str:
    """The token of the installation in this folder, for the command line. Raises StartupError."""
    try:
        return (data_dir / "token").read_text(encoding="ascii").strip()
    except OSError as error:
        raise StartupError(
            f"No installation is found in {data_dir}; start one with: blindspots up"
        ) from error
