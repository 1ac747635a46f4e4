"""The arithmetic under the attack: twins agree, gradients are gradients, projections are projections."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from blindspots.science import boxed, kernels, lbfgs
from blindspots.science.attacks.goals import Goals, goals
from blindspots.science.attacks.norm_terms import norm_term, norm_value

ROWS, PIXELS, MEMORY = 6, 30, 4


def uniform(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(shape, np.float32))


@pytest.mark.parametrize("norm", ["sq_l2", "l2", "l1"])
def test_the_norm_terms_gradient_is_its_finite_difference(norm: str) -> None:
    original, x, c = (
        uniform(0, ROWS, PIXELS).double(),
        uniform(1, ROWS, PIXELS).double(),
        torch.full((ROWS,), 0.7),
    )
    pull, stiffness = norm_term(x - original, c.double(), norm)  # type: ignore[arg-type]
    gradient = pull * (x - original)
    direction = uniform(2, ROWS, PIXELS).double() - 0.5
    up = norm_value(x + 1e-6 * direction, original, norm)  # type: ignore[arg-type]
    down = norm_value(x - 1e-6 * direction, original, norm)  # type: ignore[arg-type]
    torch.testing.assert_close((gradient * direction).sum(1), 0.7 * (up - down) / 2e-6, rtol=1e-5, atol=1e-7)
    assert (stiffness > 0).all()


@pytest.mark.parametrize("kind", ["targeted", "untargeted", "pair"])
def test_the_losses_gradient_is_its_derivative(kind: str) -> None:
    logits = (4 * uniform(3, ROWS, 10).double()).requires_grad_(True)
    labels = torch.arange(ROWS)
    targets = labels + 1 if kind == "targeted" else torch.full_like(labels, -1)
    aims = goals(labels, targets, classes=10, rivals=labels + 2 if kind == "pair" else None)
    loss, by_logits = aims.cross_entropy(logits)
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    torch.testing.assert_close(by_logits, gradient)
    if kind == "targeted":
        torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, targets, reduction="none"))
    if kind == "untargeted":
        own = logits.softmax(1).gather(1, labels[:, None])[:, 0]
        torch.testing.assert_close(loss, -torch.log(1 - own))


def test_a_negative_margin_means_the_wanted_answer() -> None:
    logits = uniform(4, 500, 5)
    labels, targets = torch.arange(500) % 5, (torch.arange(500) + 2) % 5
    aims: Goals = goals(labels, targets, classes=5)
    assert torch.equal(aims.margin(logits) < 0, logits.argmax(1) == targets)
    untargeted = goals(labels, torch.full_like(labels, -1), classes=5)
    assert torch.equal(untargeted.margin(logits) < 0, logits.argmax(1) != labels)


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.floats(0.01, 3.0), st.floats(0.0, 0.9))
def test_a_walk_step_projects_onto_half_space_and_box(seed: int, margin: float, pull: float) -> None:
    """Against the projection's own conditions: in the box, on the plane, and moved along the normal only."""
    x, original, slope = (
        uniform(seed, ROWS, PIXELS),
        uniform(seed + 1, ROWS, PIXELS),
        uniform(seed + 2, ROWS, PIXELS),
    )
    slope = slope - 0.5
    moved = {}
    for name, step in (("compiled", kernels), ("torch", boxed)):
        u, size, weight, turned = x.clone(), torch.zeros(ROWS), torch.zeros(ROWS), torch.zeros(ROWS)
        step.walk_step(
            u, original, torch.zeros_like(slope), slope, torch.full((ROWS,), margin), torch.zeros(ROWS),
            weight, size, turned, torch.full((ROWS,), pull), torch.zeros(ROWS),
        )  # fmt: skip
        moved[name] = u
        assert ((u >= 0) & (u <= 1)).all()
        torch.testing.assert_close(size, (x - original).square().sum(1))
        v = x + pull * (original - x)
        level = (slope * x).sum(1) - margin
        reach = (slope * torch.where(slope > 0, 0.0, 1.0)).sum(1)
        inside = (slope * u).sum(1) <= level + 0.01 * margin
        assert (inside | (reach > level)).all()
        free = (u > 0) & (u < 1) & (slope.abs() > 1e-2)
        multiplier = torch.where(free, (v - u) / slope, torch.nan)
        spread = torch.nan_to_num(multiplier - multiplier.nanmedian(dim=1, keepdim=True).values)
        assert (spread.abs() < 1e-2 * (1 + multiplier.nan_to_num().abs())).all()
    feasible = (slope * torch.where(slope > 0, 0.0, 1.0)).sum(1) <= (slope * x).sum(1) - 1.01 * margin
    moves = {
        name: (u - v).norm(dim=1)[feasible] for name, u in moved.items()
    }  # what the projection minimises
    torch.testing.assert_close(moves["compiled"], moves["torch"], rtol=1e-2, atol=1e-4)


