"""Halves of a training set, as data sets of their own: `mnist:P1:0` and `mnist:P2:0`.

Szegedy et al. 2013, section 4.2, train networks on two disjoint halves P1 and P2 of MNIST and attack one with
the examples of the other. The paper does not say how it cut. Here the seed draws a permutation of the
training images; its first half (rounded down) is P1, the rest is P2. The test images are those of the whole
set.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from blindspots.zoo.datasets import Dataset, Facts

Half = Literal["P1", "P2"]
HALVES: tuple[Half, ...] = get_args(Half)
NAME = re.compile(r"([^:]+):(P1|P2):(0|[1-9][0-9]{0,9})")  # one name for each half: no leading zeros
SEEDS = 2**32
LARGEST_WHOLE = 1 << 30  # bytes of training images that are cut in halves


@dataclass(frozen=True, kw_only=True)
class HalfDataset(Dataset):
    """One half of the training images of `whole`, with all its test images."""

    whole: Dataset
    half: Half
    seed: int  # of the permutation, 0 to 2**32 - 1

    def facts(self) -> Facts:
        """Those of the whole set, but for name, title, training size and hash."""
        self._check_available()
        whole = self.whole.facts()
        images, _ = self.load("train")
        sizes = {**whole.sizes, "train": len(images)}
        sha256 = _sha256(self)
        return Facts(self.name, self.title, sha256, whole.shape, whole.class_names, sizes)

    def load(self, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Read-only, the training images in the order of the permutation. Raises KeyError for the split."""
        self._check_available()
        return _train(self) if split == "train" else self.whole.load(split)


def has_halves(whole: Dataset) -> bool:
    """Whether there are two training images or more, and few enough that a half of them can lie in memory."""
    facts = whole.facts()
    size = facts.sizes.get("train", 0)
    return size > 1 and size * math.prod(facts.shape) <= LARGEST_WHOLE


def names(whole: str, *, seed: int = 0) -> list[str]:
    """What the two halves of a set are called."""
    return [f"{whole}:{half}:{seed}" for half in HALVES]


def look_up(found: Mapping[str, Dataset], name: str) -> Dataset | None:
    """The set of that name, or the half that is meant; None where there is neither."""
    match = NAME.fullmatch(name)
    if match is None:
        return found.get(name)
    whole, seed = found.get(match[1]), int(match[3])
    if whole is None or seed >= SEEDS:
        return None
    half: Half = "P1" if match[2] == "P1" else "P2"
    available, reason = whole.available, whole.reason
    if available and not has_halves(whole):
        available, reason = False, f"{whole.title} has no halves: it has too few or too many training images."
    return HalfDataset(
        name,
        f"{whole.title}, half {half} (seed {seed})",
        whole.source,
        available,
        reason,
        bytes=whole.bytes,
        files=whole.files,
        whole=whole,
        half=half,
        seed=seed,
    )


@lru_cache(maxsize=4)
def _train(view: HalfDataset) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images and labels of the half, shared by all who ask: a half of MNIST is 24 MB."""
    images, labels = view.whole.load("train")
    order = np.random.default_rng(view.seed).permutation(len(labels))
    middle = len(labels) // 2
    rows = order[:middle] if view.half == "P1" else order[middle:]
    chosen = images[rows], labels[rows]
    for array in chosen:
        array.flags.writeable = False
    return chosen


@lru_cache(maxsize=64)
def _sha256(view: HalfDataset) -> str:
    """Of shapes, pixels and labels of both splits, as for a whole set."""
    digest = hashlib.sha256()
    for split in view.whole.facts().sizes:
        images, labels = view.load(split)
        digest.update(f"{split}{images.shape}".encode())
        digest.update(np.ascontiguousarray(images).data)
        digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()
