"""Data sets: the digits that come with scikit-learn, MNIST, Fashion-MNIST, and any IDX set or image set in a
folder.

A set that is broken is listed as unavailable, with the reason; it never stops the others.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from blindspots.zoo import idx, image_sets

Split = Literal["train", "test"]
Signature = tuple[tuple[idx.Role, str, int, int], ...]  # role, path, modification time in ns, bytes
DIGITS_TRAIN = 1297
DIGITS_SEED = 2013
FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Download:
    """Where the four files of a set are published, and what they must be."""

    mirrors: tuple[str, ...]  # base URLs, tried in order
    md5: Mapping[str, str]  # file name -> of the file as published
    bytes: int  # of all files together, for the progress bar

    def __hash__(self) -> int:
        return hash(self.mirrors)


SOURCES: dict[str, Download] = {
    "mnist": Download(
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        md5={
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
        bytes=11_594_722,
    ),
    "fashion-mnist": Download(
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        md5={
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
        bytes=30_878_645,
    ),
}
TITLES = {"digits": "Digits", "mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "fashion-mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
}


@dataclass(frozen=True)
class Facts:
    """What is known of an available set without its pixels; fields as in `experiments.base.DatasetFacts`."""

    name: str
    title: str
    sha256: str  # of shapes, pixels and labels, whether they lie in plain or in gzipped files
    shape: tuple[int, int, int]  # channels, height, width
    class_names: tuple[str, ...]
    sizes: Mapping[str, int]  # split -> images


@dataclass(frozen=True)
class Dataset:
    """One data set, found or known. `load` and `facts` raise BrokenFile where it is not available."""

    name: str
    title: str
    source: Literal["bundled", "downloaded", "imported", "folder", "none"]
    available: bool = False
    reason: str = ""  # why it is not available, and what to do
    downloadable: bool = False
    bytes: int = 0  # on disk; of the download, where it is not there
    files: Signature = field(default=(), repr=False)

    def facts(self) -> Facts:
        """Name, shape, classes, sizes, hash."""
        self._check_available()
        shape, class_count, sizes, sha256 = _describe(self.name, self.files)
        names = CLASS_NAMES.get(self.name, ())
        if len(names) != class_count:
            names = tuple(str(number) for number in range(class_count))
        return Facts(self.name, self.title, sha256, shape, names, dict(sizes))

    def load(self, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Read-only images (n, c, h, w) uint8 and labels (n,) int64. Raises KeyError for the split."""
        self._check_available()
        return _load(self.name, self.files)[split]

    def _check_available(self) -> None:
        if not self.available:
            raise idx.BrokenFile(self.reason)


