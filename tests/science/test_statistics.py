"""Intervals and tests: against scipy, closed forms, published examples and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from blindspots.science.statistics import (
    cliffs_delta,
    consistent,
    difference_interval,
    holm,
    mann_whitney,
    mcnemar,
    paired_bootstrap,
    paired_difference_interval,
    wilson,
)

counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
samples = st.lists(st.integers(-5, 5), min_size=2, max_size=30)


@given(counts, st.sampled_from([0.8, 0.95, 0.999]))
def test_wilson_is_scipys(case: tuple[int, int], level: float) -> None:
    hits, trials = case
    expected = stats.binomtest(hits, trials).proportion_ci(level, method="wilson")
    assert wilson(hits, trials, level=level) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(counts)
def test_wilson_contains_the_share_and_mirrors(case: tuple[int, int]) -> None:
    hits, trials = case
    low, high = wilson(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    assert wilson(trials - hits, trials) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.integers(1, 10**6))
def test_wilson_reaches_the_ends_exactly(trials: int) -> None:
    assert wilson(0, trials)[0] == 0
    assert wilson(trials, trials)[1] == 1


@given(counts, st.integers(2, 20))
def test_more_trials_of_one_share_narrow_the_interval(case: tuple[int, int], factor: int) -> None:
    hits, trials = case
    low, high = wilson(hits, trials)
    narrow_low, narrow_high = wilson(factor * hits, factor * trials)
    assert narrow_high - narrow_low < high - low


def test_wilson_takes_arrays_and_empty_samples() -> None:
    low, high = wilson([0, 5, 0], [10, 10, 0])
    assert low.shape == high.shape == (3,)
    assert (low[2], high[2]) == (0, 1)


@pytest.mark.parametrize(("hits", "trials"), [(-1, 3), (4, 3), (1, math.inf), (math.nan, 3)])
def test_wilson_refuses_what_is_no_count(hits: float, trials: float) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(hits, trials)


@pytest.mark.parametrize("level", [0, 1, -0.5, math.nan])
def test_a_level_is_between_0_and_1(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=level)


@pytest.mark.parametrize(
    ("counts_1", "counts_2", "expected"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_difference_interval_of_newcombes_table_ii(
    counts_1: tuple[int, int], counts_2: tuple[int, int], expected: tuple[float, float]
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10."""
    assert difference_interval(*counts_1, *counts_2) == pytest.approx(expected, abs=5e-5)


@given(counts, counts)
def test_difference_contains_the_estimate_and_swaps(one: tuple[int, int], two: tuple[int, int]) -> None:
    low, high = difference_interval(*one, *two)
    estimate = one[0] / one[1] - two[0] / two[1]
    assert -1 <= low <= estimate + 1e-12
    assert estimate - 1e-12 <= high <= 1
    assert difference_interval(*two, *one) == pytest.approx((-high, -low), abs=1e-12)


@given(counts, st.integers(1, 50))
def test_equal_shares_are_consistent(case: tuple[int, int], factor: int) -> None:
    hits, trials = case
    assert consistent(hits, trials, factor * hits, factor * trials)


def test_consistent_tells_far_from_near() -> None:
    assert consistent(16, 256, 20, 256)
    assert not consistent(16, 256, 60, 256)


@pytest.mark.parametrize(("share_1", "share_2"), [(0.05, 0.05), (0.1, 0.3), (0.5, 0.45)])
def test_difference_interval_covers_what_it_says(share_1: float, share_2: float) -> None:
    rng = np.random.default_rng(1)
    one, two = rng.binomial(60, share_1, 20_000), rng.binomial(90, share_2, 20_000)
    low, high = difference_interval(one, 60, two, 90)
    assert ((low <= share_1 - share_2) & (share_1 - share_2 <= high)).mean() == pytest.approx(0.955, abs=0.02)


def test_wilson_covers_what_it_says() -> None:
    low, high = wilson(np.random.default_rng(2).binomial(256, 0.11, 20_000), 256)
    assert ((low <= 0.11) & (high >= 0.11)).mean() == pytest.approx(0.95, abs=0.015)


@given(*[st.integers(0, 200)] * 4)
def test_paired_interval_contains_the_estimate_and_swaps(both: int, a: int, b: int, neither: int) -> None:
    total = both + a + b + neither
    low, high = paired_difference_interval(both, a, b, neither)
    if total == 0:
        assert (low, high) == (-1, 1)
        return
    assert low <= (a - b) / total + 1e-12
    assert high >= (a - b) / total - 1e-12
    assert paired_difference_interval(both, b, a, neither) == pytest.approx((-high, -low), abs=1e-12)


def test_paired_interval_covers_and_is_narrower_than_the_independent_one() -> None:
    drawn = np.random.default_rng(3).multinomial(100, [0.4, 0.15, 0.05, 0.4], 20_000).T
    low, high = paired_difference_interval(*drawn)
    assert ((low <= 0.1) & (high >= 0.1)).mean() == pytest.approx(0.96, abs=0.02)
    independent = difference_interval(drawn[0] + drawn[1], 100, drawn[0] + drawn[2], 100)
    assert (high - low).mean() < 0.8 * (independent[1] - independent[0]).mean()


def test_paired_interval_without_correlation_is_the_independent_one() -> None:
    # 25 of each kind: the two answers are independent, so that pairing gains nothing.
    assert paired_difference_interval(25, 25, 25, 25) == pytest.approx(
        difference_interval(50, 100, 50, 100), abs=1e-12
    )


