"""Training: full-batch L-BFGS until it converges, as the paper does, and Adam.

Mean cross-entropy plus weight decay, Szegedy et al. 2013, section 3.1. Both trainings can be stopped at any
report and resumed from its state, and end with the same bytes as if they had never stopped.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from blindspots.science.descent import Descent, StopReason, begin, minimise
from blindspots.science.weight_decay import WeightDecay, flatten, unflatten

Array = npt.NDArray[Any]
State = Mapping[str, Array]
Curves = dict[str, list[float]]
CHUNK = 2048  # images per forward and backward pass: bounds the memory, fits the cache
CURVES = ("loss", "gradient_norm", "train_error", "test_error")


@dataclass(frozen=True)
class Step:
    """What a training tells after each piece of work."""

    done: int  # iterations of L-BFGS, batches of Adam
    total: int  # at most
    loss: float  # with weight decay
    train_error: float  # share in 0..1
    state: Callable[[], dict[str, Array]]  # everything needed to resume from here


@dataclass(frozen=True)
class TrainingOutcome:
    """How a training went. Curves are (t,) arrays: one row per iteration of L-BFGS or epoch of Adam."""

    curves: Mapping[str, Array]  # iteration int64; loss, gradient_norm, train_error, test_error float64
    stop_reason: StopReason
    loss: float  # of the final weights on all images, with weight decay
    gradient_norm: float  # largest magnitude of that loss's gradient
    train_error: float
    test_error: float  # NaN without test images


def do_nothing(*_: object) -> None:
    """The report of a training that nobody watches."""


class Objective:
    """Mean cross-entropy plus weight decay on all images, as a function of the flat parameters (p,) float64.

    Losses are added up in float64, so that a change of the ninth digit is seen; dropout is off.
    """

    def __init__(
        self,
        module: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        weight_decay: WeightDecay,
        interrupt: Callable[[], None] = do_nothing,
    ) -> None:
        if len(images) != len(labels) or len(images) == 0:
            raise ValueError(
                f"expected as many labels as images, and some, got {len(labels)} and {len(images)}"
            )
        self.module, self.images, self.labels = module, images, labels
        self.coefficients = weight_decay.coefficients(module)
        self.interrupt = interrupt
        self.error = math.nan  # share of images answered wrongly at the last point

    def __call__(self, point: Tensor) -> tuple[float, Tensor]:
        """Value, and gradient (p,) float64."""
        unflatten(self.module, point)
        self.module.eval()
        parameters = list(self.module.parameters())
        gradient = torch.zeros_like(point)
        loss, wrong = 0.0, 0
        for images, labels in chunks(self.images, self.labels):
            self.interrupt()
            logits = self.module(images)
            losses = functional.cross_entropy(logits, labels, reduction="none")
            pieces = torch.autograd.grad(losses.sum(), parameters)
            gradient += torch.cat([piece.flatten() for piece in pieces])
            loss += float(losses.detach().double().sum())
            wrong += int((logits.detach().argmax(1) != labels).sum())
        self.error = wrong / len(self.images)
        penalty = float((self.coefficients * point.square()).sum())
        return loss / len(self.images) + penalty, gradient / len(self.images) + 2 * self.coefficients * point


def chunks(images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Images and labels, CHUNK at a time."""
    for start in range(0, len(images), CHUNK):
        yield images[start : start + CHUNK], labels[start : start + CHUNK]


@torch.no_grad()
def error_rate(
    module: nn.Module, images: Tensor, labels: Tensor, *, interrupt: Callable[[], None] = do_nothing
) -> float:
    """Share of images whose predicted class is not the label, in 0..1."""
    module.eval()
    wrong = 0
    for part, truth in chunks(images, labels):
        interrupt()
        wrong += int((module(part).argmax(1) != truth).sum())
    return wrong / len(images)


