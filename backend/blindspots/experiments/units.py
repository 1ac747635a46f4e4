"""Units against random directions: which images move a direction of a layer most, and what they share."""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue

from blindspots.errors import InvalidInput
from blindspots.experiments import units_rows
from blindspots.experiments.base import Catalog, Context, Outcome, Part, Result, Spec
from blindspots.experiments.examples import Example, ExamplePage, ExampleQuery
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Arrays
from blindspots.experiments.selection import DatasetImages, IndexedImages
from blindspots.experiments.units_arms import ARMS, WIDEST_ROTATION, ArmName
from blindspots.experiments.units_figures import FIGURES
from blindspots.zoo.layers import Layer, last_hidden, layers_of

WIDEST_FIT = 4096  # units whose covariance is taken apart
PART_SECONDS = 8.0
MULTIPLY_ADDS_PER_SECOND = 1e10  # of one core; rough, and only sizes the parts
LEAST_BLOCK = 2048  # images of a part

Images = Annotated[
    DatasetImages | IndexedImages,
    Field(discriminator="source", json_schema_extra={"x-group": "images"}),
]


class Units(Spec):
    """For every direction of a layer, the images that move it most: single units against random directions.

    Szegedy et al. 2013, section 3, figures 1 to 4.
    """

    kind: Literal["units"] = "units"

    model: str = Field(
        min_length=1, max_length=200, json_schema_extra={"x-widget": "model", "x-group": "model"}
    )
    """Name or id of the trained model."""

    layer: str | None = Field(
        None, min_length=1, max_length=100, json_schema_extra={"x-widget": "layer", "x-group": "model"}
    )
    """The layer whose codes are looked at; empty means the last hidden one, after its non-linearity. "sums"
    are what enters a non-linearity."""

    images: Images = DatasetImages(count=500)
    """The images among which the top ones are searched; best those that the model was not trained on."""

    arms: list[ArmName] = Field(
        ["natural", "random", "pca", "untrained", "random_images"],
        min_length=1,
        max_length=len(ARMS),
        json_schema_extra={
            "x-group": "directions",
            "x-names": {name: each.title for name, each in ARMS.items()},
        },
    )
    """Which directions are compared. natural: single units. random: columns of a random rotation. pca:
    directions of largest variance. ica: independent components. untrained: single units of the same network
    before any training. random_images: no direction at all, images drawn by chance."""

    units: int = Field(200, ge=1, le=1000, json_schema_extra={"x-group": "directions", "x-title": "Units"})
    """So many directions of each arm, drawn at random; at most as many as the layer has."""

    k: int = Field(8, ge=2, le=50, json_schema_extra={"x-group": "directions", "x-title": "Images of a row"})
    """So many images with the highest score are kept of each direction."""

    rotation_steps: int = Field(0, ge=0, le=9, json_schema_extra={"x-group": "directions"})
    """Stops on the way from the natural basis to the random one: the same rotation, carried out in part. The
    result then shows how the rows change on the way."""

    spatial: Literal["max", "mean"] = Field("max", json_schema_extra={"x-group": "advanced"})
    """Of a convolutional layer: what stands for a channel, its largest value over all positions or the
    mean."""

    centre: bool = Field(False, json_schema_extra={"x-group": "advanced"})
    """Subtract the mean code. It shifts the scores of a direction by one number, so it changes no row."""

    whiten: bool = Field(False, json_schema_extra={"x-group": "advanced"})
    """Give the codes mean 0 and covariance 1 first, so that no direction is favoured by a large spread. Rows
    of single units change too: they then belong to whitened units."""

    judge: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        json_schema_extra={"x-widget": "model", "x-group": "advanced", "x-title": "Judging network"},
    )
    """Another network, in whose last hidden layer the top images of a row are held against each other: are
    they alike in more than their pixels? Empty: none."""

    code_version: ClassVar[int] = 2
    heading: ClassVar[str] = "Units"
    figures = FIGURES

    @classmethod
    def headline(cls, summary: Any) -> dict[str, Any]:
        """The verdict and what was looked at."""
        names = ("conclusion", "verdict", "layer", "images", "inspected")
        return {name: summary[name] for name in names if name in summary}

    def resolve(self, catalog: Catalog) -> Self:
        """Check the references, and name model and layer. Raises InvalidInput naming the field."""
        model = catalog.model(self.model, field="model")
        self.images.check(catalog, model, labelled=False)
        layer = self.find_layer(model)
        count = self.images.count_rows()
        if self.k > count:
            raise InvalidInput(
                f"A row of {self.k} images needs at least as many to choose from; there are {count}.",
                field="k",
            )
        self._check_arms(layer)
        judge = self._judging(catalog, model)
        named = {"model": model.id, "layer": layer.name, "judge": judge and judge.id}
        return self.model_copy(update=named)

    def _judging(self, catalog: Catalog, model: ModelFacts) -> ModelFacts | None:
        if self.judge is None:
            return None
        judge = catalog.model(self.judge, field="judge")
        if judge.input_shape != model.input_shape:
            raise InvalidInput(
                f"{judge.name} reads images of another shape than {model.name}; choose one that reads the "
                "same.",
                field="judge",
            )
        if judge.id == model.id:
            raise InvalidInput("A network does not judge its own units; choose another one.", field="judge")
        return judge

    def find_layer(self, model: ModelFacts) -> Layer:
        """The layer that is meant. Raises InvalidInput listing those that there are."""
        known = layers_of(model.network, model.parameters, model.input_shape, len(model.class_names))
        if self.layer is None:
            return last_hidden(known)
        for layer in known:
            if layer.name == self.layer:
                return layer
        listed = ", ".join(f"{each.name} ({' × '.join(map(str, each.shape))})" for each in known)
        raise InvalidInput(
            f"The model {model.name} has no layer {self.layer!r}. It has: {listed}.", field="layer"
        )

    def _check_arms(self, layer: Layer) -> None:
        for name in self.arms:
            if self.arms.count(name) > 1:
                raise InvalidInput(f"The arm {name} is named twice. Name each arm once.", field="arms")
        if set(self.arms) == {"random_images"}:
            raise InvalidInput("Random images alone say nothing of a network; add an arm.", field="arms")
        if self.is_fitted() and layer.units > WIDEST_FIT:
            field = "whiten" if self.whiten else "arms"
            raise InvalidInput(
                f"The layer {layer.name} has {layer.units} units; the covariance of its codes is taken apart "
                f"for at most {WIDEST_FIT}. Leave out pca, ica and whitening, or choose a narrower layer.",
                field=field,
            )
        if self.rotation_steps == 0:
            return
        if not {"natural", "random"} <= set(self.arms):
            raise InvalidInput(
                "A rotation leads from the natural units to the random directions: choose both arms.",
                field="rotation_steps",
            )
        if layer.units > WIDEST_ROTATION:
            raise InvalidInput(
                f"The layer {layer.name} has {layer.units} units; a rotation is carried out in part for at "
                f"most {WIDEST_ROTATION}.",
                field="rotation_steps",
            )

    def is_fitted(self) -> bool:
        """Whether directions depend on a sample of the codes."""
        return self.whiten or bool({"pca", "ica"} & set(self.arms))

    def plan(self, catalog: Catalog) -> list[Part]:
        """Blocks of images for the trained network, and for the untrained one. All arms of a network share
        its forward pass. Where directions are fitted to codes, one part does all: on another machine they
        could come out in another order."""
        model = catalog.model(self.model, field="model")
        layer = self.find_layer(model)
        total, size = self.images.count_rows(), self._block(model)
        trained = [name for name in self.arms if not ARMS[name].untrained and ARMS[name].passes]
        passes = [(False, len(trained) + self.rotation_steps)] if trained else []
        passes += [(True, 1)] if "untrained" in self.arms else []
        row_bytes = 4 * layer.units + 16 * self.k + 16 * len(model.class_names)
        parts = []
        for untrained, arms in passes:
            step = total if (self.whiten if untrained else self.is_fitted()) else size
            for start in range(0, total, step):
                stop = min(start + step, total)
                name = "untrained network" if untrained else "trained network"
                parameters: dict[str, JsonValue] = {"untrained": untrained, "start": start, "stop": stop}
                kept = arms * min(self.units, layer.units) * row_bytes + 12 * (stop - start)
                label = f"{name}, images {start}–{stop - 1}"
                parts.append(Part(label=label, parameters=parameters, units=stop - start, bytes_kept=kept))
        return parts

    def _block(self, model: ModelFacts) -> int:
        seconds = model.multiply_adds / MULTIPLY_ADDS_PER_SECOND + math.prod(model.input_shape) * 1e-9
        return max(LEAST_BLOCK, int(PART_SECONDS / seconds))

    def image_count(self) -> int:
        """As many as were chosen."""
        return self.images.count_rows()

    def inputs(self, catalog: Catalog) -> list[str]:
        """The weights and the pixels."""
        judge = [] if self.judge is None else [catalog.model(self.judge, field="judge").weights_sha256]
        own = catalog.model(self.model, field="model").weights_sha256
        return [own, *self.images.inputs(catalog), *judge]

    def run(self, part: Part, context: Context) -> Result:
        """One forward pass of a block of images, and the top images of every direction in it."""
        from blindspots.experiments.units_run import watch_block

        return watch_block(self, part, context)

    def merge(self, context: Context) -> Result:
        """The rows of all arms, their scores, and the tests between the arms."""
        from blindspots.experiments.units_merge import merge_parts

        return merge_parts(self, context)

    def examples(self, outcome: Outcome, query: ExampleQuery) -> ExamplePage:
        """Rows of images; `row` chooses the arm."""
        return units_rows.page(outcome, query)

    def example(self, outcome: Outcome, index: int, column: int | None = None) -> Example | None:  # noqa: ARG002
        """One direction as data."""
        return units_rows.detail(outcome, index)

    def table(self, outcome: Outcome) -> Arrays:
        """One line per direction."""
        return units_rows.table(outcome)

    def export_arrays(self, outcome: Outcome) -> Arrays:
        """The lines, the top images with their scores, and the directions themselves."""
        return units_rows.everything(outcome)