def test_mcnemar_of_few_pairs_is_the_exact_binomial_test() -> None:
    a = np.array([True] * 9 + [False] * 1 + [True] * 5 + [False] * 7)
    b = np.array([False] * 9 + [True] * 1 + [True] * 5 + [False] * 7)
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b) == (9, 1)
    assert found.p_value == pytest.approx(2 * (1 + 10) / 2**10)


def test_mcnemar_of_many_pairs_is_the_corrected_chi_squared_test() -> None:
    """Agresti 1990, table 10.1: 86 and 150 discordant; McNemar's z^2 is 17.36, 16.82 with correction."""
    a = np.array([True] * 86 + [False] * 150)
    found = mcnemar(a, ~a)
    assert found.p_value == pytest.approx(stats.chi2.sf((64 - 1) ** 2 / 236, 1), rel=1e-12)
    assert found.p_value == mcnemar(~a, a).p_value


def test_mcnemar_of_equal_answers_finds_nothing() -> None:
    wrong = np.array([True, False, True])
    assert mcnemar(wrong, wrong).p_value == 1
    with pytest.raises(ValueError, match="one length"):
        mcnemar(wrong, wrong[:2])


def test_bootstrap_of_a_mean_is_the_normal_interval_of_many_values() -> None:
    values = np.random.default_rng(4).normal(3, 2, 4000)
    low, high = paired_bootstrap(values, seed=5)
    reach = 1.96 * values.std() / math.sqrt(4000)
    assert (low, high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.1 * reach)


def test_bootstrap_keeps_the_pairs() -> None:
    a = np.random.default_rng(6).normal(0, 10, 200)
    b = a - 1 + np.random.default_rng(7).normal(0, 0.1, 200)
    low, high = paired_bootstrap(a, b, seed=8)
    assert 0.95 < low < (a - b).mean() < high < 1.05
    assert paired_bootstrap(a, b, seed=8) == (low, high)
    assert paired_bootstrap(b, a, seed=8) == pytest.approx((-high, -low), abs=0.005)


def test_bootstrap_repeats_and_a_median_is_not_a_mean() -> None:
    values = np.random.default_rng(9).random(3000)
    whole = paired_bootstrap(values, seed=1, samples=500)
    assert whole == paired_bootstrap(values, seed=1, samples=500)
    assert paired_bootstrap(values, seed=1, samples=500, statistic="median") != whole


@pytest.mark.parametrize("values", [[2.0], [2.0, 2.0, 2.0]])
def test_bootstrap_of_one_value_is_that_value(values: list[float]) -> None:
    assert paired_bootstrap(values, seed=0) == (2, 2)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [[1.0, 2.0]]])
def test_bootstrap_refuses_what_has_no_mean(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        paired_bootstrap(values, seed=0)


@given(samples, samples)
def test_cliffs_delta_is_the_share_above_less_the_share_below(a: list[int], b: list[int]) -> None:
    delta, low, high = cliffs_delta(a, b)
    pairs = np.sign(np.subtract.outer(a, b))
    assert delta == pytest.approx(pairs.mean(), abs=1e-12)
    assert low <= delta + 1e-12
    assert high >= delta - 1e-12
    assert cliffs_delta(b, a) == pytest.approx((-delta, -high, -low), abs=1e-12)


@given(samples, samples)
def test_mann_whitney_and_cliffs_delta_say_the_same(a: list[int], b: list[int]) -> None:
    u, p_value = mann_whitney(a, b)
    assert 2 * u / (len(a) * len(b)) - 1 == pytest.approx(cliffs_delta(a, b)[0], abs=1e-12)
    assert 0 <= p_value <= 1 + 1e-12


def test_cliffs_delta_covers_what_it_says() -> None:
    rng = np.random.default_rng(10)
    truth = 2 * stats.norm.cdf(0.8 / math.sqrt(2)) - 1  # of two unit normals 0.8 apart
    found = [cliffs_delta(rng.normal(0.8, 1, 40), rng.normal(0, 1, 30))[1:] for _ in range(1500)]
    assert np.mean([low <= truth <= high for low, high in found]) == pytest.approx(0.95, abs=0.03)


def test_cliffs_delta_of_samples_apart_still_has_an_interval() -> None:
    delta, low, high = cliffs_delta([5, 6, 7, 8, 9], [1, 2, 3, 4])
    assert (delta, high) == (1, 1)
    assert low == pytest.approx((4 - 1.96**2) / (4 + 1.96**2), abs=1e-3)
    with pytest.raises(ValueError, match="n >= 1"):
        cliffs_delta([], [1])


def test_holm_corrects_for_all_tests_together() -> None:
    """Against the definition: the largest corrected value of all hypotheses that are at least as likely."""
    random = np.random.default_rng(5)
    for size in (1, 2, 7, 30):
        p_values = random.random(size) ** 3
        order = sorted(range(size), key=lambda place: p_values[place])
        expected = np.empty(size)
        for rank, place in enumerate(order):
            steps = [p_values[order[each]] * (size - each) for each in range(rank + 1)]
            expected[place] = min(1.0, max(steps))
        np.testing.assert_allclose(holm(p_values), expected)
    assert len(holm([])) == 0
    with pytest.raises(ValueError, match="0 to 1"):
        holm([1.5])
