"""A walk along the decision boundary to its point nearest to the original.

Its measure is Euclidean; it is not the paper's objective.

Each tick evaluates the margin m and its gradient at x, averages the gradient into a slope g, pulls x towards
the original x0 and projects the result exactly onto the half-space and box {u in [0, 1]^d: g.(u - x) + m <=
-excess}: one root in one variable. Fixed points are the Kuhn-Tucker points x = clip(x0 - mu g) of min ||x -
x0||, m(x) = 0.

The pull is 0.6 while the boundary is smooth: full steps (Moosavi-Dezfooli et al. 2016, DeepFool, from the
original each time) swing about a curved one. Where the slope keeps turning, between the many small facets of
a piecewise linear network or between rival classes at a tie, the pull falls and the average grows longer, row
by row. While the walk is young the margin's gradient is also smoothed over rivals by a temperature. The aim
lies past the boundary by an excess that falls from 1 % to 0.01 % of the first margin. Every shorter image
that reaches the goal is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from blindspots.science import boxed, kernels
from blindspots.science.attacks.goals import Goals
from blindspots.science.measures import Classifier

CALM = 0.3  # ticks of age per tick where the boundary is smooth; 1 where it is rough
AVERAGING = (0.2, 0.5)  # share of the old slope, where the boundary is smooth and where it is rough
PULL = (0.6, 0.03)
ROUGH = 0.001  # a slope that turns by more than the root of this share, tick after tick, has facets
TEMPERATURE = (0.1, 0.003)  # of the first margin
EXCESS = (1e-2, 1e-4)  # of the first margin
SMALLEST_MARGIN = 1e-3  # in logits: the scale of an image that starts at the boundary
PER_ROW = (
    "original", "scale", "x", "slope", "weight", "size", "turned", "age", "best", "best_square", "trace"
)  # fmt: skip


@dataclass
class Walk:
    """The walks of n rows. x, best: (n, d) float32; `best_square` (n,) is infinite until a goal was reached.

    weight: (n,) the c at which this x solves the attack's own problem, min c ||r||^2 + softplus(margin):
    there the gradient of the loss is half that of the margin, so 4 c (x - x0) = -slope. size: (n,) squared
    length of the last change evaluated. trace: (n, ticks, 4), weight, distortion, loss and success at each
    tick.
    """

    original: Tensor
    shape: tuple[int, ...]
    goals: Goals
    scale: Tensor
    x: Tensor
    slope: Tensor
    weight: Tensor
    size: Tensor
    turned: Tensor
    age: Tensor
    best: Tensor
    best_square: Tensor
    trace: Tensor
    fused: bool
    ticks: int = 0

    def rows(self, index: Tensor) -> "Walk":
        """The walks of some rows only, in that order."""
        columns: dict[str, Any] = {name: getattr(self, name)[index] for name in PER_ROW}
        return replace(self, goals=self.goals.rows(index), **columns)


def start_walk(
    images: Tensor, start: Tensor, goals: Goals, *, margin: Tensor, ticks: int, fused: bool
) -> Walk:
    """Walks from `start` (n, c, h, w); margin: (n,) at the images, the scale of the walk."""
    original = images.flatten(1).contiguous()
    x = start.flatten(1).clone()
    return Walk(
        original=original,
        shape=tuple(images.shape[1:]),
        goals=goals,
        scale=margin.clamp(min=SMALLEST_MARGIN),
        x=x,
        slope=torch.zeros_like(x),
        weight=torch.zeros(len(x), device=x.device),
        size=torch.zeros(len(x), device=x.device),
        turned=torch.zeros(len(x), device=x.device),
        age=torch.zeros(len(x), device=x.device),
        best=x.clone(),
        best_square=torch.full((len(x),), float("inf"), device=x.device),
        trace=torch.full((len(x), ticks, 4), float("nan"), device=x.device),
        fused=fused,
    )


def walk(model: Classifier, rows: Walk, *, until: int, of: int, tick: Callable[[], None]) -> None:
    """Walk on to tick `until` of a schedule of `of` ticks; one forward and backward pass each, then
    `tick()`."""
    step = kernels if rows.fused else boxed
    while rows.ticks < until:
        share = rows.ticks / max(of - 1, 1)
        temperature = rows.scale[:, None] * _falling(TEMPERATURE, share)
        x = rows.x.reshape(-1, *rows.shape).detach().requires_grad_(True)
        with torch.enable_grad():
            logits = model(x)
        answers = logits.detach()
        shares = rows.goals.shares(answers, temperature)
        (gradient,) = torch.autograd.grad(logits, x, shares)
        reached = rows.goals.reached(answers)
        step.keep_shorter(rows.best, rows.best_square, rows.x, rows.original, reached, False)
        rough = rows.turned / (rows.turned + ROUGH) if rows.ticks > 1 else torch.zeros_like(rows.turned)
        rows.age += rough.clamp(min=CALM)
        pull = PULL[0] * (PULL[1] / PULL[0]) ** (rows.age / max(of - 1, 1))
        averaging = AVERAGING[0] + (AVERAGING[1] - AVERAGING[0]) * rough if rows.ticks else rough
        excess = rows.scale * _falling(EXCESS, share)
        margin, weight = rows.goals.margin(answers), rows.weight.clone()
        step.walk_step(
            rows.x, rows.original, rows.slope, gradient.flatten(1).contiguous(), margin, excess,
            rows.weight, rows.size, rows.turned, pull, averaging,
        )  # fmt: skip
        distance = (rows.size / rows.x.shape[1]).sqrt()
        rows.trace[:, rows.ticks] = torch.stack([weight, distance, softplus(margin), reached.float()], dim=1)
        rows.ticks += 1
        tick()


def _falling(ends: tuple[float, float], share: float) -> float:
    """From the first end to the second, geometrically."""
    return ends[0] * (ends[1] / ends[0]) ** share
