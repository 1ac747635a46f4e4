"""How sure a number is: intervals of proportions and means, tests of paired and independent samples.

From scipy where it has them. Ours: the Wilson interval of whole arrays (scipy takes one count at a time),
Newcombe's intervals of differences, McNemar's test and the interval of Cliff's delta, which scipy has not.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

Array = np.ndarray[Any, Any]
EXACT_DISCORDANT = 25  # pairs, below which McNemar's p-value is the exact binomial one
BOOTSTRAP_BATCH = 4_000_000  # values drawn at a time: 32 MB of indices


def wilson(successes: ArrayLike, trials: ArrayLike, *, level: float = 0.95) -> tuple[Any, Any]:
    """Interval of a proportion. Wilson 1927, J. Am. Stat. Assoc. 22, 209-212; without continuity correction.

    successes, trials: counts that broadcast, 0 <= successes <= trials. level: in (0, 1).
    Returns (low, high) in [0, 1], floats for two scalars and otherwise arrays; (0, 1) where there was no
    trial. Raises ValueError.
    """
    hits, total = _counts(successes, trials)
    z2 = _quantile(level) ** 2
    some = np.maximum(total, 1.0)
    share = hits / some
    centre = (share + z2 / (2 * some)) / (1 + z2 / some)
    reach = np.sqrt(z2 * (share * (1 - share) / some + z2 / (4 * some**2))) / (1 + z2 / some)
    # The formula gives these ends only up to rounding.
    low = np.where((total == 0) | (hits == 0), 0.0, np.clip(centre - reach, 0, share))
    high = np.where((total == 0) | (hits == total), 1.0, np.clip(centre + reach, share, 1))
    return low[()], high[()]


def difference_interval(
    s1: ArrayLike, n1: ArrayLike, s2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> tuple[Any, Any]:
    """Interval of s1/n1 - s2/n2 of two independent samples: hybrid score.

    Newcombe 1998, Statistics in Medicine 17, 873-890, method 10. Counts that broadcast. Returns (low, high)
    in [-1, 1]; where a sample is empty its proportion may be anything, and the interval says so. Raises
    ValueError.
    """
    (low1, high1), (low2, high2) = wilson(s1, n1, level=level), wilson(s2, n2, level=level)
    first, second = _share(s1, n1), _share(s2, n2)
    low = first - second - np.hypot(first - low1, high2 - second)
    high = first - second + np.hypot(high1 - first, second - low2)
    return np.clip(low, -1, 1)[()], np.clip(high, -1, 1)[()]


def consistent(s1: int, n1: int, s2: int, n2: int) -> bool:
    """Whether two independent samples may come from one proportion: the 95 % interval of the difference
    contains 0."""
    low, high = difference_interval(s1, n1, s2, n2)
    return bool(low <= 0 <= high)


def paired_difference_interval(
    both: ArrayLike, only_a: ArrayLike, only_b: ArrayLike, neither: ArrayLike, *, level: float = 0.95
) -> tuple[Any, Any]:
    """Interval of the difference of two proportions, a - b, measured on the same cases.

    Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10: the hybrid score interval, narrowed by the
    correlation of the two answers. The four counts of cases broadcast. Returns (low, high) in [-1, 1], which
    is (-1, 1) where there is no case. Raises ValueError.
    """
    a, b, c, d = (np.asarray(count, dtype=np.float64) for count in (both, only_a, only_b, neither))
    total = a + b + c + d
    (low1, high1), (low2, high2) = wilson(a + b, total, level=level), wilson(a + c, total, level=level)
    first, second = _share(a + b, total), _share(a + c, total)
    agreement = a * d - b * c
    agreement = np.where(agreement > 0, np.maximum(agreement - total / 2, 0), agreement)
    margins = np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    correlation = np.where(margins > 0, agreement / np.where(margins > 0, margins, 1), 0)

    def reach(one: Array, other: Array) -> Array:
        return np.sqrt(np.maximum(one**2 - 2 * correlation * one * other + other**2, 0))

    low = first - second - reach(first - low1, high2 - second)
    high = first - second + reach(high1 - first, second - low2)
    low, high = np.where(total > 0, low, -1), np.where(total > 0, high, 1)
    return np.clip(low, -1, 1)[()], np.clip(high, -1, 1)[()]


@dataclass(frozen=True)
class McNemar:
    """Two classifiers on the same cases: what only one of them got wrong, and whether that is chance."""

    only_a: int  # cases
    only_b: int
    p_value: float  # two-sided


def mcnemar(a_wrong: ArrayLike, b_wrong: ArrayLike) -> McNemar:
    """Whether two classifiers err equally often. McNemar 1947, Psychometrika 12, 153-157.

    a_wrong, b_wrong: (n,) bool, the same cases in the same order. Exact binomial test below 25 discordant
    pairs, chi-squared with continuity correction from there on. Raises ValueError if the shapes differ.
    """
    a, b = np.asarray(a_wrong, dtype=bool), np.asarray(b_wrong, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"expected two (n,) arrays of one length, got {a.shape} and {b.shape}")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    discordant = only_a + only_b
    if discordant == 0:
        return McNemar(only_a, only_b, 1.0)
    if discordant < EXACT_DISCORDANT:
        return McNemar(only_a, only_b, float(stats.binomtest(only_a, discordant).pvalue))
    statistic = max(abs(only_a - only_b) - 1, 0) ** 2 / discordant
    return McNemar(only_a, only_b, float(stats.chi2.sf(statistic, 1)))


def paired_bootstrap(
    values_a: ArrayLike,
    values_b: ArrayLike | None = None,
    *,
    seed: int,
    statistic: Literal["mean", "median"] = "mean",
    samples: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic of a, or of a - b of the same cases.

    Efron & Tibshirani 1993, chapter 13. values_a, values_b: (n,) finite, n >= 1. Cases are drawn with
    replacement, so that a case keeps both its values. Raises ValueError.
    """
    values = np.asarray(values_a, dtype=np.float64)
    if values_b is not None:
        other = np.asarray(values_b, dtype=np.float64)
        if other.shape != values.shape:
            raise ValueError(f"expected two arrays of one length, got {values.shape} and {other.shape}")
        values = values - other
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"expected (n,) finite values, n >= 1, got {values.shape}")
    if (values == values[0]).all():
        return float(values[0]), float(values[0])
    found = stats.bootstrap(
        (values,),
        {"mean": np.mean, "median": np.median}[statistic],
        n_resamples=samples,
        batch=max(1, BOOTSTRAP_BATCH // len(values)),
        confidence_level=_checked(level),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def mann_whitney(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    """Whether values of one sample tend to exceed those of another. Mann & Whitney 1947.

    a: (n,), b: (m,), both not empty. Returns (u, p): how often a value of a exceeds one of b, ties by half,
    and the two-sided p-value. Raises ValueError.
    """
    found = stats.mannwhitneyu(_sample(a), _sample(b), alternative="two-sided", method="auto")
    return float(found.statistic), float(found.pvalue)


def holm(p_values: ArrayLike) -> Array:
    """p-values that hold for all tests of a family together, (n,), in the order given.

    Holm 1979, Scandinavian Journal of Statistics 6, 65-70: sorted, the i-th smallest of n times n - i + 1, at
    least as large as those before it, at most 1. Raises ValueError outside [0, 1].
    """
    values = np.atleast_1d(np.asarray(p_values, dtype=np.float64))
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("expected p-values from 0 to 1")
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(steps, 1)
    return corrected


def cliffs_delta(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> tuple[float, float, float]:
    """How often a value of one sample exceeds one of another, less how often it falls below: in [-1, 1].

    a: (n,), b: (m,), both not empty. Returns (delta, low, high) with the asymmetric interval of Cliff 1993,
    Psychological Bulletin 114, 494-509 (equations 6 to 8). Raises ValueError.
    """
    first, second = np.sort(_sample(a)), np.sort(_sample(b))
    n, m = len(first), len(second)
    rows = _dominance(first, second)  # of each value of a over b
    columns = -_dominance(second, first)
    delta = float(rows.mean())
    z = _quantile(level)
    if abs(delta) == 1:  # no overlap: the variance is 0 whatever the size of the samples
        inner = (min(n, m) - z**2) / (min(n, m) + z**2)
        return delta, *((inner, 1.0) if delta > 0 else (-1.0, -inner))
    if n == 1 or m == 1:  # no variance can be estimated from one value
        return delta, -1.0, 1.0
    equal = np.searchsorted(second, first, "right") - np.searchsorted(second, first, "left")
    cells = n * m * (1 - delta**2) - float(equal.sum())  # sum over pairs of (d_ij - delta)^2
    spread = m**2 * ((rows - delta) ** 2).sum() + n**2 * ((columns - delta) ** 2).sum() - cells
    variance = max(spread / (n * m * (n - 1) * (m - 1)), (1 - delta**2) / (n * m - 1))
    reach = z * np.sqrt(variance * ((1 - delta**2) ** 2 + z**2 * variance))
    scale = 1 - delta**2 + z**2 * variance
    low, high = (delta - delta**3 - reach) / scale, (delta - delta**3 + reach) / scale
    return delta, float(max(low, -1.0)), float(min(high, 1.0))


def _dominance(values: Array, others: Array) -> Array:
    """Share of `others` (sorted) below each value, less the share above it: (n,) in [-1, 1]."""
    below = np.searchsorted(others, values, "left")
    above = len(others) - np.searchsorted(others, values, "right")
    return np.asarray((below - above) / len(others), dtype=np.float64)


def _sample(values: ArrayLike) -> Array:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample) or np.isnan(sample).any():
        raise ValueError(f"expected (n,) numbers, n >= 1, got {sample.shape}")
    return sample


def _counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Array, Array]:
    hits, total = np.broadcast_arrays(
        np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    )
    if not ((hits >= 0) & (hits <= total) & np.isfinite(total)).all():
        raise ValueError(f"expected 0 <= successes <= trials, got {successes!r} of {trials!r}")
    return hits, total


def _share(successes: ArrayLike, trials: ArrayLike) -> Array:
    hits, total = _counts(successes, trials)
    return hits / np.maximum(total, 1.0)


def _checked(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}")
    return level


def _quantile(level: float) -> float:
    """Two-sided quantile of the standard normal distribution: 1.96 of 0.95."""
    return float(stats.norm.ppf((1 + _checked(level)) / 2))
