"""Random keys that people and programs carry: their shape, and the hashes under which they are stored."""

import secrets
from hashlib import sha256
from zlib import crc32

PREFIX = "bs_"
RANDOM_LETTERS = 43  # 32 bytes in URL-safe base 64
SHOWN_LETTERS = 8  # enough to tell one's tokens apart


def new_key() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """`bs_`, 256 random bits, and a checksum by which a mistyped or made-up one is known at once."""
    body = new_key()
    return f"{PREFIX}{body}{crc32(body.encode()):08x}"


def well_formed(token: str) -> bool:
    """Whether it can be one of ours; says nothing about whether it is."""
    body, checksum = token[len(PREFIX) : -8], token[-8:]
    right_shape = token.startswith(PREFIX) and len(body) == RANDOM_LETTERS and token.isascii()
    return right_shape and f"{crc32(body.encode()):08x}" == checksum


def shown(token: str) -> str:
    """The letters that its owner knows it by again."""
    return token[len(PREFIX) : len(PREFIX) + SHOWN_LETTERS]


def key_hash(key: str) -> str:
    """Plain SHA-256 will do: nobody finds 256 random bits by trying."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
