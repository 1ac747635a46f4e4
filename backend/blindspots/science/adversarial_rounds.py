"""The two ways to minimise one round's mixture: an epoch of Adam, or some iterations of L-BFGS.

The mixture changes from round to round, so L-BFGS forgets its history at each. Both can stop after any step
and go on from their state with the same bytes.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from blindspots.science.adversarial_mixture import CHUNK, ORDER, Mixture
from blindspots.science.descent import begin, minimise
from blindspots.science.training import Array, pack, unpack

FIRST_DECAY, SECOND_DECAY, SMALL = 0.9, 0.999, 1e-8  # Kingma and Ba 2015: beta1, beta2, epsilon
After = Callable[[float, float], None]  # share of the round that is done, loss


@dataclass(frozen=True, kw_only=True)
class AdamRounds:
    """One epoch of shuffled batches a round; the learning rate falls to zero as a half cosine over all
    rounds."""

    batch_size: int = 256
    learning_rate: float = 1e-2


@dataclass(frozen=True, kw_only=True)
class LbfgsRounds:
    """So many iterations on all images at once each round."""

    iterations: int = 20
    history: int = 20


class Optimiser(Protocol):
    """Minimises one round, and can be resumed within it."""

    def run(self, mixture: Mixture, after: After) -> None:
        """What is left of the round that the mixture has begun. `after` may raise to stop."""

    def state(self) -> dict[str, Array]: ...

    def restore(self, state: Mapping[str, Array]) -> None: ...


def optimiser(
    chosen: AdamRounds | LbfgsRounds, mixture: Mixture, decay: Tensor, *, rounds: int
) -> "Adam | Lbfgs":
    """The optimiser of those settings. decay: (p,) float64, the penalty is sum_i decay_i * parameter_i^2."""
    if isinstance(chosen, AdamRounds):
        return Adam(chosen, mixture, decay, rounds=rounds)
    return Lbfgs(chosen, mixture, decay)


class Adam:
    """Kingma and Ba 2015, algorithm 1, on a flat vector."""

    def __init__(self, chosen: AdamRounds, mixture: Mixture, decay: Tensor, *, rounds: int) -> None:
        self.chosen = chosen
        self.decay = decay.float()
        point = mixture.layers.point
        self.first, self.second = torch.zeros_like(point), torch.zeros_like(point)
        self.batches = math.ceil(len(mixture.images) / chosen.batch_size)
        self.steps, self.total = 0, rounds * self.batches
        self.sums = np.zeros(2 + len(mixture.pools))  # of this round

    def run(self, mixture: Mixture, after: After) -> None:
        """The batches of the round that were not done yet."""
        layers, size = mixture.layers, self.chosen.batch_size
        order = torch.from_numpy(mixture.random(ORDER).permutation(len(mixture.images)))
        order = order.to(mixture.images.device)
        first = self.steps - (mixture.round - 1) * self.batches
        if first == 0:
            self.sums[:] = 0
        for place in range(first, self.batches):
            rows = order[place * size : (place + 1) * size]
            layers.gradient.zero_()
            found = mixture.add(rows, place, self.batches, clean=1 / len(rows), pooled=self.batches)
            layers.gradient.addcmul_(self.decay, layers.point, value=2)
            found[0] += float((self.decay * layers.point.square()).sum())
            self._update(layers.point, layers.gradient)
            self.sums += [found[0] / self.batches, *found[1:]]
            after((place + 1) / self.batches, found[0])

    def _update(self, point: Tensor, gradient: Tensor) -> None:
        rate = self.chosen.learning_rate * (1 + math.cos(math.pi * self.steps / self.total)) / 2
        self.steps += 1
        self.first.mul_(FIRST_DECAY).add_(gradient, alpha=1 - FIRST_DECAY)
        self.second.mul_(SECOND_DECAY).addcmul_(gradient, gradient, value=1 - SECOND_DECAY)
        spread = (self.second / (1 - SECOND_DECAY**self.steps)).sqrt_().add_(SMALL)
        point.addcdiv_(self.first, spread, value=-rate / (1 - FIRST_DECAY**self.steps))

    def state(self) -> dict[str, Array]:
        """Everything beside weights and pools."""
        return {
            "first": self.first.cpu().numpy().copy(),
            "second": self.second.cpu().numpy().copy(),
            "steps": np.array([self.steps]),
            "sums": self.sums.copy(),
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` returned."""
        self.first.copy_(torch.from_numpy(np.array(state["first"])))
        self.second.copy_(torch.from_numpy(np.array(state["second"])))
        self.steps, self.sums = int(state["steps"][0]), np.array(state["sums"])


class Lbfgs:
    """L-BFGS with a strong-Wolfe line search on the whole mixture; see `descent`."""

    def __init__(self, chosen: LbfgsRounds, mixture: Mixture, decay: Tensor) -> None:
        self.chosen, self.decay = chosen, decay
        self.sums = np.zeros(2 + len(mixture.pools))
        self._packed: dict[str, Array] = {}

    def run(self, mixture: Mixture, after: After) -> None:
        """The iterations of the round that were not done yet."""
        layers = mixture.layers

        def objective(point: Tensor) -> tuple[float, Tensor]:
            layers.point.copy_(point)
            layers.gradient.zero_()
            return self._value(mixture, point), layers.gradient.double() + 2 * self.decay * point

        if self._packed:
            descent = unpack(self._packed, {}, device=layers.point.device)
        else:
            descent = begin(objective, layers.point.double())
        wanted = self.chosen.iterations

        def report(_: object) -> None:
            self._packed = pack(descent, {})
            after(descent.iteration / wanted, descent.value)

        minimise(
            objective, descent, history=self.chosen.history, max_iterations=wanted,
            gradient_tolerance=0.0, relative_loss_tolerance=0.0, report=report,
        )  # fmt: skip
        layers.point.copy_(descent.point)
        self._packed = {}

    def _value(self, mixture: Mixture, point: Tensor) -> float:
        """The mixture's loss at the weights that the layers hold; adds its gradient."""
        count = len(mixture.images)
        starts = range(0, count, CHUNK)
        self.sums[:] = 0
        for place, start in enumerate(starts):
            rows = slice(start, start + CHUNK)
            self.sums += mixture.add(rows, place, len(starts), clean=1 / count, pooled=1)
        self.sums[0] += float((self.decay * point.square()).sum())
        return float(self.sums[0])

    def state(self) -> dict[str, Array]:
        """Everything beside weights and pools: the descent that the round is in the middle of."""
        return {
            **{f"descent.{name}": value for name, value in self._packed.items()},
            "sums": self.sums.copy(),
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state` returned."""
        prefix = "descent."
        self._packed = {
            name.removeprefix(prefix): np.array(value)
            for name, value in state.items()
            if name.startswith(prefix)
        }
        self.sums = np.array(state["sums"])
