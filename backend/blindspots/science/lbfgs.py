"""L-BFGS inside the box [0, 1]^d for many problems at once, each with its own history, step and weight.

The problems are min_u c N(u - x0) + loss(u): Szegedy et al. 2013, section 4.1; Nocedal 1980 for the two
loops. What is
particular to them: secant pairs hold only the change of the loss's gradient, because the norm's curvature w
is known. The pair at any weight is (s, y + w s) and the first matrix is 1/w, so a new weight keeps the
history and costs no evaluation. A pixel at a bound whose gradient points outward is fixed; the trial point is
projected and the projection never differentiated. Negative curvature is damped (Powell 1978).

The same functions stand in `blindspots.science.kernels`, compiled for a CPU; here they are in torch, for
GPUs: nothing in them waits for the device. Arrays are (n, d) float32, histories (n, memory, d), per-row
scalars (n,).
"""

# ruff: noqa: PLR0917  (the kernels that these stand for take arrays by position)

import torch
from torch import Tensor

FLAT = 1e-30
LEAST_CURVATURE = 0.2


def push_pair(
    steps: Tensor,
    changes: Tensor,
    count: Tensor,
    x: Tensor,
    trial: Tensor,
    gradient: Tensor,
    trial_gradient: Tensor,
    used: Tensor,
) -> None:
    """Put trial - x and the change of the loss's gradient over the oldest pair of the rows `used` (n,) bool.

    count: (n,) int64, pairs ever pushed: the newest is at (count - 1) % memory. Changes steps, changes,
    count.
    """
    row = torch.arange(len(x), device=x.device)
    slot = count % steps.shape[1]
    chosen = used[:, None]
    steps[row, slot] = torch.where(chosen, trial - x, steps[row, slot])
    changes[row, slot] = torch.where(chosen, trial_gradient - gradient, changes[row, slot])
    count += used


def descend(
    trial: Tensor,
    x: Tensor,
    original: Tensor,
    gradient: Tensor,
    pull: Tensor,
    stiffness: Tensor,
    steps: Tensor,
    changes: Tensor,
    count: Tensor,
    length: Tensor,
    expected: Tensor,
    residual: Tensor,
) -> None:
    """The next trial: x - length * H * gradient of the objective, projected. Changes trial, expected,
    residual.

    gradient: of the loss at x. pull, stiffness: (n, 1) or (n, d), the norm term's gradient is pull * (x -
    original) and its curvature is taken as `stiffness` > 0. expected (n,): first-order change of the
    objective to the trial. residual (n,): the largest free gradient over its stiffness, in pixel units: how
    far x is from stationary.
    """
    slope = gradient + pull * (x - original)
    free = ~(((x <= 0) & (slope > 0)) | ((x >= 1) & (slope < 0)))
    q = torch.where(free, slope, 0.0)
    residual.copy_((q / stiffness).abs().amax(dim=1))
    q = _two_loops(q, free.float(), stiffness, steps, changes, count)
    trial.copy_((x - length[:, None] * q).clamp_(0, 1))
    expected.copy_((slope * (trial - x)).sum(dim=1))


def _two_loops(
    q: Tensor, free: Tensor, stiffness: Tensor, steps: Tensor, changes: Tensor, count: Tensor
) -> Tensor:
    """H q on the free pixels; Nocedal and Wright 2006, algorithm 7.4, with H0 = 1 / stiffness."""
    row, memory = torch.arange(len(q), device=q.device), steps.shape[1]
    pairs = []
    for back in range(memory):
        slot = (count - 1 - back) % memory
        held = (count > back).float()[:, None]
        s, y = held * free * steps[row, slot], held * free * changes[row, slot]
        quadratic, curvature = (s * stiffness * s).sum(1), (s * y).sum(1)
        y = _damping(quadratic, curvature)[:, None] * y + stiffness * s
        total = (s * y).sum(1)
        inverse = torch.where(total > FLAT, 1 / total, 0.0)
        share = (s * q).sum(1) * inverse
        q = q - share[:, None] * y
        pairs.append((s, y, inverse, share))
    q = q / stiffness
    for s, y, inverse, share in reversed(pairs):
        q = q + (share - inverse * (y * q).sum(1))[:, None] * s
    return q


def _damping(quadratic: Tensor, curvature: Tensor) -> Tensor:
    enough = quadratic + curvature >= LEAST_CURVATURE * quadratic
    return torch.where(enough, 1.0, -(1 - LEAST_CURVATURE) * quadratic / curvature)
