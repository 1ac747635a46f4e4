"""Limited-memory BFGS with a strong-Wolfe line search, for one smooth function of many parameters.

Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 3.5, 3.6 and 7.4. Written here because training must
resume from any iteration with the same bytes as if it had never stopped: all that the next iteration depends
on is in `Descent`, and `torch.optim.LBFGS` and SciPy do not let go of theirs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from torch import Tensor

Objective = Callable[[Tensor], tuple[float, Tensor]]
SUFFICIENT_DECREASE = 1e-4  # c1 of Nocedal and Wright, equation 3.7a
CURVATURE = 0.9  # c2, equation 3.7b
LONGEST_SEARCH = 25  # evaluations
WIDENING = 4.0  # of a step that is surely too short
SHORTEST_STEP = 1e-12  # change of a parameter that a float32 surely does not see


class StopReason(Enum):
    """Why a training ended, as a sentence for its user."""

    GRADIENT = "Converged: the gradient has become as small as asked for."
    LOSS = "Converged: the loss hardly changes any more."
    PRECISION = "Converged as far as 32-bit numbers allow: no step lowers the loss any further."
    CAP = "Stopped at the iteration limit, before it converged."
    EPOCHS = "All epochs are done."


@dataclass
class Descent:
    """Where a minimisation stands between two iterations: everything the next one depends on."""

    point: Tensor  # (p,) float64
    value: float
    gradient: Tensor  # (p,) float64
    steps: list[Tensor] = field(default_factory=list)  # (p,) float32 each, oldest first
    changes: list[Tensor] = field(default_factory=list)  # of the gradient, likewise
    iteration: int = 0

    @property
    def gradient_norm(self) -> float:
        """Largest magnitude in the gradient."""
        return float(self.gradient.abs().max())


def begin(objective: Objective, point: Tensor) -> Descent:
    """Evaluate the start. point: (p,) float64."""
    value, gradient = objective(point)
    return Descent(point, value, gradient)


def minimise(
    objective: Objective,
    descent: Descent,
    *,
    history: int,
    max_iterations: int,
    gradient_tolerance: float,
    relative_loss_tolerance: float,
    report: Callable[[Descent], None],
) -> StopReason:
    """Move `descent` to a minimum of the objective, calling `report` after every iteration.

    objective: point (p,) float64 -> value, gradient (p,) float64; after each iteration the point of its last
    call is the new one. `report` may raise to stop. Stops at a gradient of at most `gradient_tolerance` in
    its largest component, at a relative change of the value of at most `relative_loss_tolerance`, or after
    `max_iterations` in all.
    """
    while True:
        if descent.gradient_norm <= gradient_tolerance:
            return StopReason.GRADIENT
        if descent.iteration >= max_iterations:
            return StopReason.CAP
        before = descent.value
        if not _iterate(objective, descent, history):
            return StopReason.PRECISION
        report(descent)
        if before - descent.value <= relative_loss_tolerance * max(abs(before), abs(descent.value)):
            return StopReason.LOSS


def _iterate(objective: Objective, descent: Descent, history: int) -> bool:
    """One iteration in place; False where not even steepest descent finds a lower value."""
    direction = _direction(descent)
    cautious = min(1.0, 1 / float(descent.gradient.norm()))
    found = line_search(objective, descent, direction, 1.0 if descent.steps else cautious)
    if found is None and descent.steps:
        descent.steps.clear()
        descent.changes.clear()
        direction = -descent.gradient
        found = line_search(objective, descent, direction, cautious)
    if found is None:
        return False
    length, value, gradient = found
    step, change = length * direction, gradient - descent.gradient
    if float(step @ change) > 1e-10 * float(change @ change):
        descent.steps.append(step.float())
        descent.changes.append(change.float())
        del descent.steps[:-history], descent.changes[:-history]
    descent.point, descent.value, descent.gradient = descent.point + step, value, gradient
    descent.iteration += 1
    return True


def _direction(descent: Descent) -> Tensor:
    """-H g by the two-loop recursion (algorithm 7.4), (p,) float64."""
    if not descent.steps:
        return -descent.gradient
    direction = -descent.gradient.float()
    pairs = list(zip(descent.steps, descent.changes, strict=True))
    inverse = [1 / (step @ change) for step, change in pairs]
    weights = []
    for (step, change), rho in zip(reversed(pairs), reversed(inverse), strict=True):
        weight = rho * (step @ direction)
        weights.append(weight)
        direction = direction - weight * change
    step, change = pairs[-1]
    direction = direction * ((step @ change) / (change @ change))
    for (step, change), rho, weight in zip(pairs, inverse, reversed(weights), strict=True):
        direction = direction + (weight - rho * (change @ direction)) * step
    return direction.double()


@dataclass(frozen=True)
class _Trial:
    length: float
    value: float
    slope: float
    gradient: Tensor


def line_search(
    objective: Objective, descent: Descent, direction: Tensor, first: float
) -> tuple[float, float, Tensor] | None:
    """Step length, value and gradient that meet the strong Wolfe conditions along a direction (p,) float64.

    Nocedal and Wright, algorithms 3.5 and 3.6 with cubic interpolation. When the evaluations run out, the
    lowest point with sufficient decrease is taken; None where there is none.
    """
    start = _Trial(0.0, descent.value, float(descent.gradient @ direction), descent.gradient)
    if not start.slope < 0:
        return None

    def evaluate(length: float) -> _Trial:
        value, gradient = objective(descent.point + length * direction)
        return _Trial(length, value, float(gradient @ direction), gradient)

    low, high = start, None  # a good step lies between the two; `low` has the least value so far
    length, reach = first, float(direction.abs().max())
    for _ in range(LONGEST_SEARCH):
        trial = evaluate(length)
        if _rises(trial, start) or trial.value >= low.value:
            high = trial
        elif abs(trial.slope) <= -CURVATURE * start.slope:
            return trial.length, trial.value, trial.gradient
        else:
            uphill = trial.slope if high is None else trial.slope * (high.length - low.length)
            low, high = trial, low if uphill >= 0 else high
        if high is None:
            length = WIDENING * length
        elif abs(high.length - low.length) * reach < SHORTEST_STEP:
            break
        else:
            length = _interpolate(low, high)
    if low is start:
        return None
    final = evaluate(low.length)
    return final.length, final.value, final.gradient


def _rises(trial: _Trial, start: _Trial) -> bool:
    """Whether the decrease is not sufficient (equation 3.7a)."""
    return not trial.value <= start.value + SUFFICIENT_DECREASE * trial.length * start.slope


def _interpolate(low: _Trial, high: _Trial) -> float:
    """Minimiser of the cubic through both ends (equation 3.59), kept a tenth away from either."""
    width = high.length - low.length
    middle = low.length + width / 2
    if not math.isfinite(high.value) or not math.isfinite(high.slope):
        return low.length + width / 10
    d1 = low.slope + high.slope - 3 * (low.value - high.value) / (low.length - high.length)
    root = d1 * d1 - low.slope * high.slope
    if root < 0:
        return middle
    d2 = math.copysign(math.sqrt(root), width)
    denominator = high.slope - low.slope + 2 * d2
    if denominator == 0:
        return middle
    length = high.length - width * (high.slope + d2 - d1) / denominator
    inner, outer = sorted((low.length + 0.1 * width, high.length - 0.1 * width))
    return min(max(length, inner), outer)
