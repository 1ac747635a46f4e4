"""Do the images that move a direction most share something: numbers for what a viewer would say."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def class_histogram(labels: Array, classes: int) -> Array:
    """How many of the top images are of each class, (m, classes) int64. labels: (m, k)."""
    counts = np.zeros((len(labels), classes), dtype=np.int64)
    np.add.at(counts, (np.arange(len(labels))[:, None], labels), 1)
    return counts


def purity(histogram: Array) -> Array:
    """Share of the most common class among the top images, (m,), from 1/k to 1. histogram: (m, classes)."""
    share: Array = histogram.max(axis=1) / histogram.sum(axis=1)
    return share


def entropy(histogram: Array) -> Array:
    """Entropy of the classes of the top images in bits, (m,): 0 where all are of one class."""
    share = histogram / histogram.sum(axis=1, keepdims=True)
    bits: Array = -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=1)
    return np.maximum(bits, 0)


def coherence(images: Array) -> float:
    """Mean cosine between the pixels of two different images of a set, in [0, 1]. images: (k, ...), k >= 2.

    An image without any light has no direction: its cosines count as 0. Raises ValueError.
    """
    if len(images) < 2:
        raise ValueError(f"expected at least two images, got {len(images)}")
    flat = images.reshape(len(images), -1).astype(np.float64)
    norms = np.linalg.norm(flat, axis=1)
    units = flat / np.where(norms > 0, norms, 1)[:, None]
    lit = int((norms > 0).sum())
    pairs = len(images) * (len(images) - 1)
    return float(np.clip((np.square(units.sum(axis=0)).sum() - lit) / pairs, 0, 1))


def likeness(codes: Array) -> float:
    """Mean cosine between the codes of two different images of a set, in [-1, 1]. codes: (k, d), k >= 2.

    As `coherence`, in the features of a network: a code that is all 0 has no direction, its cosines are 0.
    """
    if len(codes) < 2:
        raise ValueError(f"expected at least two codes, got {len(codes)}")
    exact = codes.astype(np.float64)
    norms = np.linalg.norm(exact, axis=1)
    units = exact / np.where(norms > 0, norms, 1)[:, None]
    pairs = len(codes) * (len(codes) - 1)
    return float((np.square(units.sum(axis=0)).sum() - int((norms > 0).sum())) / pairs)


def selectivity(class_mean: Array) -> Array:
    """(mu_max - mu_rest) / (mu_max + mu_rest), (m,): how much a direction prefers one class.

    mu_max is the largest of the mean scores of the classes, mu_rest the mean of the others. Morcos et al.
    2018, section 2.3. class_mean: (m, classes), classes >= 2, not negative; NaN where all are 0.
    """
    if (class_mean < 0).any() or class_mean.shape[1] < 2:
        raise ValueError("selectivity is defined for scores that are not negative, of two classes or more")
    most = class_mean.max(axis=1)
    rest = (class_mean.sum(axis=1) - most) / (class_mean.shape[1] - 1)
    total = most + rest
    result: Array = np.where(total > 0, (most - rest) / np.where(total > 0, total, 1), np.nan)
    return result
