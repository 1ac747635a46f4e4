"""The attacks that a user can choose from: one class each, its parameters with their ranges, and its paper.

A method maps its parameters onto one function of `science/attacks`, imported only when the attack runs. A new
attack is one function there, one class here and its name in `Method`.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments.attack_method import (
    ADVANCED,
    TARGET_CLASS,
    AttackMethod,
    Progress,
    check_target,
)
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array

if TYPE_CHECKING:
    from torch import Tensor, nn

    from blindspots.science.attacks.result import AttackResult

TargetRule = Literal["random", "nearest", "second", "least_likely", "given", "untargeted"]
NORM: dict[str, Any] = {**ADVANCED, "x-names": {"sq_l2": "squared L2", "l2": "L2", "l1": "L1"}}
PAPER_ONLY: dict[str, Any] = {**ADVANCED, "x-when": {"mode": ["paper"]}}
BISECTING_ONLY: dict[str, Any] = {**ADVANCED, "x-when": {"mode": ["tight", "nearest"]}}


class MinimumDistortion(AttackMethod):
    """The paper's attack: box-constrained L-BFGS on c·|r| + loss(x + r, target), and a search for the c that
    gives the nearest adversarial image."""

    name: Literal["minimum_distortion"] = "minimum_distortion"

    mode: Literal["paper", "tight", "nearest"] = "tight"
    """How hard to search. paper: a coarse search for c, which fits the paper's numbers. tight: c is
    bisected, and any shorter change found on the way is kept. nearest: as tight, for each of the likeliest
    wrong answers, and the shortest wins; it chooses its own targets."""

    target: TargetRule = Field(
        default="random",
        json_schema_extra={"x-when": {"mode": ["paper", "tight"]}, "x-names": {"given": "the same for all"}},
    )
    """Which wrong answer to aim for. random: drawn for each image from the seed. nearest: the one whose
    linearised boundary is closest. second, least_likely: by the model's own ranking. given: the class named
    below, the same for all images; those that are of it already count as done, and not as attacked.
    untargeted: any answer but the label."""

    target_class: int | None = Field(default=None, ge=0, le=999_999, json_schema_extra=TARGET_CLASS)
    """The class to aim for; named exactly when the target is given."""

    norm: Literal["sq_l2", "l2", "l1"] = Field(default="sq_l2", json_schema_extra=NORM)
    """How |r| measures the change. The paper does not say; squared L2 has no kink at 0."""

    polish: bool = Field(default=False, json_schema_extra=ADVANCED)
    """End at the nearest point of the decision boundary, which is shorter than the paper's objective allows,
    because cross-entropy is not a distance: a walk along the boundary finds it. Not with L1."""

    initial_c: float = Field(
        default=1000.0, ge=1e-6, le=1e9, json_schema_extra={**PAPER_ONLY, "x-title": "First c"}
    )
    """First weight c of the change; it falls until the attack succeeds."""

    growth: float = Field(default=2.0, gt=1.0, le=100.0, json_schema_extra=PAPER_ONLY)
    """Factor between one c and the next."""

    max_growths: int = Field(
        default=40, ge=1, le=200, json_schema_extra={**PAPER_ONLY, "x-title": "Values of c at most"}
    )
    """At most so many values of c before the image counts as failed."""

    bisections: int = Field(default=0, ge=0, le=50, json_schema_extra=PAPER_ONLY)
    """Refinements of c after the first success; 0 is the coarse search."""

    max_iterations: int = Field(
        default=100, ge=1, le=10_000, json_schema_extra={**PAPER_ONLY, "x-title": "Iterations at most"}
    )
    """At most so many L-BFGS iterations for one value of c."""

    max_ticks: int = Field(
        default=40, ge=2, le=10_000, json_schema_extra={**BISECTING_ONLY, "x-title": "Passes at most"}
    )
    """Forward and backward passes per image and target."""

    polish_ticks: int = Field(
        default=40, ge=2, le=10_000, json_schema_extra={**ADVANCED, "x-when": {"polish": [True]}}
    )
    """Passes of the polish's walk along the boundary. In modes tight and nearest the walk takes the place of
    the search for c, which then serves only images that the walk cannot reach."""

    candidates: int = Field(
        default=4, ge=1, le=100, json_schema_extra={**ADVANCED, "x-when": {"mode": ["nearest"]}}
    )
    """How many of the likeliest wrong answers to try per image."""

    restarts: int = Field(
        default=0, ge=0, le=1000, json_schema_extra={**ADVANCED, "x-when": {"polish": [True]}}
    )
    """Further walks of the polish, from random points near the best one found. Networks with rectified
    units have many local minima: a few restarts shorten the change by about one percent there. Smooth ones
    gain nothing."""

    heading: ClassVar[str] = "Minimum distortion (L-BFGS)"
    paper: ClassVar[str] = "Szegedy et al. 2013, arXiv 1312.6199, section 4.1"

    def check(self, model: ModelFacts) -> None:
        """The target class is named exactly when it is used."""
        check_target(self.target, self.target_class, model)
        if self.mode == "nearest" and self.target == "given":
            raise InvalidInput(
                "Mode nearest chooses its own targets; use mode tight or paper with a given target.",
                field="method.target",
            )
        if self.polish and self.norm == "l1":
            raise InvalidInput(
                "The polish finds the nearest point in the Euclidean sense; use it with norm sq_l2 or l2.",
                field="method.polish",
            )

    def given_target(self) -> int | None:
        return self.target_class

    def any_wrong_answer(self) -> bool:
        return self.mode == "nearest" or self.target in ("nearest", "untargeted")

    def passes(self) -> int:
        polish = self.polish_ticks * (1 + self.restarts) if self.polish else 0
        if self.mode == "paper":
            return 10 * min(self.max_iterations, 6) + polish  # about ten values of c, seldom to the limit
        return self.max_ticks * (self.candidates if self.mode == "nearest" else 1) + polish

    def trace_length(self) -> int:
        return 12

    def attack(
        self, network: "nn.Module", images: "Tensor", labels: "Tensor", *, seeds: Array, progress: Progress
    ) -> "AttackResult":
        import torch

        from blindspots.science.attacks.minimum_distortion import Search, minimum_distortion

        given = None if self.target_class is None else torch.full_like(labels, self.target_class)
        search = Search(
            initial_c=self.initial_c,
            growth=self.growth,
            bisections=self.bisections,
            max_growths=self.max_growths,
            max_iterations=self.max_iterations,
            max_ticks=self.max_ticks,
            polish_ticks=self.polish_ticks,
            candidates=self.candidates,
            restarts=self.restarts,
        )
        return minimum_distortion(
            network,
            images,
            labels,
            mode=self.mode,
            target_rule=self.target,
            given=given,
            norm=self.norm,
            polish=self.polish,
            seeds=seeds,
            search=search,
            progress=progress,
        )


class GaussianNoise(AttackMethod):
    """The paper's control: independent normal noise on every pixel. What noise of this size does not change,
    an attack of the same size does."""

    name: Literal["gaussian_noise"] = "gaussian_noise"

    sigma: float = Field(default=0.1, ge=0.0, le=10.0, json_schema_extra={"x-title": "Standard deviation"})
    """Standard deviation of the noise; a pixel's range is 0 to 1. The paper uses 0.06, 0.1, 0.3 and 1."""

    clip: bool = False
    """Put the noisy pixels back into 0 to 1. The paper's numbers are matched without."""

    heading: ClassVar[str] = "Gaussian noise (control)"
    paper: ClassVar[str] = "Szegedy et al. 2013, arXiv 1312.6199, tables 2 and 4, figure 7c"

    def attack(
        self, network: "nn.Module", images: "Tensor", labels: "Tensor", *, seeds: Array, progress: Progress
    ) -> "AttackResult":
        from blindspots.science.attacks.gaussian import gaussian

        return gaussian(
            network, images, labels, sigma=self.sigma, clip=self.clip, seeds=seeds, progress=progress
        )


