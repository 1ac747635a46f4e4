"""Run as a program of its own: one untrusted safetensors file on standard input, a plain one on standard
output.

It imports nothing of the package and gets no environment; memory, time and files are limited before the first
byte is looked at. The header is held to the letter of the format: every byte of the data belongs to exactly
one array. Exit status 3 and one sentence on standard error say that the file is bad.

    python -I safetensors_parser.py
"""

import json
import math
import resource
import sys
from typing import Any

MEMORY_BYTES = 4 << 30
CPU_SECONDS = 60
MOST_HEADER = 16 << 20
MOST_TENSORS = 20_000
MOST_RANK = 8
MOST_NAME = 300
BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
PLAIN = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
BAD_FILE = 3


def limit() -> None:
    """No growth beyond four gigabytes, no loop beyond a minute, no file written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different. Raises ValueError."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("The header names an array twice.")
    return found


def header_of(data: bytes) -> tuple[dict[str, Any], int]:
    """The header's arrays, and where the data begins. Raises ValueError."""
    if len(data) < 8:
        raise ValueError("The file has fewer bytes than a safetensors header needs.")
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8:
        raise ValueError("The header says that it is longer than the file.")
    if length > MOST_HEADER:
        raise ValueError(f"The header has {length} bytes; at most {MOST_HEADER} are read.")
    try:
        header = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=once)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError("The header is not JSON.") from error
    if not isinstance(header, dict):
        raise ValueError("The header is not a JSON object.")
    header.pop("__metadata__", None)
    if not 0 < len(header) <= MOST_TENSORS:
        raise ValueError(f"The file holds {len(header)} arrays; 1 to {MOST_TENSORS} are read.")
    return header, 8 + length


def whole(value: Any) -> bool:
    """A non-negative integer, and neither true nor false."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def entry_of(name: str, entry: Any) -> tuple[int, int, str, list[int]]:
    """Begin, end, type and shape of one array. Raises ValueError."""
    if len(name) > MOST_NAME or not name.isprintable():
        raise ValueError("An array has a name that is too long or cannot be printed.")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"The entry of {name!r} is not a type, a shape and two offsets.")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if kind not in BYTES:
        raise ValueError(f"The array {name!r} is of the type {str(kind)[:20]!r}, which is not read here.")
    if not isinstance(shape, list) or len(shape) > MOST_RANK or not all(map(whole, shape)):
        raise ValueError(f"The shape of {name!r} is not a short list of whole numbers.")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(whole, offsets)):
        raise ValueError(f"The offsets of {name!r} are not two whole numbers.")
    begin, end = offsets
    if end - begin != BYTES[kind] * math.prod(shape):
        raise ValueError(f"The shape of {name!r} does not fit its {end - begin} bytes.")
    return begin, end, kind, shape


def array_of(data: memoryview, kind: str, shape: list[int], name: str) -> Any:
    """The array, real numbers in single precision. Raises ValueError where one is not finite."""
    import numpy as np

    array = np.frombuffer(data, dtype=PLAIN.get(kind, {"I8": "i1", "U8": "u1", "BOOL": "?"}.get(kind)))
    if kind == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"The array {name!r} holds NaN or infinite numbers.")
    return array.reshape(shape)


def plain(data: bytes) -> bytes:
    """The same arrays, written anew. Raises ValueError with a sentence for the user."""
    from safetensors.numpy import save

    header, start = header_of(data)
    entries = {name: entry_of(name, entry) for name, entry in header.items()}
    reached = 0
    for name, (begin, end, _, _) in sorted(entries.items(), key=lambda each: each[1][:2]):
        if begin != reached:
            raise ValueError(f"The data before {name!r} overlap, or leave a hole.")
        reached = end
    if start + reached != len(data):
        raise ValueError("The file is longer or shorter than its arrays.")
    view = memoryview(data)
    return save(
        {
            name: array_of(view[start + begin : start + end], kind, shape, name)
            for name, (begin, end, kind, shape) in entries.items()
        }
    )


def main() -> int:
    """Returns the exit status."""
    limit()
    try:
        answer = plain(sys.stdin.buffer.read())
    except ValueError as error:
        sys.stderr.write(str(error))
        return BAD_FILE
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
