"""Image sets: arrays as they lie in memory, read through the page cache, so that memory does not depend on
how many images there are.

A set is a folder with `image-set.json` and, for each of its splits, `<split>-images.npy` (n, c, h, w) uint8
and `<split>-labels.npy` (n,) int64, both uncompressed. Labels are -1 where the set has none.
"""

import hashlib
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from blindspots.zoo.idx import BrokenFile

DESCRIPTION = "image-set.json"
FORMAT = 1
LARGEST_DESCRIPTION = 16 << 20
SPLITS = ("train", "test")
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Description:
    """What is known of a set without its arrays."""

    title: str
    shape: tuple[int, int, int]  # channels, height, width
    class_names: tuple[str, ...]  # empty where there are no labels
    sizes: Mapping[str, int]  # split -> images
    sha256: str  # of shapes, pixels and labels
    notes: Mapping[str, Any]  # where the pictures came from and how they were resized


def images_file(split: str) -> str:
    """Name of the file of a split's pixels."""
    return f"{split}-images.npy"


def labels_file(split: str) -> str:
    """Name of the file of a split's labels."""
    return f"{split}-labels.npy"


def is_set(folder: Path) -> bool:
    """Whether the folder says that it holds an image set."""
    return (folder / DESCRIPTION).is_file()


def describe(folder: Path) -> Description:
    """What the folder holds; every file has the size that it must have. Raises BrokenFile."""
    found = _read(folder)
    for split, size in found.sizes.items():
        images, labels = _headers(folder, split)
        if images != ((size, *found.shape), np.dtype(np.uint8)) or labels != ((size,), np.dtype(np.int64)):
            raise BrokenFile(
                f"The {split} arrays of {folder.name} are not those that {DESCRIPTION} promises."
            )
    return found


def _read(folder: Path) -> Description:
    path = folder / DESCRIPTION
    try:
        if path.stat().st_size > LARGEST_DESCRIPTION:
            raise BrokenFile(f"{DESCRIPTION} of {folder.name} is too large.")
        document = json.loads(path.read_bytes())
        channels, height, width = (int(each) for each in document["shape"])
        names = tuple(str(name) for name in document["class_names"])
        sizes = {split: int(document["sizes"][split]) for split in SPLITS if split in document["sizes"]}
        found = Description(
            str(document["title"]), (channels, height, width), names, sizes,
            str(document["sha256"]), dict(document["notes"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BrokenFile(f"{DESCRIPTION} of {folder.name} cannot be read: {error}.") from error
    if document.get("format") != FORMAT or not sizes or min(*sizes.values(), *found.shape) < 1:
        raise BrokenFile(f"{DESCRIPTION} of {folder.name} does not describe a set that this version reads.")
    return found


def _headers(folder: Path, split: str) -> tuple[tuple[tuple[int, ...], Any], ...]:
    """Shape and type of a split's images and labels. Raises BrokenFile."""
    found = []
    for name in (images_file(split), labels_file(split)):
        try:
            array = np.load(folder / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise BrokenFile(f"{name} of {folder.name} cannot be read: {error}.") from error
        found.append((array.shape, array.dtype))
    return tuple(found)


def load(folder: Path, split: str) -> tuple[Array, Array]:
    """Images and labels of a split; read-only, and only what is looked at is read from the disk."""
    images = np.load(folder / images_file(split), mmap_mode="r", allow_pickle=False)
    labels = np.load(folder / labels_file(split), allow_pickle=False)
    labels.flags.writeable = False
    return images, labels


@dataclass(frozen=True)
class Split:
    """One split that is to be written."""

    labels: Array  # (n,) int64
    blocks: Iterable[Array]  # (m, c, h, w) uint8, together the images in order


def files(
    splits: Mapping[str, Split],
    *,
    title: str,
    shape: tuple[int, int, int],
    class_names: Iterable[str],
    notes: Mapping[str, Any],
) -> dict[str, Iterable[bytes]]:
    """The files of a set by name, as streams that must be read in this order: the description comes last,
    since it holds the hash of what was read before it."""
    digest = hashlib.sha256()
    sizes = {split: len(content.labels) for split, content in splits.items()}
    found: dict[str, Iterable[bytes]] = {}
    for split, content in splits.items():
        labels = content.labels.astype("<i8")
        whole = (len(labels), *shape)
        found[images_file(split)] = _images(split, whole, content, digest)
        found[labels_file(split)] = [_header((len(labels),), "<i8"), labels.tobytes()]

    def description() -> Iterator[bytes]:
        document = {
            "format": FORMAT, "title": title, "shape": list(shape), "class_names": list(class_names),
            "sizes": sizes, "sha256": digest.hexdigest(), "notes": dict(notes),
        }  # fmt: skip
        yield json.dumps(document, ensure_ascii=False, indent=1).encode()

    found[DESCRIPTION] = description()
    return found


def _images(split: str, whole: tuple[int, ...], content: Split, digest: Any) -> Iterator[bytes]:
    """The file of a split's pixels; its part of the set's hash is taken on the way."""
    digest.update(f"{split}{whole}".encode())
    yield _header(whole, "|u1")
    written = 0
    for block in content.blocks:
        pixels = np.ascontiguousarray(block, np.uint8).tobytes()
        digest.update(pixels)
        written += len(pixels)
        yield pixels
    if written != math.prod(whole):
        raise ValueError(f"expected {math.prod(whole)} bytes of pixels, got {written}")
    digest.update(content.labels.astype("<i8").tobytes())


def _header(shape: tuple[int, ...], kind: str) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()
