"""What a user can choose of adversarial training beside data, network and arms."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from blindspots.experiments.parameters import Parameters

if TYPE_CHECKING:
    from blindspots.science.adversarial_mixture import MixtureSettings
    from blindspots.science.adversarial_pools import PoolSettings
    from blindspots.science.adversarial_rounds import AdamRounds, LbfgsRounds

IMAGES_OF_AN_EXAMPLE = 6
ADVANCED: dict[str, Any] = {"x-group": "advanced"}
PAPER_ONLY: dict[str, Any] = {**ADVANCED, "x-when": {"mode": ["paper"]}}


class AdamEpochs(Parameters):
    """One epoch of shuffled batches a round, by Adam. The learning rate falls to zero over the rounds, so
    that the last test error is settled."""

    name: Literal["adam"] = "adam"

    batch_size: int = Field(256, ge=1, le=65_536)
    """Clean images of one step; each pool gives its share of examples to every step."""

    learning_rate: float = Field(1e-2, gt=0, le=1)
    """At the start."""

    def settings(self) -> "AdamRounds":
        """For the science."""
        from blindspots.science.adversarial_rounds import AdamRounds

        return AdamRounds(batch_size=self.batch_size, learning_rate=self.learning_rate)


class LbfgsIterations(Parameters):
    """Some iterations of L-BFGS on all images a round. What is minimised changes from round to round, so its
    history begins anew; dropout masks stay for a round."""

    name: Literal["lbfgs"] = "lbfgs"

    iterations: int = Field(20, ge=1, le=1000)
    """Of one round."""

    history: int = Field(20, ge=1, le=100, json_schema_extra=ADVANCED)
    """Steps that are remembered to guess the curvature."""

    def settings(self) -> "LbfgsRounds":
        """For the science."""
        from blindspots.science.adversarial_rounds import LbfgsRounds

        return LbfgsRounds(iterations=self.iterations, history=self.history)


RoundOptimiser = Annotated[
    AdamEpochs | LbfgsIterations, Field(discriminator="name", json_schema_extra={"x-group": "training"})
]


class Pools(Parameters):
    """Adversarial examples for the layers of the network, a part of which is replaced in every round by
    examples that fool the present weights."""

    size: int | None = Field(None, ge=1, le=1_000_000)
    """Examples in the pool of each layer. Empty: one for every six training images, 10,000 on MNIST."""

    refresh: float = Field(0.1, gt=0, le=1, json_schema_extra={"x-title": "Share replaced each round (q)"})
    """Part of a pool that is made anew in each round, from random training images."""

    weights: list[Annotated[float, Field(gt=0, le=100)]] = Field(
        [0.1], min_length=1, max_length=9, json_schema_extra={"x-title": "Weight of the pools (w)"}
    )
    """How much the mean loss over a pool counts beside that over the clean images: one number for every
    layer, or one each, beginning with the pixels."""

    staleness: Literal["recompute", "stale"] = Field(
        "recompute",
        json_schema_extra={
            **ADVANCED,
            "x-names": {"recompute": "the change is kept", "stale": "the changed code is kept"},
        },
    )
    """What of an example is kept while the layers below it go on learning. recompute: the change, which is
    added to the code that its image has now. stale: the changed code as it was."""

    target: Literal["random", "nearest"] = "random"
    """The wrong answer that an example is made for: drawn at random, or the one whose linearised boundary is
    closest, which needs a smaller change."""

    mode: Literal["tight", "paper"] = Field("tight", json_schema_extra=ADVANCED)
    """How the least change is searched. tight: the weight c is bisected, within a few passes. paper: c falls
    until the example succeeds, each time from scratch."""

    max_ticks: int = Field(
        10,
        ge=2,
        le=1000,
        json_schema_extra={**ADVANCED, "x-title": "Passes at most", "x-when": {"mode": ["tight"]}},
    )
    """Forward and backward passes for one example. With 10 the changes are a quarter longer than
    need be, as in a coarse search; with 20 a twentieth."""

    initial_c: float = Field(
        default=1.0, ge=1e-6, le=1e9, json_schema_extra={**PAPER_ONLY, "x-title": "First c"}
    )
    """First weight c of the change; it falls until the attack succeeds."""

    growth: float = Field(default=2.0, gt=1.0, le=100.0, json_schema_extra=PAPER_ONLY)
    """Factor between one c and the next."""

    max_iterations: int = Field(
        default=10, ge=1, le=10_000, json_schema_extra={**PAPER_ONLY, "x-title": "Iterations at most"}
    )
    """At most so many L-BFGS iterations for one value of c."""

    def settings(self, images: int) -> "PoolSettings":
        """For the science and so many training images."""
        from blindspots.science.adversarial_pools import PoolSettings
        from blindspots.science.attacks.minimum_distortion import Search

        names = ("max_ticks", "initial_c", "growth", "max_iterations")
        return PoolSettings(
            size=self.size or max(1, images // IMAGES_OF_AN_EXAMPLE),
            refresh=self.refresh,
            weights=tuple(self.weights),
            staleness=self.staleness,
            target=self.target,
            mode=self.mode,
            search=Search(**{name: getattr(self, name) for name in names}),
        )


class Rivals(Parameters):
    """What the arms do that have no pools."""

    input_dropout: float = Field(0.2, ge=0, le=0.95)
    """Share of pixels that dropout silences."""

    hidden_dropout: float = Field(0.5, ge=0, le=0.95)
    """Share of hidden units that dropout silences."""

    pgd_radius: float = Field(1.0, gt=0, le=100, json_schema_extra={"x-title": "PGD: radius"})
    """L2 norm within which the projected gradient looks for a worse image. On MNIST 1.0 is a distortion of
    0.036."""

    pgd_steps: int = Field(5, ge=1, le=1000, json_schema_extra={"x-title": "PGD: steps"})
    """Gradient steps for each image of each batch."""

    def settings(self, pools: Pools, images: int) -> "MixtureSettings":
        """For the science, with the pools for so many training images."""
        from blindspots.science.adversarial_mixture import MixtureSettings

        return MixtureSettings(
            pools=pools.settings(images),
            dropout=(self.input_dropout, self.hidden_dropout),
            radius=self.pgd_radius,
            steps=self.pgd_steps,
        )


class Evaluation(Parameters):
    """How robust each trained network is. The test error is always taken on all test images."""

    images: int = Field(500, ge=1, le=100_000, json_schema_extra={"x-title": "Test images to attack"})
    """A random sample, the same for every network."""

    radii: list[Annotated[float, Field(gt=0, le=1000)]] = Field(
        [0.5, 1.0, 1.5, 2.0], min_length=1, max_length=20
    )
    """L2 norms: the share of images that a change of at most that size turns wrong."""

    noise: list[Annotated[float, Field(gt=0, le=10)]] = Field(
        [0.1, 0.3], max_length=20, json_schema_extra={"x-title": "Noise, standard deviations"}
    )
    """Gaussian noise on all test images, not clipped, as in the paper's control rows."""