def train_lbfgs(
    module: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    weight_decay: WeightDecay,
    test: tuple[Tensor, Tensor] | None = None,
    history: int = 20,
    max_iterations: int = 600,
    gradient_tolerance: float = 1e-6,
    relative_loss_tolerance: float = 1e-10,
    state: State | None = None,
    report: Callable[[Step], None] = do_nothing,
    interrupt: Callable[[], None] = do_nothing,
) -> TrainingOutcome:
    """Minimise mean cross-entropy plus weight decay over all parameters, by L-BFGS on all images at once.

    Szegedy et al. 2013, section 3.1. images: (n, ...) float32 in [0, 1] and labels (n,) int64 on the module's
    device; `test` likewise, only to be reported. `module` holds the start, and in the end the result. `state`
    resumes what an earlier call reported. `report` and `interrupt` may raise to stop; `interrupt` is called
    between chunks of an iteration too. Raises ValueError where sizes or penalties do not match.
    """
    objective = Objective(module, images, labels, weight_decay=weight_decay, interrupt=interrupt)

    def test_error() -> float:
        return error_rate(module, *test, interrupt=interrupt) if test else math.nan

    descent, curves, stop_reason = descend(
        objective,
        test_error=test_error,
        history=history,
        max_iterations=max_iterations,
        gradient_tolerance=gradient_tolerance,
        relative_loss_tolerance=relative_loss_tolerance,
        state=state,
        report=report,
    )
    return outcome(curves, stop_reason, loss=descent.value, gradient_norm=descent.gradient_norm)


class ModuleObjective(Protocol):
    """A loss as a function of a module's flat parameters, which it puts into the module."""

    module: nn.Module
    error: float  # at the last point; NaN where there is nothing to answer

    def __call__(self, point: Tensor) -> tuple[float, Tensor]: ...


def descend(
    objective: ModuleObjective,
    *,
    test_error: Callable[[], float],
    history: int,
    max_iterations: int,
    gradient_tolerance: float,
    relative_loss_tolerance: float,
    state: State | None,
    report: Callable[[Step], None],
) -> tuple[Descent, Curves, StopReason]:
    """L-BFGS on a module from its present weights or from a state; the module holds the result."""
    curves: Curves = {name: [] for name in CURVES}

    def record(descent: Descent) -> None:
        row = (descent.value, descent.gradient_norm, objective.error, test_error())
        for name, value in zip(CURVES, row, strict=True):
            curves[name].append(value)

    def watch(descent: Descent) -> None:
        record(descent)
        packed = partial(pack, descent, curves)
        report(Step(descent.iteration, max_iterations, descent.value, objective.error, packed))

    if state is None:
        descent = begin(objective, flatten(objective.module))
        record(descent)
    else:
        descent = unpack(state, curves, device=next(objective.module.parameters()).device)
    stop_reason = minimise(
        objective,
        descent,
        history=history,
        max_iterations=max_iterations,
        gradient_tolerance=gradient_tolerance,
        relative_loss_tolerance=relative_loss_tolerance,
        report=watch,
    )
    unflatten(objective.module, descent.point)
    return descent, curves, stop_reason


def outcome(
    curves: Curves, stop_reason: StopReason, *, loss: float, gradient_norm: float, first: int = 0
) -> TrainingOutcome:
    """The outcome whose last row of curves holds the errors of the final weights.

    first: number of the first row: 0 where it is the start, 1 where it is a finished epoch.
    """
    arrays: dict[str, Array] = {name: np.asarray(values, np.float64) for name, values in curves.items()}
    arrays["iteration"] = np.arange(len(arrays["loss"]), dtype=np.int64) + first
    return TrainingOutcome(
        curves=arrays,
        stop_reason=stop_reason,
        loss=loss,
        gradient_norm=gradient_norm,
        train_error=float(arrays["train_error"][-1]),
        test_error=float(arrays["test_error"][-1]),
    )


def pack(descent: Descent, curves: Curves) -> dict[str, Array]:
    """A descent and its curves as arrays, for a checkpoint."""
    size = descent.point.numel()
    steps = torch.stack(descent.steps) if descent.steps else torch.zeros(0, size)
    changes = torch.stack(descent.changes) if descent.changes else torch.zeros(0, size)
    return {
        "point": descent.point.cpu().numpy(),
        "gradient": descent.gradient.cpu().numpy(),
        "value": np.array([descent.value]),
        "steps": steps.cpu().numpy(),
        "changes": changes.cpu().numpy(),
        "iteration": np.array([descent.iteration], np.int64),
        **{f"curve_{name}": np.array(values, np.float64) for name, values in curves.items()},
    }


def unpack(state: State, curves: Curves, *, device: torch.device) -> Descent:
    """The descent of a checkpoint; fills the curves."""
    for name in curves:
        curves[name] = [float(value) for value in state[f"curve_{name}"]]

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(np.array(state[name])).to(device)

    return Descent(
        point=tensor("point"),
        value=float(state["value"][0]),
        gradient=tensor("gradient"),
        steps=list(tensor("steps")),
        changes=list(tensor("changes")),
        iteration=int(state["iteration"][0]),
    )
