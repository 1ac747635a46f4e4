"""Add a model: a network that was trained elsewhere, examined before anybody attacks it."""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Catalog, Context, Part, Result, Spec
from blindspots.experiments.dataset_checks import same_in_another_order
from blindspots.experiments.facts import DatasetFacts, WeightFacts
from blindspots.experiments.import_model_figures import FIGURES
from blindspots.experiments.import_model_parameters import (
    ImportedNetwork,
    OnnxFile,
    Preprocessing,
    registered,
)
from blindspots.zoo.network import NetworkParameters, Shape

Side = Annotated[int, Field(ge=1, le=4096)]
ClassName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
MOST_CLASSES = 100_000
NAMED = 5  # wrong weights that an error names


class ImportModel(Spec):
    """Take a network that was trained elsewhere, from safetensors or ONNX, and examine it.

    The gate: does it answer, does it answer alone as in a batch, does its gradient agree with finite
    differences, how many clean images does it get right? Everybody who uses the model sees what was found.
    """

    kind: Literal["import_model"] = "import_model"

    weights: str = Field(
        pattern="^[0-9a-f]{64}$",
        json_schema_extra={"x-widget": "weights", "x-group": "model", "x-title": "File"},
    )
    """The uploaded file: safetensors for one of the networks here, or ONNX from any framework."""

    network: ImportedNetwork = Field(OnnxFile(), json_schema_extra={"x-group": "network"})
    """Which network the weights are for."""

    input_shape: list[Side] | None = Field(
        None,
        min_length=3,
        max_length=3,
        json_schema_extra={"x-group": "network", "x-placeholder": "3, 224, 224"},
    )
    """Channels, height and width of its images. Empty: as the ONNX file says, or those of the data set."""

    class_names: list[ClassName] | None = Field(
        None, min_length=2, max_length=MOST_CLASSES, json_schema_extra={"x-group": "network"}
    )
    """What its answers mean, in their order. Empty: those of the data set, or numbers."""

    preprocessing: Preprocessing = Field(Preprocessing(), json_schema_extra={"x-group": "preprocessing"})
    """What was done to the pixels before."""

    dataset: str | None = Field(
        None, min_length=1, max_length=100, json_schema_extra={"x-widget": "dataset", "x-group": "data"}
    )
    """Labelled images to measure its clean error on. Without them nobody knows how good it is."""

    split: Literal["train", "test"] = Field("test", json_schema_extra={"x-group": "data"})
    """The images it was not trained on."""

    count: int = Field(1000, ge=10, le=1_000_000, json_schema_extra={"x-group": "data"})
    """How many of them, at most."""

    model_name: str = Field(
        "", max_length=100, pattern=r"^([A-Za-z0-9][A-Za-z0-9 ._-]*)?$", json_schema_extra={"x-group": "job"}
    )
    """What the model will be called. A name that is taken gets a number."""

    heading: ClassVar[str] = "Add a model"
    figures = FIGURES

    def resolve(self, catalog: Catalog) -> Self:
        """Check that file, network, shape, classes and data set fit. Raises InvalidInput naming the field."""
        weights = catalog.weight_file(self.weights, field="weights")
        network = registered(self.network)
        if (weights.form == "onnx") != (network is None):
            raise InvalidInput(
                "This is an ONNX file, which holds its own network."
                if weights.form == "onnx"
                else "A safetensors file holds numbers without a network; choose the one they are for.",
                field="network",
            )
        dataset = catalog.dataset(self.dataset, field="dataset") if self.dataset else None
        shape = self._shape(weights, dataset)
        names = self._names(weights, dataset, shape)
        mean, scale = self.preprocessing.mean_and_scale(shape[0])
        if network is not None:
            if not network.first_layer and (any(mean) or any(each != 1 for each in scale)):
                raise InvalidInput(
                    "This network has settings of its own for mean and deviation; give them there.",
                    field="preprocessing",
                )
            _check_weights(network, weights, shape, len(names))
        if dataset is not None:
            _check_dataset(dataset, shape, names, self.split)
        return self.model_copy(update={"input_shape": list(shape), "class_names": list(names)})

    def _shape(self, weights: WeightFacts, dataset: DatasetFacts | None) -> Shape:
        """Channels, height, width: given, of the file, or of the data set, in this order."""
        known = weights.graph.get("image_shape")
        found = self.input_shape or known or (dataset.shape if dataset else None)
        if not isinstance(found, list | tuple) or any(side is None for side in found):
            raise InvalidInput(
                "Give channels, height and width of the images, for instance 3, 224, 224"
                + ("; the file leaves them open." if weights.form == "onnx" else "."),
                field="input_shape",
            )
        channels, height, width = (int(str(side)) for side in found)
        if isinstance(known, list) and any(
            side not in (None, own) for side, own in zip(known, (channels, height, width), strict=True)
        ):
            raise InvalidInput(
                f"The file reads images of {' × '.join(str(side) for side in known)}.", field="input_shape"
            )
        return channels, height, width

    def _names(self, weights: WeightFacts, dataset: DatasetFacts | None, shape: Shape) -> tuple[str, ...]:
        """Given, or of the data set, or as many numbers as the file has answers."""
        if self.class_names:
            if len(set(self.class_names)) < len(self.class_names):
                raise InvalidInput("Two classes have the same name.", field="class_names")
            return tuple(self.class_names)
        if dataset is not None and dataset.class_names:
            return dataset.class_names
        count = weights.graph.get("classes") or self._outputs(weights, shape)
        if not isinstance(count, int):
            raise InvalidInput(
                "The file does not say how many classes there are: name them.", field="class_names"
            )
        return tuple(str(number) for number in range(count))

    def _outputs(self, weights: WeightFacts, shape: Shape) -> int | None:
        """Rows of the last layer's weights, of a registered network."""
        network = registered(self.network)
        if network is None:
            return None
        last = list(network.weight_shapes(shape, 2))[-1]
        found = weights.tensors.get(last)
        return found[0] if found else None

    def image_count(self) -> int:
        """At most."""
        return self.count if self.dataset else 0

    def plan(self, catalog: Catalog) -> list[Part]:
        """One part: build it, examine it, measure it."""
        weights = catalog.weight_file(self.weights, field="weights")
        size = sum(4 * math.prod(shape) for shape in weights.tensors.values())
        return [Part(label="the gate", units=1, bytes_kept=size or 1 << 20)]

    def inputs(self, catalog: Catalog) -> list[str]:
        """The weights and the images."""
        images = [catalog.dataset(self.dataset, field="dataset").sha256] if self.dataset else []
        return [self.weights, *images]

    def run(self, part: Part, context: Context) -> Result:  # noqa: ARG002
        """Build the network and examine it."""
        from blindspots.experiments.import_model_run import examine_model

        return examine_model(self, context)

    def merge(self, context: Context) -> Result:
        """The model, with what the gate found."""
        from blindspots.experiments.import_model_run import entered_model

        return entered_model(self, context)


