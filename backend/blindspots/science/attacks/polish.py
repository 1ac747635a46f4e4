"""A walk along the decision boundary to its point nearest to the original. Euclidean; not the paper's objective.

Each tick evaluates the margin m and its gradient at x, averages the gradient into a slope g, pulls x towards the
original x0 and projects the result exactly onto the half-space and box {u in [0, 1]^d: g.(u - x) + m <= -excess}:
one root in one variable. Fixed points are the Kuhn-Tucker points x = clip(x0 - mu g) of min ||x - x0||, m(x) = 0.

The pull falls from a half to a twentieth: full steps (Moosavi-Dezfooli et al. 2016, DeepFool, from the original each
time) swing about a curved boundary. The average settles a slope between the many small facets of a piecewise linear
network, and between rival classes at a tie, where the nearest point has several gradients in its cone; while the walk
is young the margin's gradient is also smoothed over rivals by a temperature. The aim lies past the boundary by an
excess that falls from 1 % to 0.01 % of the first margin. Every shorter image that reaches the goal is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from blindspots.science import boxed, kernels
from blindspots.science.attacks.goals import Goals
from blindspots.science.measures import Classifier

AVERAGING = 0.5
PULL = (0.5, 0.05)
TEMPERATURE = (0.1, 0.003)  # of the first margin
EXCESS = (1e-2, 1e-4)  # of the first margin
SMALLEST_MARGIN = 1e-3  # in logits: the scale of an image that starts at the boundary


@dataclass
class Walk:
    """The walks of n rows. x, best: (n, d) float32; `best_square` (n,) is infinite until a goal was reached.

    weight: (n,) the c at which this x solves the attack's own problem, min c ||r||^2 + softplus(margin): there the
    gradient of the loss is half that of the margin, so 4 c (x - x0) = -slope. size: (n,) squared length of the last
    change evaluated. trace: (n, ticks, 4), weight, distortion, loss and success at each tick.
    """

    original: Tensor
    shape: tuple[int, ...]
    goals: Goals
    scale: Tensor
    x: Tensor
    slope: Tensor
    weight: Tensor
    size: Tensor
    best: Tensor
    best_square: Tensor
    trace: Tensor
    fused: bool
    ticks: int = 0

    def rows(self, index: Tensor) -> "Walk":
        """The walks of some rows only, in that order."""
        columns = (
            self.scale, self.x, self.slope, self.weight, self.size, self.best, self.best_square, self.trace
        )  # fmt: skip
        chosen = [column[index] for column in columns]
        return Walk(
            self.original[index],
            self.shape,
            self.goals.rows(index),
            *chosen,
            fused=self.fused,
            ticks=self.ticks,
        )


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
        best=x.clone(),
        best_square=torch.full((len(x),), float("inf"), device=x.device),
        trace=torch.full((len(x), ticks, 4), float("nan"), device=x.device),
        fused=fused,
    )


def walk(model: Classifier, rows: Walk, *, until: int, of: int, tick: Callable[[], None]) -> None:
    """Walk on to tick `until` of a schedule of `of` ticks; one forward and backward pass each, then `tick()`."""
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
        averaging = AVERAGING if rows.ticks else 0.0
        excess = rows.scale * _falling(EXCESS, share)
        margin, weight = rows.goals.margin(answers), rows.weight.clone()
        step.walk_step(
            rows.x, rows.original, rows.slope, gradient.flatten(1).contiguous(), margin, excess,
            rows.weight, rows.size, _falling(PULL, share), averaging,
        )  # fmt: skip
        rms = (rows.size / rows.x.shape[1]).sqrt()
        rows.trace[:, rows.ticks] = torch.stack([weight, rms, softplus(margin), reached.float()], dim=1)
        rows.ticks += 1
        tick()


def _falling(ends: tuple[float, float], share: float) -> float:
    """From the first end to the second, geometrically."""
    return ends[0] * (ends[1] / ends[0]) ** share
