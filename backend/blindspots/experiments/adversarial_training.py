"""Adversarial training: examples made for every layer of a network, mixed into its training set."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments.adversarial_training_arms import ALL, ARMS, ArmName, least_hidden
from blindspots.experiments.adversarial_training_figures import FIGURES
from blindspots.experiments.adversarial_training_parameters import (
    AdamEpochs,
    Evaluation,
    Pools,
    Rivals,
    RoundOptimiser,
)
from blindspots.experiments.adversarial_training_presets import PRESETS
from blindspots.experiments.adversarial_training_summary import summarise, table
from blindspots.experiments.base import Catalog, Context, NewModel, Outcome, Part, Result, Spec
from blindspots.experiments.dataset_checks import check_trainable
from blindspots.experiments.facts import DatasetFacts
from blindspots.experiments.parameters import Arrays
from blindspots.experiments.train import LARGEST_NETWORK, Decay
from blindspots.zoo.multilayer_perceptron import MultilayerPerceptron

if TYPE_CHECKING:
    from blindspots.science.weight_decay import WeightDecay

NAMES: dict[str, Any] = {name: facts.title for name, facts in ARMS.items()}
JOINED = (
    "wrong", "nearest_l2", "random_l2",
    "loss", "train_error", "test_error", "pool_error", "pool_distortion",
)  # fmt: skip


class AdversarialTraining(Spec):
    """Train a network on adversarial examples made for each of its layers, beside other ways of training.

    Szegedy et al. 2013, section 4. Every arm starts from the same weights and sees the same batches.
    """

    kind: Literal["adversarial_training"] = "adversarial_training"

    dataset: str = Field(
        "digits", min_length=1, max_length=100, json_schema_extra={"x-widget": "dataset", "x-group": "data"}
    )
    """The images to learn from; the test split is looked at after every round."""

    train_count: int | None = Field(None, ge=1, le=10**9, json_schema_extra={"x-group": "data"})
    """Learn from the first so many training images only; empty means all."""

    network: MultilayerPerceptron = Field(MultilayerPerceptron(), json_schema_extra={"x-group": "network"})
    """What is trained: sigmoid units, so that the codes of every layer lie between 0 and 1."""

    arms: list[ArmName] = Field(
        list(ALL),
        min_length=1,
        max_length=len(ARMS),
        json_schema_extra={"x-group": "training", "x-names": NAMES},
    )
    """What is compared. decay: weight decay only, as in all of them. dropout. input, layer1, layer2: a pool
    of adversarial examples for the pixels, or for one hidden layer, only. all: pools for all of these. noise:
    the same pools with random changes of the same norm. pgd: every image replaced by the worst nearby."""

    seeds: int = Field(5, ge=1, le=100, json_schema_extra={"x-group": "training"})
    """So many networks for each arm, each from starting weights of its own."""

    rounds: int = Field(20, ge=2, le=10_000, json_schema_extra={"x-group": "training"})
    """In each, the pools are refreshed and the network learns for a while. The first has no pools, because an
    untrained network has no mistakes to speak of."""

    optimiser: RoundOptimiser = AdamEpochs()
    """How it learns within a round."""

    weight_decay: Decay = Field(Decay(), json_schema_extra={"x-group": "training"})
    """What large weights cost, in every arm."""

    pools: Pools = Field(Pools(), json_schema_extra={"x-group": "training"})
    """The adversarial examples."""

    rivals: Rivals = Field(Rivals(), json_schema_extra={"x-group": "advanced", "x-title": "Other arms"})
    """Dropout and projected gradient steps."""

    evaluation: Evaluation = Field(Evaluation(), json_schema_extra={"x-group": "advanced"})
    """What is measured in the end."""

    heading: ClassVar[str] = "Adversarial training"
    figures = FIGURES
    presets = PRESETS

    def resolve(self, catalog: Catalog) -> Self:
        """Check that data set, network, arms and pools fit. Raises InvalidInput naming the field."""
        dataset = catalog.dataset(self.dataset, field="dataset")
        self._check_data(dataset)
        self._check_network(dataset)
        self._check_arms()
        hidden = len(self.network.widths)
        if len(self.pools.weights) not in (1, hidden + 1):
            raise InvalidInput(
                f"Give one weight for the pools of all layers, or {hidden + 1}: for the pixels and each "
                f"hidden layer. There are {len(self.pools.weights)}.",
                field="pools.weights",
            )
        penalties = self.weight_decay.penalties
        if penalties is not None and len(penalties) not in (1, hidden + 1):
            raise InvalidInput(
                f"This network has {hidden + 1} layers with a penalty; give that many numbers, or one for "
                f"all, or none. There are {len(penalties)}.",
                field="weight_decay.penalties",
            )
        return self

    def _check_data(self, dataset: DatasetFacts) -> None:
        check_trainable(dataset)
        size, test = dataset.sizes["train"], dataset.sizes["test"]
        if self.train_count is not None and self.train_count > size:
            raise InvalidInput(
                f"{dataset.title} has {size} training images; ask for 1 to {size}, or for all.",
                field="train_count",
            )
        if (self.pools.size or 0) > self._images(dataset):
            raise InvalidInput(
                f"A pool of {self.pools.size} examples is made from as many different training images, and "
                f"there are {self._images(dataset)}. Choose a smaller pool.",
                field="pools.size",
            )
        if self.evaluation.images > test:
            raise InvalidInput(
                f"{dataset.title} has {test} test images; attack 1 to {test} of them.",
                field="evaluation.images",
            )
        for name in ("radii", "noise"):
            values = getattr(self.evaluation, name)
            if len(set(values)) < len(values):
                raise InvalidInput("Give each number once.", field=f"evaluation.{name}")

    def _check_network(self, dataset: DatasetFacts) -> None:
        if self.network.activation != "sigmoid":
            raise InvalidInput(
                "The codes of every layer must lie between 0 and 1, as pixels do, to be changed within that "
                "box: choose sigmoid units.",
                field="network.activation",
            )
        count = self.network.parameter_count(dataset.shape, len(dataset.class_names))
        if count > LARGEST_NETWORK:
            raise InvalidInput(
                f"This network would have {count:,} parameters; at most {LARGEST_NETWORK:,} are trained. "
                "Choose fewer or narrower layers.",
                field="network",
            )

    def _check_arms(self) -> None:
        hidden = len(self.network.widths)
        for name in self.arms:
            if self.arms.count(name) > 1:
                raise InvalidInput(f"The arm {name} is named twice. Name each arm once.", field="arms")
            if least_hidden(name) > hidden:
                raise InvalidInput(
                    f"The arm {name} changes the codes of hidden layer {least_hidden(name)}, and this "
                    f"network has {hidden}. Leave the arm out, or add a layer.",
                    field="arms",
                )

    def plan(self, catalog: Catalog) -> list[Part]:
        """One part for each arm and seed, which resumes from its checkpoint."""
        dataset = catalog.dataset(self.dataset, field="dataset")
        count = self.network.parameter_count(dataset.shape, len(dataset.class_names))
        shared: dict[str, Any] = {
            "input_shape": list(dataset.shape),
            "class_names": list(dataset.class_names),
        }
        kept = 4 * count + dataset.sizes["test"] + 100 * self.rounds + 24 * self.evaluation.images
        return [
            Part(
                label=f"{ARMS[name].title}, seed {number}",
                parameters={"arm": name, "seed": number, **shared},
                units=ARMS[name].cost,
                bytes_kept=kept,
            )
            for number in range(self.seeds)
            for name in self.arms
        ]

    def _images(self, dataset: DatasetFacts) -> int:
        return self.train_count or dataset.sizes["train"]

    def inputs(self, catalog: Catalog) -> list[str]:
        """The pixels and labels."""
        return [catalog.dataset(self.dataset, field="dataset").sha256]

    def penalties(self) -> "WeightDecay":
        """The weight decay in force."""
        from blindspots.science.weight_decay import WeightDecay

        chosen = self.weight_decay.penalties
        return WeightDecay(self.weight_decay.mode, tuple(chosen or self.network.paper_penalties))

    def run(self, part: Part, context: Context) -> Result:
        """Train and measure one network, saving a checkpoint every few seconds."""
        from blindspots.experiments.adversarial_training_run import train_arm

        return train_arm(self, part, context)

    def merge(self, context: Context) -> Result:
        """The table of arms, curves and distances of all runs, and the first seed's networks as models."""
        parts = [context.part(number) for number in range(context.part_count())]
        shape = (self.seeds, len(self.arms))
        arrays: dict[str, Any] = {}
        for name in JOINED:
            stacked = np.stack([part.array(name) for part in parts])
            arrays[name] = stacked.reshape(*shape, *stacked.shape[1:]).swapaxes(0, 1)
            context.check_cancelled()
        arrays["attacked"] = parts[0].array("attacked")
        runs = [dict(part.summary) for part in parts]
        images, _ = context.dataset(self.dataset, "test")
        summary = summarise(self, runs, arrays, int(np.prod(images.shape[1:])))
        first = zip(self.arms, parts, strict=False)  # the parts begin with those of the first seed
        models = tuple(self._model(name, part, context) for name, part in first)
        return Result(arrays=arrays, summary=summary, models=models)

    def _model(self, name: ArmName, part: Any, context: Context) -> NewModel:
        facts = dict(part.summary)
        images, _ = context.dataset(self.dataset, "test")
        channels, height, width = images.shape[1:]
        weights = {
            key.removeprefix("weight."): part.array(key)
            for key in sorted(part.names)
            if key.startswith("weight.")
        }
        return NewModel(
            name=f"{self.dataset}-{name}",
            network=self.network.name,
            parameters=self.network.model_dump(mode="json", exclude={"name"}),
            weights=weights,
            input_shape=(channels, height, width),
            class_names=tuple(facts["class_names"]),
            dataset=self.dataset,
            multiply_adds=facts["multiply_adds"],
            metrics=self._metrics(name, facts),
            smooth=True,
        )

    def _metrics(self, name: ArmName, facts: dict[str, Any]) -> dict[str, Any]:
        return {
            "train_error": facts["train_wrong"] / facts["train_images"],
            "test_error": facts["test_wrong"] / facts["test_images"],
            "arm": name,
            "optimiser": self.optimiser.name,
            "weight_decay": self.weight_decay.mode,
            "penalties": list(self.penalties().penalties),
        }

    def table(self, outcome: Outcome) -> Arrays:
        """One row per arm and seed."""
        arms: Any = outcome.result.summary["arms"]
        return table([(arm, run) for arm in arms for run in arm["runs"]])

    def export_arrays(self, outcome: Outcome) -> Arrays:
        """The table, curves, wrong test images and distances to error."""
        stored = {name: outcome.result.array(name) for name in (*JOINED, "attacked")}
        return {**self.table(outcome), **{f"all_{name}": array for name, array in stored.items()}}
