"""Krippendorff's alpha against its published example, against its definition, and against chance."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blindspots.science.agreement import agreement, counted, krippendorff_alpha

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units,
# five categories, answers missing; the paper prints alpha = 0.743.
PUBLISHED = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]


def test_the_published_example() -> None:
    observers = [line.split() for line in PUBLISHED]
    answers = [
        (str(unit), answer) for observer in observers for unit, answer in enumerate(observer) if answer != "."
    ]
    assert krippendorff_alpha(counted(answers, list("12345"))) == pytest.approx(0.743, abs=5e-4)


def by_definition(counts: np.ndarray) -> float:
    """One minus the mean disagreement of pairs within subjects over that of pairs of all answers."""
    within, weights, everything = [], [], []
    for row in counts:
        answers = np.repeat(np.arange(len(row)), row)
        if len(answers) < 2:
            continue
        pairs = list(itertools.permutations(range(len(answers)), 2))
        within += [float(answers[a] != answers[b]) / (len(answers) - 1) for a, b in pairs]
        weights.append(len(answers))
        everything += answers.tolist()
    pairs = itertools.permutations(range(len(everything)), 2)
    expected = np.mean([float(everything[a] != everything[b]) for a, b in pairs])
    return float(1 - (sum(within) / sum(weights)) / expected)


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=2, max_size=6))
def test_it_is_what_its_definition_says(rows: list[list[int]]) -> None:
    counts = np.array(rows)
    used = counts[counts.sum(axis=1) >= 2]
    if (used.sum(axis=0) > 0).sum() < 2:
        assert np.isnan(krippendorff_alpha(counts))
        return
    assert krippendorff_alpha(counts) == pytest.approx(by_definition(counts), abs=1e-12)


def test_chance_answers_agree_as_chance_would() -> None:
    random = np.random.default_rng(0)
    counts = random.multinomial(4, [0.5, 0.5], size=400)
    found = agreement(counts, seed=1, samples=300)
    assert found.low < 0 < found.high
    assert abs(found.alpha) < 0.08
    assert (found.subjects, found.answers) == (400, 1600)


def test_perfect_agreement_is_one() -> None:
    found = agreement([[3, 0], [0, 3], [3, 0]], seed=0)
    assert found.alpha == 1
    assert found.high == 1


def test_one_viewer_agrees_with_nobody() -> None:
    found = agreement([[1, 0], [0, 1]], seed=0)
    assert np.isnan(found.alpha)
    assert found.subjects == 0
