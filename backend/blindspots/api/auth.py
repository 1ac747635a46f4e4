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
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from blindspots.api.problems import TryLater
from blindspots.errors import StartupError, Unauthenticated

SESSION_SECONDS = 30 * 24 * 3600
LINK_SECONDS = 15 * 60
FAILURES_PER_MINUTE = 10
REMEMBERED_ADDRESSES = 10_000


@dataclass(frozen=True)
class Identity:
    """Who a request comes from."""

    user: str
    role: str


LOCAL = Identity(user="local", role="admin")


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
    """Counts failed sign-ins per address in a sliding minute.

    The right token is looked at first and always works, so that a guesser on the same machine cannot lock its
    owner out; 256 random bits leave guessing hopeless at any rate.
    """

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}
        self._lock = Lock()

    def failed(self, address: str) -> None:
        """Note a failure. Raises TryLater beyond the limit."""
        now = time.monotonic()
        with self._lock:
            if len(self._failures) > REMEMBERED_ADDRESSES:
                self._failures.clear()
            recent = self._failures.setdefault(address, deque(maxlen=FAILURES_PER_MINUTE))
            if len(recent) == FAILURES_PER_MINUTE and now - recent[0] < 60:
                wait = int(60 - (now - recent[0])) + 1
                message = f"Too many attempts with a wrong token; try again in {wait} seconds."
                raise TryLater(message, retry_after=wait)
            recent.append(now)


class Authenticator:
    """Checks tokens, sessions and sign-in links of one installation."""

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

    def identify(self, scope: Scope) -> Identity | None:
        """Who sent this request. A bearer token that is wrong is not made good by a cookie."""
        headers = Headers(scope=scope)
        offered = headers.getlist("authorization")
        if offered:
            scheme, _, token = offered[0].partition(" ")
            good = len(offered) == 1 and scheme.lower() == "bearer" and self.is_token(token.strip())
            return LOCAL if good else None
        cookie = cookie_parser(headers.get("cookie", "")).get(cookie_name(scope), "")
        return LOCAL if cookie and self.is_session(cookie) else None


def cookie_name(scope: Scope) -> str:
    """Cookies do not know ports: under one name, two installations on a machine would sign each other out."""
    server = scope.get("server") or ("", 0)
    return f"blindspots_session_{server[1]}"


def local_token(data_dir: Path) -> str:
    """The token of the installation in this folder, for the command line. Raises StartupError."""
    try:
        return (data_dir / "token").read_text(encoding="ascii").strip()
    except OSError as error:
        raise StartupError(
            f"No installation is found in {data_dir}; start one with: blindspots up"
        ) from error
