"""The IDX format of MNIST: a big-endian header, then bytes; plain or gzipped.

Nothing is read beyond what a header promises, and a header may not promise more than a set can be.
"""

import gzip
import io
import math
import re
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Role = tuple[Literal["train", "test"], Literal["images", "labels"]]
ROLES: tuple[Role, ...] = (("train", "images"), ("train", "labels"), ("test", "images"), ("test", "labels"))
STANDARD_NAMES = {
    ("train", "images"): "train-images-idx3-ubyte",
    ("train", "labels"): "train-labels-idx1-ubyte",
    ("test", "images"): "t10k-images-idx3-ubyte",
    ("test", "labels"): "t10k-labels-idx1-ubyte",
}
FILE_NAME = re.compile(r"(?:.*-)?(train|t10k|test)-(images|labels)[-.]idx([13])-ubyte(\.gz)?")
UNSIGNED_BYTE = 0x08
LARGEST_FILE = 4 << 30  # bytes after decompression
CHUNK = 1 << 20


class BrokenFile(ValueError):
    """An IDX file that cannot be read, with a sentence that says why."""


def read(path: Path) -> Bytes:
    """The array of one IDX file of unsigned bytes. Raises BrokenFile with the file's name and the reason."""
    try:
        with path.open("rb") as stream:
            return _read_named(path.name, stream)
    except OSError as error:
        raise BrokenFile(f"{path.name} cannot be opened: {error.strerror}.") from error


def read_bytes(name: str, content: bytes) -> Bytes:
    """The same for a file that is held in memory."""
    return _read_named(name, io.BytesIO(content))


def _read_named(name: str, stream: IO[bytes]) -> Bytes:
    try:
        if name.endswith(".gz"):
            with gzip.open(stream) as inner:
                return _read_stream(inner)
        return _read_stream(stream)
    except BrokenFile as error:
        raise BrokenFile(f"{name} {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenFile(f"{name} cannot be read to its end: {error}.") from error


def _read_stream(stream: "IO[bytes] | gzip.GzipFile") -> Bytes:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != UNSIGNED_BYTE or start[3] not in (1, 3):
        raise BrokenFile("is not an IDX file of unsigned bytes with one or three dimensions.")
    dimensions = start[3]
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise BrokenFile("ends within its header.")
    shape = struct.unpack(f">{dimensions}I", sizes)
    promised = math.prod(shape)
    if promised > LARGEST_FILE:
        raise BrokenFile(f"promises {promised} bytes; at most {LARGEST_FILE} are read.")
    content = bytearray()
    while len(content) < promised:
        chunk = stream.read(min(CHUNK, promised - len(content)))
        if not chunk:
            raise BrokenFile(f"promises {promised} bytes of content, but holds only {len(content)}.")
        content += chunk
    if stream.read(1):
        raise BrokenFile(f"holds more than the {promised} bytes of content that it promises.")
    array = np.frombuffer(bytes(content), dtype=np.uint8).reshape(shape)
    array.flags.writeable = False
    return array


def files_by_role(names: Iterable[str]) -> dict[Role, str]:
    """Which file plays which role; a plain file is preferred to its gzipped twin.

    Raises BrokenFile where two different files claim one role.
    """
    found: dict[Role, str] = {}
    for name in sorted(names):  # "x" sorts before "x.gz"
        match = FILE_NAME.fullmatch(name)
        if match is None:
            continue
        role: Any = ("train" if match[1] == "train" else "test", match[2])
        if (match[2] == "images") != (match[3] == "3"):
            continue
        if role in found and name != found[role] + ".gz":
            raise BrokenFile(f"Two files hold the {role[0]} {role[1]}: {found[role]} and {name}; keep one.")
        found.setdefault(role, name)
    return found


def check_set(arrays: dict[Role, Bytes]) -> None:
    """Raise BrokenFile where the four arrays of a set do not fit each other."""
    for split in ("train", "test"):
        images, labels = arrays[split, "images"], arrays[split, "labels"]
        if images.ndim != 3 or labels.ndim != 1:
            raise BrokenFile(f"The {split} images must have three dimensions and the labels one.")
        if len(images) != len(labels):
            raise BrokenFile(f"There are {len(images)} {split} images, but {len(labels)} labels.")
        if images.size == 0:
            raise BrokenFile(f"There are no {split} images.")
    train, test = arrays["train", "images"].shape[1:], arrays["test", "images"].shape[1:]
    if train != test:
        raise BrokenFile(
            f"Train images are {train[0]} × {train[1]}, but test images {test[0]} × {test[1]} pixels."
        )