class ExactLinear(AttackMethod):
    """The true optimum for networks whose logits are affine in the pixels (softmax regression): a closed
    form up to a one-dimensional root, for a target up to a convex dual. What every search is held against."""

    name: Literal["exact_linear"] = "exact_linear"

    target: Literal["untargeted", "random", "given"] = "untargeted"
    """untargeted: the nearest image with any other answer. random: drawn for each image from the seed.
    given: the class named below."""

    target_class: int | None = Field(default=None, ge=0, le=999_999, json_schema_extra=TARGET_CLASS)
    """The class to aim for; named exactly when the target is given."""

    heading: ClassVar[str] = "Exact optimum (linear networks)"
    paper: ClassVar[str] = "Projection onto a half-space in a box; for a target, the dual quadratic programme"

    def check(self, model: ModelFacts) -> None:
        """The network is linear, and the target class is named exactly when it is used."""
        if not model.linear:
            raise InvalidInput(
                f"The exact optimum is known for linear networks only, and {model.name} is not linear. "
                "Choose a softmax model, or another method.",
                field="method.name",
            )
        check_target(self.target, self.target_class, model)

    def given_target(self) -> int | None:
        return self.target_class

    def any_wrong_answer(self) -> bool:
        return self.target == "untargeted"

    def passes(self) -> int:
        return 50

    def attack(
        self, network: "nn.Module", images: "Tensor", labels: "Tensor", *, seeds: Array, progress: Progress
    ) -> "AttackResult":
        from blindspots.experiments.attack_exact import attack_exactly

        return attack_exactly(
            network,
            images,
            labels,
            rule=self.target,
            target_class=self.target_class,
            seeds=seeds,
            progress=progress,
        )


Method = Annotated[
    MinimumDistortion | GaussianNoise | ExactLinear,
    Field(discriminator="name", json_schema_extra={"x-group": "method"}),
]
