"""Arithmetic of searches inside the box [0, 1]^d, batched in torch, every row on its own.

The same functions stand in `blindspots.science.kernels`, compiled for a CPU; here they are for GPUs: nothing
in them waits for the device. All arrays are (n, d) float32, per-row scalars (n,).
"""

# ruff: noqa: PLR0917  (the kernels that these stand for take arrays by position)

import torch
from torch import Tensor

ROOT_STEPS = 12
FLAT = 1e-30


def keep_shorter(
    best: Tensor, best_size: Tensor, x: Tensor, original: Tensor, reached: Tensor, ones: bool
) -> None:
    """Where `reached` (n,) bool and x is nearer to the original than `best_size` (n,), x becomes the best.

    Sizes are sums of squares, or, with `ones`, sums of absolute values.
    """
    change = x - original
    size = change.abs().sum(dim=1) if ones else change.square().sum(dim=1)
    better = reached & (size < best_size)
    best.copy_(torch.where(better[:, None], x, best))
    best_size.copy_(torch.where(better, size, best_size))


def walk_step(
    x: Tensor,
    original: Tensor,
    slope: Tensor,
    gradient: Tensor,
    margin: Tensor,
    excess: Tensor,
    weight: Tensor,
    size: Tensor,
    turned: Tensor,
    pull: Tensor,
    averaging: Tensor,
) -> None:
    """Pull x towards the original, then project it onto the linearised boundary within the box.

    The boundary is {u: slope.(u - x) + margin + excess <= 0}; slope (changed in place) is a running mean of
    the gradients of the margin, `averaging` (n,) the share of the old, pull (n,) the share of the way.
    Changes x, and weight (n,) to the weight
    c of the norm term at which this x is stationary: x = clip(v - mu slope) with v the pulled point, c = pull
    / 4 mu; size (n,) becomes the squared length of the change before the step, and turned (n,) the squared
    difference of gradient and old slope over that of the slope.
    """
    difference = gradient - slope
    turned.copy_(difference.square().sum(dim=1) / slope.square().sum(dim=1).clamp(min=FLAT))
    slope.add_((1 - averaging)[:, None] * difference)
    change = x - original
    size.copy_(change.square().sum(dim=1))
    v = x - pull[:, None] * change
    level = (slope * x).sum(dim=1) - margin - excess
    root = _root(v, slope, level)
    weight.copy_(pull / (4 * root.clamp(min=FLAT)))
    x.copy_((v - root[:, None] * slope).clamp_(0, 1))


def _root(v: Tensor, g: Tensor, level: Tensor) -> Tensor:
    """The mu >= 0 with g . clip(v - mu g) = level: safeguarded Newton on a falling, piecewise linear
    function."""
    square = g.square().sum(dim=1)
    start = (g * v).sum(dim=1) - level
    low = torch.zeros_like(level)
    high = torch.full_like(level, float("inf"))
    root = (start / square.clamp(min=FLAT)).clamp(min=0)
    for _ in range(ROOT_STEPS):
        free = v - root[:, None] * g
        boxed = free.clamp(0, 1)
        over = (g * boxed).sum(dim=1) - level
        rate = torch.where(free == boxed, g.square(), 0.0).sum(dim=1)
        low = torch.where(over > 0, root, low)
        high = torch.where(over > 0, high, root)
        guess = root + over / rate
        halved = torch.where(high.isfinite(), (low + high) / 2, root)
        inside = (guess > low) & (guess < high) & (rate > FLAT)
        root = torch.where(over == 0, root, torch.where(inside, guess, halved))
    return torch.where((start > 0) & (square > FLAT), root, 0.0)
