"""Training on adversarial examples of every layer, in alternating rounds. Szegedy et al. 2013, section 4.

Round t: replace a random share of each layer's pool by examples made for the present weights; then minimise
the mixture of clean images and pools for an epoch of Adam or some iterations of L-BFGS. The paper prints
neither the pools' size nor their weight nor the schedule: see `PoolSettings` and docs/science.md.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from blindspots.science.adversarial_layers import Layers
from blindspots.science.adversarial_mixture import Arm, Mixture, MixtureSettings
from blindspots.science.adversarial_pools import Pool
from blindspots.science.adversarial_rounds import AdamRounds, LbfgsRounds, optimiser
from blindspots.science.networks import MultilayerPerceptron
from blindspots.science.training import Array, State, do_nothing
from blindspots.science.weight_decay import WeightDecay

SCALARS = ("loss", "train_error", "test_error")
PER_LAYER = ("pool_error", "pool_distortion")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything but the data and the arm. The defaults are ours where the paper is silent."""

    rounds: int = 20
    optimiser: AdamRounds | LbfgsRounds = field(default_factory=AdamRounds)
    weight_decay: WeightDecay = field(default_factory=lambda: WeightDecay(penalties=(1e-5, 1e-5, 1e-6)))
    mixture: MixtureSettings = field(default_factory=MixtureSettings)


@dataclass(frozen=True)
class Stage:
    """What a training tells after each step."""

    round: int  # that is under way, from 1
    done: float  # share of all rounds, in 0..1
    loss: float  # of the last step, with weight decay
    test_error: float  # after the last finished round; NaN before
    state: Callable[[], dict[str, Array]]  # everything needed to resume from here


def train_adversarially(
    module: MultilayerPerceptron,
    images: Tensor,
    labels: Tensor,
    *,
    arm: Arm,
    settings: Settings,
    seed: int,
    test: tuple[Tensor, Tensor],
    state: State | None = None,
    report: Callable[[Stage], None] = do_nothing,
    interrupt: Callable[[], None] = do_nothing,
) -> dict[str, Array]:
    """Train `module` in place; answers curves with one row per round.

    images: (n, ...) float32 in [0, 1] and labels (n,) int64; `test` likewise, only looked at. The order of
    the batches, and every other random number, derive from `seed`, so that two arms of one seed see the same
    batches. `report` and `interrupt` may raise to stop; `state` resumes what an earlier call reported, and
    ends with the same bytes. Curves: loss, train_error (while it learnt), test_error (t,); pool_error and
    pool_distortion (t, hidden + 1), NaN where there is no pool. Raises ValueError where sizes do not match.
    """
    if len(images) != len(labels) or len(images) == 0:
        raise ValueError(f"expected as many labels as images, and some, got {len(labels)} and {len(images)}")
    mixture = Mixture(
        Layers.of(module),
        images.flatten(1),
        labels,
        arm=arm,
        settings=settings.mixture,
        seed=seed,
        fixed=isinstance(settings.optimiser, LbfgsRounds),
        interrupt=interrupt,
    )
    run = _Run(mixture, settings, settings.weight_decay.coefficients(module), test)
    if state is not None:
        run.restore(state)
    while run.round < settings.rounds:
        run.one_round(report)
    run.layers.write(module)
    return {name: np.array(values) for name, values in run.curves.items()}


class _Run:
    """A training between two steps, all of which a checkpoint holds."""

    def __init__(
        self, mixture: Mixture, settings: Settings, decay: Tensor, test: tuple[Tensor, Tensor]
    ) -> None:
        self.settings, self.test = settings, (test[0].flatten(1), test[1])
        self.mixture, self.layers = mixture, mixture.layers
        self.optimiser = optimiser(settings.optimiser, mixture, decay, rounds=settings.rounds)
        self.round = 0  # that are finished
        self.inside = False  # a round was begun, and its pools are refreshed
        self.start = self.layers.point.clone()  # weights that the round began with
        self.curves: dict[str, list[float] | list[list[float]]] = {name: [] for name in SCALARS + PER_LAYER}

    def one_round(self, report: Callable[[Stage], None]) -> None:
        """Refresh the pools, minimise, look at the test images."""
        self.mixture.begin(self.round + 1)
        if not self.inside:
            self.mixture.refresh()
            self.start = self.layers.point.clone()
            self.inside = True
        now = self.layers.point.clone()
        self.layers.point.copy_(self.start)
        self.mixture.arrange()
        self.layers.point.copy_(now)
        self.optimiser.run(self.mixture, partial(self._after, report))
        self._record()
        self.round, self.inside = self.round + 1, False

    def _after(self, report: Callable[[Stage], None], share: float, loss: float) -> None:
        errors = self.curves["test_error"]
        error = float(errors[-1]) if errors else float("nan")  # type: ignore[arg-type]
        done = (self.round + share) / self.settings.rounds
        report(Stage(self.round + 1, done, loss, error, self.state))

    def _record(self) -> None:
        """One row of the curves."""
        loss, wrong, *pool_wrong = self.optimiser.sums
        test_wrong = self.layers.evaluate(*self.test)
        row = (loss, wrong / len(self.mixture.images), float(test_wrong.double().mean()))
        pools = self.mixture.pools
        empty = [float("nan")] * (self.layers.hidden + 1)
        errors, distortions = list(empty), list(empty)
        for (layer, pool), count in zip(pools.items(), pool_wrong, strict=True):
            if len(pool):
                errors[layer], distortions[layer] = count / len(pool), self.mixture.distortion[layer]
        for name, value in zip(SCALARS + PER_LAYER, (*row, errors, distortions), strict=True):
            self.curves[name].append(value)  # type: ignore[arg-type]

    def state(self) -> dict[str, Array]:
        """Everything, as arrays."""
        pools = {}
        for layer, pool in self.mixture.pools.items():
            pools[f"pool.{layer}.source"] = pool.source.cpu().numpy()
            pools[f"pool.{layer}.values"] = pool.values.cpu().numpy()
        return {
            "point": self.layers.point.cpu().numpy().copy(),
            "start": self.start.cpu().numpy(),
            "round": np.array([self.round]),
            "distortion": np.array(list(self.mixture.distortion.values())),
            **pools,
            **{f"curve.{name}": np.array(values) for name, values in self.curves.items()},
            **self.optimiser.state(),
        }

    def restore(self, state: State) -> None:
        """Go on from what `state` returned, in the middle of a round."""
        device = self.layers.point.device

        def tensor(name: str) -> Tensor:
            return torch.from_numpy(np.array(state[name])).to(device)

        self.layers.point.copy_(tensor("point"))
        self.start = tensor("start")
        self.round, self.inside = int(state["round"][0]), True
        self.mixture.distortion = dict(zip(self.mixture.pools, state["distortion"].tolist(), strict=True))
        for layer in self.mixture.pools:
            source, values = tensor(f"pool.{layer}.source"), tensor(f"pool.{layer}.values")
            self.mixture.pools[layer] = Pool(layer, source, values)
        self.curves = {name: state[f"curve.{name}"].tolist() for name in self.curves}
        self.optimiser.restore(state)
