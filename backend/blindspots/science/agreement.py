"""Whether people agree on what they saw: Krippendorff's alpha, for any number of viewers and gaps between."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Agreement:
    """1: always the same answer; 0: as if everybody drew from all answers by chance; below 0: worse."""

    alpha: float  # nan where nothing can be compared, or where all answers are the same
    low: float
    high: float
    subjects: int  # that at least two viewers answered
    answers: int  # about those


def krippendorff_alpha(counts: npt.ArrayLike) -> float:
    """Agreement on nominal answers. Krippendorff 2004, Content Analysis, 2nd ed., section 11.3.

    counts: (subjects, categories), how many viewers gave each answer to each subject; subjects with fewer
    than two answers say nothing and are left out. Returns 1 - observed / expected disagreement, nan where the
    expected one is 0 or nothing can be compared. Raises ValueError for negative counts.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or (table < 0).any():
        raise ValueError("expected counts (subjects, categories), none negative")
    table = table[table.sum(axis=1) >= 2]
    viewers = table.sum(axis=1)
    total = viewers.sum()
    if total == 0:
        return float("nan")
    same = (table * (table - 1)).sum(axis=1) / (viewers - 1)
    observed = 1 - same.sum() / total
    share = table.sum(axis=0)
    expected = 1 - (share * (share - 1)).sum() / (total * (total - 1))
    return float("nan") if expected <= 0 else float(1 - observed / expected)


def agreement(counts: npt.ArrayLike, *, seed: int, samples: int = 2000, level: float = 0.95) -> Agreement:
    """Alpha with a percentile interval by drawing subjects again, with replacement.

    Samples in which every answer is the same have no alpha and are left out.
    """
    table = np.asarray(counts, dtype=np.float64)
    table = table[table.sum(axis=1) >= 2]
    found = krippendorff_alpha(table)
    low = high = float("nan")
    if np.isfinite(found) and len(table) > 1:
        random = np.random.default_rng(seed)
        drawn = [
            krippendorff_alpha(table[random.integers(0, len(table), len(table))]) for _ in range(samples)
        ]
        finite = np.array(drawn)[np.isfinite(drawn)]
        if len(finite):
            low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Agreement(found, float(low), float(high), len(table), int(table.sum()))


def counted(answers: Sequence[tuple[str, str]], categories: Sequence[str]) -> npt.NDArray[np.int64]:
    """(subject, answer) pairs as counts (subjects, categories), subjects as they first appear."""
    subjects = {subject: place for place, subject in enumerate(dict.fromkeys(each for each, _ in answers))}
    table = np.zeros((len(subjects), len(categories)), dtype=np.int64)
    for subject, answer in answers:
        table[subjects[subject], categories.index(answer)] += 1
    return table