def _check_weights(network: NetworkParameters, weights: WeightFacts, shape: Shape, classes: int) -> None:
    """Raises InvalidInput where names or shapes are not those of the network."""
    unfit = network.unfit(shape)
    if unfit is not None:
        raise InvalidInput(unfit, field="input_shape")
    wanted = network.weight_shapes(shape, classes)
    missing = [name for name in wanted if name not in weights.tensors]
    extra = [name for name in weights.tensors if name not in wanted]
    if missing or extra:
        said = [("lacks", missing), ("also holds", extra)]
        found = " and ".join(f"{verb} {_some(names)}" for verb, names in said if names)
        raise InvalidInput(f"The file {found}; this network has {_some(list(wanted))}.", field="weights")
    wrong = [
        f"{name} is {_sides(weights.tensors[name])}, not {_sides(sides)}"
        for name, sides in wanted.items()
        if tuple(weights.tensors[name]) != tuple(sides)
    ]
    if wrong:
        raise InvalidInput(
            f"Shapes do not fit: {_some(wrong)}. Check the network's sizes, the images' and the number of "
            "classes.",
            field="weights",
        )


def _check_dataset(dataset: DatasetFacts, shape: Shape, names: tuple[str, ...], split: str) -> None:
    if tuple(dataset.shape) != shape:
        raise InvalidInput(
            f"The images of {dataset.title} are {_sides(dataset.shape)}, but this network reads "
            f"{_sides(shape)} (channels × height × width).",
            field="dataset",
        )
    if len(dataset.class_names) != len(names):
        raise InvalidInput(
            f"{dataset.title} has {len(dataset.class_names)} classes, but {len(names)} are named here.",
            field="dataset",
        )
    if same_in_another_order(dataset.class_names, names):
        raise InvalidInput(
            f"{dataset.title} has the same classes in another order: {', '.join(dataset.class_names)[:900]}. "
            "If the file has them so, give that order; else make the set again with its classes in yours.",
            field="class_names",
        )
    if not dataset.sizes.get(split):
        raise InvalidInput(f"{dataset.title} has no {split} images.", field="split")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _sides(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in shape) or "a single number"