@dataclass(frozen=True, kw_only=True)
class ImageSet(Dataset):
    """A set whose arrays stay on the disk; see `image_sets`."""

    folder: Path
    description: image_sets.Description = field(hash=False)

    def facts(self) -> Facts:
        """As they were noted when the set was made."""
        found = self.description
        return Facts(self.name, self.title, found.sha256, found.shape, found.class_names, found.sizes)

    def load(self, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Read-only; the images are mapped, not read. Raises KeyError for the split."""
        if split not in self.description.sizes:
            raise KeyError(split)
        return image_sets.load(self.folder, split)


def find(folders: Iterable[Path] = (), *, downloads: Path | None = None) -> dict[str, Dataset]:
    """Every known set, and every IDX or image set in a folder directly under one of `folders`, by name.

    Where two folders hold a set of one name, the first that can be read counts; `downloads` is the first.
    """
    found = {"digits": Dataset("digits", TITLES["digits"], "bundled", available=True, bytes=1797 * 65)}
    places: list[tuple[Path, Literal["downloaded", "folder"]]] = [(folder, "folder") for folder in folders]
    if downloads is not None:
        places.insert(0, (downloads, "downloaded"))
    for place, source in places:
        for folder in _subfolders(place):
            dataset = _inspect_folder(folder, source)
            if dataset is not None and not (folder.name in found and found[folder.name].available):
                found[folder.name] = dataset
    for name, download in SOURCES.items():
        found.setdefault(
            name,
            Dataset(
                name,
                TITLES[name],
                "none",
                reason=f"{TITLES[name]} is not here yet: download it, or put its four IDX files into a "
                f"folder named {name} under the data-set folder.",
                downloadable=True,
                bytes=download.bytes,
            ),
        )
    return found


def _subfolders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if FOLDER_NAME.fullmatch(path.name) and path.is_dir())
    except OSError:
        return []  # not there, or not ours to read: it holds no set


def _inspect_folder(folder: Path, source: Literal["downloaded", "folder"]) -> Dataset | None:
    """The set in a folder, None where nothing in it looks like one."""
    name = folder.name
    title, downloadable = TITLES.get(name, name), name in SOURCES
    try:
        if image_sets.is_set(folder):
            return _image_set(folder, "imported" if source == "downloaded" else "folder")
        roles = idx.files_by_role(path.name for path in folder.iterdir())
        if not roles:
            return None
        missing = [idx.STANDARD_NAMES[role] for role in idx.ROLES if role not in roles]
        if missing:
            raise idx.BrokenFile(f"{folder.name} lacks {', '.join(missing)} (plain or .gz).")
        files = _signature(folder, roles)
        _describe(name, files)
    except (idx.BrokenFile, OSError) as error:
        return Dataset(name, title, source, reason=str(error), downloadable=downloadable)
    size = sum(entry[3] for entry in files)
    return Dataset(name, title, source, True, "", downloadable, size, files)


def _image_set(folder: Path, source: Literal["imported", "folder"]) -> ImageSet:
    """Raises BrokenFile and OSError."""
    state = tuple(
        sorted((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in folder.iterdir())
    )
    found = _described(folder, state)
    size = sum(each[2] for each in state)
    return ImageSet(
        folder.name, found.title or folder.name, source, True, bytes=size, folder=folder, description=found
    )


@lru_cache(maxsize=256)
def _described(folder: Path, state: tuple[tuple[str, int, int], ...]) -> image_sets.Description:  # noqa: ARG001
    """Remembered until a file of the folder changes."""
    return image_sets.describe(folder)


def _signature(folder: Path, roles: Mapping[idx.Role, str]) -> Signature:
    entries = []
    for role in idx.ROLES:
        path = folder / roles[role]
        status = path.stat()
        entries.append((role, str(path), status.st_mtime_ns, status.st_size))
    return tuple(entries)


@lru_cache(maxsize=64)
def _describe(
    name: str, files: Signature
) -> tuple[tuple[int, int, int], int, tuple[tuple[str, int], ...], str]:
    """Shape, number of classes, sizes by split and hash; remembered until a file changes."""
    digest = hashlib.sha256()
    sizes = []
    classes = 0
    shape = (0, 0, 0)
    for split, (images, labels) in _load(name, files).items():
        digest.update(f"{split}{images.shape}".encode())
        digest.update(images.tobytes())
        digest.update(labels.astype("<i8").tobytes())
        sizes.append((split, len(labels)))
        classes = max(classes, int(labels.max()) + 1)
        shape = images.shape[1:]
    return shape, classes, tuple(sizes), digest.hexdigest()


@lru_cache(maxsize=3)
def _load(name: str, files: Signature) -> dict[str, tuple[Any, Any]]:
    """Both splits, read-only, shared by all who ask: MNIST is 55 MB."""
    splits = _digits() if name == "digits" else _idx_set(files)
    for arrays in splits.values():
        for array in arrays:
            array.flags.writeable = False
    return splits


def _idx_set(files: Signature) -> dict[str, tuple[Any, Any]]:
    arrays = {role: idx.read(Path(path)) for role, path, _, _ in files}
    idx.check_set(arrays)
    return {
        split: (arrays[split, "images"][:, None], arrays[split, "labels"].astype(np.int64))
        for split in ("train", "test")
    }


def _digits() -> dict[str, tuple[Any, Any]]:
    """1797 handwritten digits, 8 x 8 pixels, 17 grey levels scaled to 0..255, in a fixed order of ours."""
    from sklearn.datasets import load_digits

    bundled = load_digits()
    images = np.rint(bundled.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bundled.target.astype(np.int64)
    order = np.random.default_rng(DIGITS_SEED).permutation(len(labels))
    train, test = order[:DIGITS_TRAIN], order[DIGITS_TRAIN:]
    return {"train": (images[train], labels[train]), "test": (images[test], labels[test])}
