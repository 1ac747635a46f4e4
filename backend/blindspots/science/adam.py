"""Training by Adam on shuffled batches. Kingma and Ba 2015, algorithm 1."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from blindspots.science.descent import StopReason
from blindspots.science.networks import Dropout
from blindspots.science.training import (
    CURVES,
    Array,
    Curves,
    Objective,
    State,
    Step,
    TrainingOutcome,
    do_nothing,
    error_rate,
    outcome,
)
from blindspots.science.weight_decay import WeightDecay, flatten, unflatten

BatchLoss = Callable[[Tensor], tuple[Tensor, float]]
FIRST_DECAY, SECOND_DECAY, SMALL = 0.9, 0.999, 1e-8  # beta1, beta2, epsilon


def train_adam(
    module: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    weight_decay: WeightDecay,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
    test: tuple[Tensor, Tensor] | None = None,
    state: State | None = None,
    report: Callable[[Step], None] = do_nothing,
    interrupt: Callable[[], None] = do_nothing,
) -> TrainingOutcome:
    """Minimise mean cross-entropy plus weight decay by Adam.

    images: (n, ...) float32 in [0, 1] and labels (n,) int64 on the module's device; `test` likewise, only to
    be reported. generator: on the CPU; order of the batches and dropout derive from it. The curves' loss,
    gradient and train error are means over the batches of an epoch, with dropout; the outcome's own numbers
    are of the final weights without it. `report` is called after each batch and may raise to stop; `state`
    resumes what an earlier call reported.
    """
    objective = Objective(module, images, labels, weight_decay=weight_decay, interrupt=interrupt)

    def batch_loss(rows: Tensor) -> tuple[Tensor, float]:
        truth = labels[rows]
        logits = module(images[rows])
        wrong = float((logits.detach().argmax(1) != truth).double().mean())
        return functional.cross_entropy(logits, truth), wrong

    run = AdamRun(
        module, batch_loss, objective.coefficients, images=len(images), batch_size=batch_size,
        learning_rate=learning_rate, generator=generator,
    )  # fmt: skip
    if state is not None:
        run.restore(state)

    def test_error() -> float:
        return error_rate(module, *test, interrupt=interrupt) if test else math.nan

    run.epochs(epochs, test_error=test_error, report=report, interrupt=interrupt)
    loss, gradient = objective(run.point.double())
    norm = float(gradient.abs().max())
    final = outcome(run.curves, StopReason.EPOCHS, loss=loss, gradient_norm=norm, first=1)
    return replace(final, train_error=objective.error)


class AdamRun:
    """Adam's state between two batches, all of which a checkpoint holds.

    batch_loss: of some rows of the images; the mean loss, whose gradient is taken, and the share of wrong
    answers. coefficients: (p,) of the weight decay. The rate falls linearly to zero where it is `annealed`.
    """

    def __init__(
        self,
        module: nn.Module,
        batch_loss: BatchLoss,
        coefficients: Tensor,
        *,
        images: int,
        batch_size: int,
        learning_rate: float,
        generator: torch.Generator,
        annealed: bool = False,
    ) -> None:
        self.module, self.batch_loss, self.images = module, batch_loss, images
        self.batch_size, self.learning_rate, self.annealed = batch_size, learning_rate, annealed
        self.generator = generator
        self.device = coefficients.device
        self.dropout = torch.Generator(self.device)
        for layer in module.modules():
            if isinstance(layer, Dropout):
                layer.generator = self.dropout
        self.point = flatten(module).float()
        self.first, self.second = torch.zeros_like(self.point), torch.zeros_like(self.point)
        self.coefficients = coefficients.float()
        self.steps, self.epoch, self.batch = 0, 0, 0
        self.order = torch.zeros(0, dtype=torch.int64)
        self.sums = torch.zeros(2, dtype=torch.float64)  # of loss and of wrong answers in this epoch
        self.gradient_sum = torch.zeros_like(self.point)
        self.curves: Curves = {name: [] for name in CURVES}

    def epochs(
        self,
        epochs: int,
        *,
        test_error: Callable[[], float],
        report: Callable[[Step], None],
        interrupt: Callable[[], None],
    ) -> None:
        """Go on until every image was seen so often; the module holds the result."""
        batches = math.ceil(self.images / self.batch_size)
        total = epochs * batches
        while self.epoch < epochs:
            self.begin_epoch()
            while self.batch < batches:
                interrupt()
                rate = self.learning_rate * (1 - self.steps / total if self.annealed else 1)
                loss, wrong = self.step(rate)
                report(Step(self.epoch * batches + self.batch, total, loss, wrong, self.state))
            unflatten(self.module, self.point)
            self.end_epoch(test_error())

    def begin_epoch(self) -> None:
        """Shuffle, unless a checkpoint was taken in the middle of this epoch."""
        if self.batch == 0:
            self.order = torch.randperm(self.images, generator=self.generator)
            seed = int(torch.randint(2**62, (1,), generator=self.generator))
            self.dropout.manual_seed(seed)

    def step(self, rate: float) -> tuple[float, float]:
        """One batch; its loss with weight decay and its share of wrong answers."""
        rows = self.order[self.batch * self.batch_size : (self.batch + 1) * self.batch_size].to(self.device)
        unflatten(self.module, self.point)
        self.module.train()
        data_loss, wrong = self.batch_loss(rows)
        pieces = torch.autograd.grad(data_loss, list(self.module.parameters()))
        gradient = torch.cat([piece.flatten() for piece in pieces]) + 2 * self.coefficients * self.point
        loss = float(data_loss.detach()) + float((self.coefficients * self.point.square()).sum())
        share = len(rows) / self.images
        self.sums += share * torch.tensor([loss, wrong], dtype=torch.float64)
        self.gradient_sum += share * gradient
        self._update(gradient, rate)
        self.batch += 1
        return loss, wrong

    def _update(self, gradient: Tensor, rate: float) -> None:
        self.steps += 1
        self.first = FIRST_DECAY * self.first + (1 - FIRST_DECAY) * gradient
        self.second = SECOND_DECAY * self.second + (1 - SECOND_DECAY) * gradient.square()
        first = self.first / (1 - FIRST_DECAY**self.steps)
        second = self.second / (1 - SECOND_DECAY**self.steps)
        self.point = self.point - rate * first / (second.sqrt() + SMALL)

    def end_epoch(self, test_error: float) -> None:
        """One row of the curves."""
        row = (float(self.sums[0]), float(self.gradient_sum.abs().max()), float(self.sums[1]), test_error)
        for name, value in zip(CURVES, row, strict=True):
            self.curves[name].append(value)
        self.sums, self.gradient_sum = torch.zeros_like(self.sums), torch.zeros_like(self.gradient_sum)
        self.epoch, self.batch = self.epoch + 1, 0

    def state(self) -> dict[str, Array]:
        """Everything, as arrays."""
        vectors = {name: getattr(self, name).cpu().numpy().copy() for name in _VECTORS}
        return {
            **vectors,
            "counts": np.array([self.steps, self.epoch, self.batch], np.int64),
            "generator": self.generator.get_state().numpy(),
            "dropout": self.dropout.get_state().numpy(),
            **{f"curve_{name}": np.array(values, np.float64) for name, values in self.curves.items()},
        }

    def restore(self, state: State) -> None:
        """Go on from what `state` returned."""
        for name in _VECTORS:
            vector: Any = torch.from_numpy(np.array(state[name]))
            setattr(self, name, vector.to(getattr(self, name).device))
        self.steps, self.epoch, self.batch = (int(count) for count in state["counts"])
        self.generator.set_state(torch.from_numpy(np.array(state["generator"])))
        self.dropout.set_state(torch.from_numpy(np.array(state["dropout"])))
        for name in self.curves:
            self.curves[name] = [float(value) for value in state[f"curve_{name}"]]


_VECTORS = ("point", "first", "second", "order", "sums", "gradient_sum")
