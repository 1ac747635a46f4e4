"""L-BFGS and its line search keep their promises on functions whose minimum is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from blindspots.science.descent import CURVATURE, Descent, StopReason, begin, line_search, minimise


def rosenbrock(point: Tensor) -> tuple[float, Tensor]:
    x, y = (float(value) for value in point)
    slope = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2, torch.tensor(slope, dtype=torch.float64)


def quadratic(point: Tensor) -> tuple[float, Tensor]:
    return float(point.square().sum()), 2 * point


@pytest.mark.parametrize("first", [1e-6, 1e-2, 1.0, 50.0])
@pytest.mark.parametrize("start", [(-1.2, 1.0), (0.0, 0.0), (2.0, -3.0)])
def test_line_search_meets_the_strong_wolfe_conditions(start: tuple[float, float], first: float) -> None:
    descent = begin(rosenbrock, torch.tensor(start, dtype=torch.float64))
    direction = -descent.gradient
    found = line_search(rosenbrock, descent, direction, first)
    assert found is not None
    length, value, gradient = found
    slope = float(descent.gradient @ direction)
    assert value <= descent.value + 1e-4 * length * slope
    assert abs(float(gradient @ direction)) <= CURVATURE * abs(slope)


def test_a_direction_that_rises_is_refused() -> None:
    descent = begin(quadratic, torch.ones(2, dtype=torch.float64))
    assert line_search(quadratic, descent, descent.gradient, 1.0) is None


def minimum(
    objective: Callable[[Tensor], tuple[float, Tensor]], start: list[float], **changes: Any
) -> tuple[Descent, StopReason]:
    descent = begin(objective, torch.tensor(start, dtype=torch.float64))
    settings: dict[str, Any] = {
        "history": 5, "max_iterations": 200, "gradient_tolerance": 1e-7, "relative_loss_tolerance": 0.0,
        "report": lambda _: None,
    }  # fmt: skip
    return descent, minimise(objective, descent, **{**settings, **changes})


def test_lbfgs_finds_the_end_of_a_curved_valley() -> None:
    descent, reason = minimum(rosenbrock, [-1.2, 1.0])
    assert reason is StopReason.GRADIENT
    np.testing.assert_allclose(descent.point, [1, 1], atol=1e-6)
    assert descent.iteration < 60


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"max_iterations": 3}, StopReason.CAP),
        ({"gradient_tolerance": 1e3}, StopReason.GRADIENT),
        ({"relative_loss_tolerance": 0.5, "gradient_tolerance": 0.0}, StopReason.LOSS),
    ],
)
def test_training_says_why_it_stopped(changes: dict[str, Any], expected: StopReason) -> None:
    _, reason = minimum(rosenbrock, [-1.2, 1.0], **changes)
    assert reason is expected
    assert reason.value.endswith(".")


def test_the_limit_of_32_bits_is_told_from_convergence() -> None:
    def rounded(point: Tensor) -> tuple[float, Tensor]:
        value, gradient = rosenbrock(point.float().double())
        return float(np.float32(1 + value)), gradient

    _, reason = minimum(rounded, [-1.2, 1.0], gradient_tolerance=0.0, relative_loss_tolerance=-1.0)
    assert reason is StopReason.PRECISION
