"""Whether one way of training is better than another: exact tests, held against enumeration and scipy."""

from itertools import product

import numpy as np
import pytest

from blindspots.science.adversarial_comparison import compare, holm, paired_t, sign_flips
from blindspots.science.statistics import mcnemar


def test_with_one_seed_the_test_over_images_is_mcnemars() -> None:
    random = np.random.default_rng(0)
    first, second = random.random((2, 1, 300)) < [[[0.05]], [[0.09]]]
    found = compare(first, second)
    expected = mcnemar(first[0], second[0])
    assert (found.only_first, found.only_second) == (expected.only_a, expected.only_b)
    assert found.only_first == int((first & ~second).sum())
    assert found.over_images == pytest.approx(expected_exact(expected.only_a, expected.only_b))
    assert found.over_seeds is None
    assert found.p_value == found.over_images


def expected_exact(only_a: int, only_b: int) -> float:
    from scipy.stats import binomtest

    return float(binomtest(only_a, only_a + only_b).pvalue)


@pytest.mark.parametrize(
    "differences", [[1, -1, 2, 3, 0, 5], [2, 2, 2, -1], [0, 0], [3], [-4, -1, -1, -2, 1]]
)
def test_sign_flips_are_all_counted(differences: list[int]) -> None:
    sums = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=len(differences))]
    expected = np.mean([value >= abs(sum(differences)) for value in sums])
    assert sign_flips(np.array(differences)) == pytest.approx(expected)


def test_a_difference_must_outlast_other_seeds_and_other_images() -> None:
    random = np.random.default_rng(1)
    base = random.random((5, 2000)) < 0.1
    better = base & (random.random(base.shape) < 0.7)
    found = compare(better, base)
    assert found.difference < 0
    assert found.p_value == max(found.over_images, found.over_seeds or 0) < 0.01
    assert found.over_seeds_exact == pytest.approx(2 / 2**5), "the least that five seeds allow"
    lucky = base.copy()
    lucky[0] = False  # one seed only
    assert compare(lucky, base).over_images < 0.001
    assert compare(lucky, base).p_value > 0.1


def test_the_t_test_is_scipys_but_for_equal_differences() -> None:
    from scipy.stats import ttest_rel

    first, second = np.array([3.0, 2.0, 4.0, 3.5]), np.array([2.0, 2.5, 1.0, 3.0])
    assert paired_t(first - second) == pytest.approx(ttest_rel(first, second).pvalue)
    assert paired_t(np.zeros(4)) == 1.0
    assert paired_t(np.full(4, 0.25)) == 0.125


def test_holms_correction_on_a_known_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
