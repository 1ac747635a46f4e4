"""Passwords: kept as salted scrypt hashes, compared in constant time.

scrypt stands in Python's own library, so no compiled package comes along for it. Cost: OWASP's Password
Storage Cheat Sheet, N = 2^15, r = 8, p = 3, that is 32 MiB and about a sixth of a second.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import scrypt
from threading import BoundedSemaphore

from blindspots.errors import InvalidInput

LOG_N, R, P = 15, 8, 3
MEMORY = 128 << 20  # what OpenSSL is allowed; 128 r (N + p) bytes are needed
SHORTEST, LONGEST = 12, 200
AT_ONCE = BoundedSemaphore(2)  # guesses must not take all cores and all memory


def check_new(password: str, name: str) -> None:
    """Raises InvalidInput for a password that is quickly guessed."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"A password has {SHORTEST} to {LONGEST} characters.", field="password")
    if len(set(password.lower())) < 5 or name.lower() in password.lower():
        raise InvalidInput(
            "Choose a password that is not your name and not a few letters again and again.", field="password"
        )


def hashed(password: str) -> str:
    """What is stored: `scrypt$15$8$3$salt$hash`."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, LOG_N, R, P)
    return "$".join(
        ("scrypt", str(LOG_N), str(R), str(P), b64encode(salt).decode(), b64encode(digest).decode())
    )


def fits(password: str, stored: str | None) -> bool:
    """Takes as long where there is no such user, or one without a password, as where there is."""
    _, log_n, r, p, salt, digest = (stored or NOBODY).split("$")
    found = _scrypt(password, b64decode(salt), int(log_n), int(r), int(p))
    return hmac.compare_digest(found, b64decode(digest)) and stored is not None


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    with AT_ONCE:
        return scrypt(text, salt=salt, n=1 << log_n, r=r, p=p, maxmem=MEMORY, dklen=32)


NOBODY = f"scrypt${LOG_N}${R}${P}${b64encode(bytes(16)).decode()}${b64encode(bytes(32)).decode()}"