def histories(seed: int, hessian: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs of a quadratic loss with this (PIXELS, PIXELS) Hessian, pushed one by one."""
    steps, changes = torch.zeros(ROWS, MEMORY, PIXELS), torch.zeros(ROWS, MEMORY, PIXELS)
    pushed = torch.zeros(ROWS, dtype=torch.int64)
    for turn in range(count):
        x, trial = uniform(seed + turn, ROWS, PIXELS), uniform(seed + 50 + turn, ROWS, PIXELS)
        used = torch.ones(ROWS, dtype=torch.bool)
        lbfgs.push_pair(steps, changes, pushed, x, trial, x @ hessian, trial @ hessian, used)
    return steps, changes, pushed


@pytest.mark.parametrize("count", [0, 2, 7])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("curving", [1.0, -1.0])
def test_the_descent_of_both_twins_is_one(count: int, wide: bool, curving: float) -> None:
    root = uniform(9, PIXELS, PIXELS) - 0.5
    steps, changes, pushed = histories(10, curving * root @ root.T, count)
    x, original, gradient = uniform(1, ROWS, PIXELS), uniform(2, ROWS, PIXELS), uniform(3, ROWS, PIXELS) - 0.5
    x = (1.6 * x - 0.3).clamp(0, 1)
    stiffness = 0.5 + uniform(4, ROWS, PIXELS if wide else 1)
    results = []
    for step in (kernels, lbfgs):
        trial, expected, residual = torch.zeros_like(x), torch.zeros(ROWS), torch.zeros(ROWS)
        step.descend(
            trial, x, original, gradient, stiffness, stiffness, steps, changes, pushed, torch.ones(ROWS),
            expected, residual,
        )  # fmt: skip
        results.append((trial, expected, residual))
        assert (expected <= 0).all()
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_along_a_pair_the_step_is_newtons() -> None:
    """On a quadratic with one pair, along that pair: H (y + w s) = s makes the step exact."""
    root = uniform(9, PIXELS, PIXELS) - 0.5
    hessian = root @ root.T
    steps, changes, pushed = histories(10, hessian, 1)
    x = torch.full((ROWS, PIXELS), 0.5)
    stiffness = torch.full((ROWS, 1), 0.8)
    s = 0.1 * steps[:, 0]
    gradient = s @ hessian + 0.8 * s
    trial, expected, residual = torch.zeros_like(x), torch.zeros(ROWS), torch.zeros(ROWS)
    kernels.descend(
        trial,
        x,
        x,
        gradient,
        stiffness,
        stiffness,
        steps,
        changes,
        pushed,
        torch.ones(ROWS),
        expected,
        residual,
    )
    torch.testing.assert_close(trial, x - s, atol=1e-5, rtol=1e-4)


def test_pixels_held_at_their_bounds_stay() -> None:
    x = torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.5]])
    gradient = torch.tensor([[1.0, -1.0, -1.0, 1.0, 0.0]])
    trial, expected, residual = torch.zeros_like(x), torch.zeros(1), torch.zeros(1)
    nothing = torch.zeros(1, MEMORY, 5)
    for step in (kernels, lbfgs):
        step.descend(
            trial, x, x, gradient, torch.ones(1, 1), torch.full((1, 1), 4.0), nothing, nothing,
            torch.zeros(1, dtype=torch.int64), torch.ones(1), expected, residual,
        )  # fmt: skip
        assert trial.tolist() == [[0.0, 1.0, 0.25, 0.75, 0.5]]
        assert residual.item() == pytest.approx(0.25)


@pytest.mark.parametrize("ones", [False, True])
def test_only_shorter_images_that_reach_the_goal_are_kept(ones: bool) -> None:
    original, x = torch.zeros(3, 4), torch.full((3, 4), 0.5)
    reached = torch.tensor([True, False, True])
    for step in (kernels, boxed):
        best, best_size = original.clone(), torch.tensor([float("inf"), float("inf"), 0.1])
        step.keep_shorter(best, best_size, x, original, reached, ones)
        assert best[:, 0].tolist() == [0.5, 0.0, 0.0]
        assert best_size.tolist() == pytest.approx([2.0 if ones else 1.0, float("inf"), 0.1])
