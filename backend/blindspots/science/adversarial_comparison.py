"""Is one way of training better than another? Both were run from several seeds and asked the same images.

Two things are drawn by chance, the seeds and the test images, and either alone may make a difference. So
there are two paired tests, and the larger p-value is the answer: a difference must outlast other seeds and
other images (an intersection-union test, Berger 1982). The images are the same for every seed, therefore
pooling all seeds' discordant pairs into one McNemar test would count each image several times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Comparison:
    """First against second. difference: mean error of the first less that of the second.

    over_images: exact sign-flip test of the images' differences, summed over seeds; with one seed, McNemar's
    exact test. over_seeds: paired t test of the seeds' differences; over_seeds_exact: all sign flips of them,
    which cannot be less than 2^(1 - seeds). Both are None for one seed.
    """

    difference: float
    over_images: float
    over_seeds: float | None
    over_seeds_exact: float | None
    only_first: int  # wrong answers that the other did not give, over all seeds
    only_second: int

    @property
    def p_value(self) -> float:
        """The larger of both."""
        return max(self.over_images, self.over_seeds or 0.0)


def compare(first: Bools, second: Bools) -> Comparison:
    """first, second: (seeds, images) bool, wrong answers, row by row from the same seeds and images."""
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"expected two arrays (seeds, images), got {first.shape} and {second.shape}")
    change = first.astype(np.int64) - second.astype(np.int64)
    seeds = change.mean(axis=1)
    several = len(seeds) > 1
    return Comparison(
        difference=float(seeds.mean()),
        over_images=sign_flips(change.sum(axis=0)),
        over_seeds=paired_t(seeds) if several else None,
        over_seeds_exact=sign_flips(change.sum(axis=1)) if several else None,
        only_first=int((change > 0).sum()),
        only_second=int((change < 0).sum()),
    )


def sign_flips(differences: npt.NDArray[np.int64]) -> float:
    """Two-sided p-value of a sum of integers (n,) under all 2^n flips of their signs; exact.

    Fisher 1935, section 21. The distribution of the sum is built up by convolution. For -1, 0 and 1 it is the
    binomial test, and so McNemar's.
    """
    sizes = np.abs(differences[differences != 0])
    total = int(sizes.sum())
    if total == 0:
        return 1.0
    chances = np.ones(1)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        chances = np.convolve(chances, _flipped(int(size), int(count)))
    sums = np.arange(-total, total + 1, 2)  # a flip changes the sum by twice the size
    far = np.abs(sums) >= abs(int(differences.sum()))
    return float(min(1.0, chances[far].sum()))


def _flipped(size: int, count: int) -> npt.NDArray[np.float64]:
    """Chances of `count` signs times `size`: at every second sum from -size * count on."""
    from scipy.stats import binom

    chances = np.zeros(size * count + 1)
    chances[::size] = binom.pmf(np.arange(count + 1), count, 0.5)
    return chances


def paired_t(differences: npt.NDArray[np.float64]) -> float:
    """Two-sided p-value of Student's t test that the mean of (n,) differences is 0; n of at least 2.

    Differences that are all the same leave t without a scale: then the exact 2^(1 - n), or 1 for zeros.
    """
    from scipy.stats import ttest_1samp

    if np.ptp(differences) < 1e-12:
        return 1.0 if abs(differences[0]) < 1e-12 else 2.0 ** (1 - len(differences))
    return float(ttest_1samp(differences, 0.0).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values that keep the chance of any false alarm below the level, in the given order. Holm 1979."""
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted
