"""Train: one network on one data set, until it converges."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Catalog, Context, NewModel, Part, Result, Spec
from blindspots.experiments.dataset_checks import check_trainable
from blindspots.experiments.facts import DatasetFacts, ModelFacts
from blindspots.experiments.parameters import Parameters
from blindspots.experiments.train_figures import FIGURES
from blindspots.experiments.train_presets import PRESETS
from blindspots.zoo.architectures import Network
from blindspots.zoo.multilayer_perceptron import MultilayerPerceptron

if TYPE_CHECKING:
    from blindspots.science.weight_decay import WeightDecay

LARGEST_NETWORK = 20_000_000  # parameters: L-BFGS keeps 40 vectors of that length
ADVANCED: dict[str, Any] = {"x-group": "advanced"}


class Lbfgs(Parameters):
    """All images at once, by L-BFGS with a strong-Wolfe line search, until it converges; as the paper trains.

    Dropout is off.
    """

    name: Literal["lbfgs"] = "lbfgs"

    max_iterations: int = Field(600, ge=1, le=100_000)
    """Iterations at most. Test error still falls long after the training error has reached zero."""

    history: int = Field(20, ge=1, le=100, json_schema_extra=ADVANCED)
    """Steps that are remembered to guess the curvature."""

    gradient_tolerance: float = Field(1e-6, ge=0, le=1, json_schema_extra=ADVANCED)
    """Converged when no component of the gradient is larger than this."""

    relative_loss_tolerance: float = Field(1e-10, ge=0, le=1, json_schema_extra=ADVANCED)
    """Converged when an iteration lowers the loss by less than this share."""


class Adam(Parameters):
    """Shuffled batches, by Adam, for a fixed number of epochs; quicker for large networks."""

    name: Literal["adam"] = "adam"

    epochs: int = Field(10, ge=1, le=10_000)
    """How often every image is seen."""

    batch_size: int = Field(128, ge=1, le=65_536)
    """Images of one step."""

    learning_rate: float = Field(1e-3, gt=0, le=1)
    """Length of the steps."""


Optimiser = Annotated[Lbfgs | Adam, Field(discriminator="name", json_schema_extra={"x-group": "training"})]


class Decay(Parameters):
    """Weight decay: large weights cost. The paper's text and the paper's numbers disagree on how much."""

    mode: Literal["half_l2_with_bias", "half_l2", "l2", "literal_k_units"] = Field(
        "half_l2_with_bias",
        json_schema_extra={
            "x-names": {
                "half_l2_with_bias": "λ/2 · ‖w, b‖²: the paper's numbers",
                "half_l2": "λ/2 · ‖w‖², biases free",
                "l2": "λ · ‖w‖²",
                "literal_k_units": "λ · ‖w‖² / k, k units: the paper's text",
            }
        },
    )
    """How lambda enters the loss. Only the first reading reproduces table 1; the printed formula does not."""

    penalties: list[Annotated[float, Field(ge=0, le=1000)]] | None = Field(None, min_length=1, max_length=16)
    """Lambda of each layer, from the pixels to the output, or one for all. Empty: as in the paper."""


class Train(Spec):
    """Train a network of the paper on a data set, and keep it as a model that can be attacked.

    Szegedy et al. 2013, section 3.1. It goes on from its last checkpoint after an interruption.
    """

    kind: Literal["train"] = "train"

    dataset: str = Field(
        "digits", min_length=1, max_length=100, json_schema_extra={"x-widget": "dataset", "x-group": "data"}
    )
    """The images to learn from; their test split is only looked at."""

    train_count: int | None = Field(None, ge=1, le=10**9, json_schema_extra={"x-group": "data"})
    """Learn from the first so many training images only; empty means all."""

    network: Network = Field(MultilayerPerceptron(), json_schema_extra={"x-group": "network"})
    """What is trained."""

    optimiser: Optimiser = Lbfgs()
    """How it is trained."""

    weight_decay: Decay = Field(Decay(), json_schema_extra={"x-group": "training"})
    """What large weights cost."""

    model_name: str = Field(
        "", max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$", json_schema_extra={"x-group": "job"}
    )
    """What the model will be called; empty means data set and network. A name that is taken gets a number."""

    heading: ClassVar[str] = "Train"
    figures = FIGURES
    presets = PRESETS

    def resolve(self, catalog: Catalog) -> Self:
        """Check that data set, network and penalties fit. Raises InvalidInput naming the field."""
        dataset = catalog.dataset(self.dataset, field="dataset")
        check_trainable(dataset)
        size = dataset.sizes["train"]
        if self.train_count is not None and self.train_count > size:
            raise InvalidInput(
                f"{dataset.title} has {size} training images; ask for 1 to {size}, or for all.",
                field="train_count",
            )
        unfit = self.network.unfit(dataset.shape)
        if unfit is not None:
            raise InvalidInput(unfit, field=f"network.{self.network.unfit_field}")
        count = self.network.parameter_count(dataset.shape, len(dataset.class_names))
        if count > LARGEST_NETWORK:
            raise InvalidInput(
                f"This network would have {count:,} parameters; at most {LARGEST_NETWORK:,} are trained. "
                "Choose fewer or narrower layers.",
                field="network",
            )
        layers, penalties = self.network.layers, self.weight_decay.penalties
        if penalties is not None and len(penalties) not in (1, len(layers)):
            raise InvalidInput(
                f"This network has {len(layers)} layers with a penalty ({', '.join(layers)}); give that many "
                f"numbers, or one for all, or none. There are {len(penalties)}.",
                field="weight_decay.penalties",
            )
        return self

    def plan(self, catalog: Catalog) -> list[Part]:
        """One part, which resumes from its checkpoint."""
        dataset = catalog.dataset(self.dataset, field="dataset")
        count = self.network.parameter_count(dataset.shape, len(dataset.class_names))
        rows = self.optimiser.max_iterations if isinstance(self.optimiser, Lbfgs) else self.optimiser.epochs
        return [
            Part(
                label=f"training on {self._images(dataset)} images",
                parameters={"input_shape": list(dataset.shape), "class_names": list(dataset.class_names)},
                bytes_kept=4 * count + 40 * rows,
            )
        ]

    def _images(self, dataset: DatasetFacts) -> int:
        return self.train_count or dataset.sizes["train"]

    def _model_name(self) -> str:
        """What the user called it, else data set and network."""
        return self.model_name.strip() or f"{self.dataset.replace(':', '-')}-{self.network.short_name}"

    def _penalties(self) -> list[float]:
        return list(self.weight_decay.penalties or self.network.paper_penalties)

    def promised_model(self, catalog: Catalog) -> ModelFacts:
        """The model that will be trained, without id and weights."""
        dataset = catalog.dataset(self.dataset, field="dataset")
        return ModelFacts(
            id="",
            name=self._model_name(),
            network=self.network.name,
            parameters=self.network.model_dump(mode="json", exclude={"name"}),
            weights_sha256="",
            input_shape=dataset.shape,
            class_names=dataset.class_names,
            dataset=self.dataset,
            multiply_adds=self.network.multiply_adds(dataset.shape, len(dataset.class_names)),
            linear=self.network.linear,
            smooth=self.network.smooth,
            metrics={
                "train_images": self._images(dataset),
                "optimiser": self.optimiser.name,
                "weight_decay": self.weight_decay.mode,
                "penalties": list[JsonValue](self._penalties()),
            },
        )

    def inputs(self, catalog: Catalog) -> list[str]:
        """The pixels and labels."""
        return [catalog.dataset(self.dataset, field="dataset").sha256]

    def penalties(self) -> "WeightDecay":
        """The weight decay in force."""
        from blindspots.science.weight_decay import WeightDecay

        return WeightDecay(self.weight_decay.mode, tuple(self._penalties()))

    def run(self, part: Part, context: Context) -> Result:
        """Train, saving a checkpoint every few seconds."""
        from blindspots.experiments.train_run import train

        return train(self, part, context)

    def merge(self, context: Context) -> Result:
        """The trained model, and its curves."""
        trained = context.part(0)
        facts: dict[str, Any] = dict(trained.summary)
        input_shape, class_names = tuple(facts.pop("input_shape")), tuple(facts.pop("class_names"))
        multiply_adds = facts.pop("multiply_adds")
        weights = {
            name.removeprefix("weight."): trained.array(name)
            for name in sorted(trained.names)
            if name.startswith("weight.")
        }
        model = NewModel(
            name=self._model_name(),
            network=self.network.name,
            parameters=self.network.model_dump(mode="json", exclude={"name"}),
            weights=weights,
            input_shape=input_shape,
            class_names=class_names,
            dataset=self.dataset,
            multiply_adds=multiply_adds,
            metrics=facts,
            linear=self.network.linear,
            smooth=self.network.smooth,
        )
        curves = {name: trained.array(name) for name in sorted(trained.names) if "weight." not in name}
        return Result(arrays=curves, summary={"model_name": model.name, **facts}, models=(model,))
