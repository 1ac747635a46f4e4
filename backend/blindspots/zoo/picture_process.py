"""A process of its own that looks into an archive of pictures, or decodes pictures to pixels of one size.

It imports nothing of the package but its two neighbours and gets no environment, so that a hole in a decoder
finds neither credentials nor a database; memory, time and files are limited before the first byte is looked
at. Exit status 3 and a JSON object on standard error say what is wrong with the input.

    check   an archive on standard input; a JSON listing on standard output
    decode  an order on standard input; on standard output one frame for each picture
"""

import json
import os
import resource
import stat
import struct
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

from blindspots.zoo.archives import check, content, directory
from blindspots.zoo.picture_files import NotTaken, pixels

MEMORY_BYTES = 2 << 30
SECONDS_PER_PICTURE = 20
BAD_INPUT = 3
FRAME = struct.Struct("<BI")  # 1 for pixels, 0 for a reason; bytes that follow
START = "import sys; sys.path.insert(0, sys.argv[1]); from blindspots.zoo import picture_process as here; "


def command(mode: Literal["check", "decode"], limits: Mapping[str, int]) -> list[str]:
    """What to run, without any environment. limits: entries, bytes and pixels of one picture."""
    place = str(Path(__file__).parents[2])
    return [
        sys.executable,
        "-I",
        "-c",
        START + "sys.exit(here.main(*sys.argv[2:]))",
        place,
        mode,
        json.dumps(dict(limits)),
    ]


def limit() -> None:
    """No growth beyond two gigabytes, no file written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def allow_seconds(seconds: float) -> None:
    """Of processor time from now on; the system ends the process after them."""
    until = int(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def from_folder(folder: int, name: str, most: int) -> bytes:
    """A file below a folder; no link is followed. Raises ValueError."""
    at = os.dup(folder)
    try:
        *parts, last = name.split("/")
        for part in parts:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
        with open(file, "rb") as stream:
            data = stream.read(most + 1) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    except OSError as error:
        raise ValueError(f"cannot be opened: {error.strerror}") from error
    finally:
        os.close(at)
    if len(data) > most:
        raise ValueError(f"has more than {most:,} bytes")
    return data


def decode(order: dict[str, Any]) -> Iterator[tuple[bool, bytes]]:
    """Whether each picture could be read, and its pixels or the reason."""
    with ExitStack() as opened:
        if order["archive"] is not None:  # checked when it was uploaded, and its hash since
            archive, entries = directory(opened.enter_context(open(order["archive"], "rb")))
        for name in order["names"]:
            allow_seconds(SECONDS_PER_PICTURE)
            try:
                if order["archive"] is None:
                    data = from_folder(order["folder"], name, order["bytes"])
                else:
                    data = content(archive, entries[name], name, order["bytes"])
                yield True, pixels(data, order)
            except (ValueError, NotTaken, MemoryError) as error:
                yield False, (str(error) or "needs too much memory").encode()


def main(mode: str, argument: str) -> int:
    """Returns the exit status."""
    limit()
    allow_seconds(SECONDS_PER_PICTURE)
    warnings.simplefilter("ignore")
    limits, out = json.loads(argument), sys.stdout.buffer
    try:
        if mode == "check":
            listing = check(sys.stdin.buffer, limits, lambda: allow_seconds(SECONDS_PER_PICTURE))
            out.write(json.dumps(listing).encode())
            return 0
        for good, payload in decode(json.load(sys.stdin) | limits):
            out.write(FRAME.pack(good, len(payload)) + payload)
            out.flush()
    except NotTaken as error:
        problem = {"status": error.status, "message": error.message}
    except MemoryError:
        problem = {"status": 413, "message": "The archive is too large to be looked into."}
    else:
        return 0
    sys.stderr.write(json.dumps(problem))
    return BAD_INPUT
