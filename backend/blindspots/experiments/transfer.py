"""The transfer: do images that were made to fool one model fool other models too?"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, JsonValue

from blindspots.experiments import transfer_examples
from blindspots.experiments.attack import Attack
from blindspots.experiments.base import Catalog, Context, Outcome, Part, Result, Spec, Step
from blindspots.experiments.examples import Example, ExamplePage, ExampleQuery
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.methods import Method, MinimumDistortion
from blindspots.experiments.parameters import Arrays
from blindspots.experiments.selection import DatasetImages, ImageSelection, UploadedImage
from blindspots.experiments.transfer_checks import check_plan
from blindspots.experiments.transfer_figures import FIGURES
from blindspots.experiments.transfer_parameters import AmplifiedRows, NoiseRows
from blindspots.experiments.transfer_rows import rows_of

BLOCK = 128  # images: parts are a multiple of it, so that forward passes are the same for every part size
PART_SECONDS = 4.0
PART_BYTES = 256 << 20  # of images in float64 and float32, which a part holds at once
MULTIPLY_ADDS_PER_SECOND = 1e10  # of one core, forward; rough, and only sizes the parts
SECONDS_PER_PIXEL = 3e-8  # to make one changed image, of each of its pixel values
MOST_PROBABILITIES = 20_000_000  # numbers; with more, only the confidences are kept

ModelReference = Annotated[str, Field(min_length=1, max_length=200)]


class Transfer(Spec):
    """Attack each source model, and show every evaluated model the images that were made, beside noise and
    random directions of the same size.

    Szegedy et al. 2013, section 4.1, tables 2 and 4.
    """

    kind: Literal["transfer"] = "transfer"

    sources: list[ModelReference] = Field(
        [], max_length=20, json_schema_extra={"x-widget": "models", "x-group": "models"}
    )
    """The models that the images are made for. Without any, only unchanged and noisy images are
    evaluated."""

    evaluated: list[ModelReference] = Field(
        min_length=1,
        max_length=20,
        json_schema_extra={"x-widget": "models", "x-follows": "sources", "x-group": "models"},
    )
    """The models that are shown the images: the columns of the matrix."""

    images: ImageSelection = DatasetImages()
    """The images to change. Their labels must be known."""

    method: Method = MinimumDistortion()
    """How the sources are attacked."""

    noise: NoiseRows = Field(NoiseRows(), json_schema_extra={"x-group": "controls"})
    """Rows of normal noise."""

    directions: bool = Field(
        default=True, json_schema_extra={"x-title": "Random directions", "x-group": "controls"}
    )
    """For each source a row of changes in random directions, each as long as the attack's own."""

    amplify: AmplifiedRows = Field(AmplifiedRows(), json_schema_extra={"x-group": "controls"})
    """Rows of changes that were brought to one distortion."""

    equal_l2: float | None = Field(
        default=None, gt=0, le=1e4, json_schema_extra={"x-title": "Equal L2 norm", "x-group": "controls"}
    )
    """L2 norm that every change is brought to for the error at equal distance; empty takes the least mean L2
    norm among the sources."""

    heading: ClassVar[str] = "Transfer"
    figures = FIGURES

    def resolve(self, catalog: Catalog) -> Self:
        """Check every reference and replace names by ids. Raises InvalidInput naming the field."""
        sources, evaluated = check_plan(self, catalog)
        return self.model_copy(
            update={
                "sources": [model.id for model in sources],
                "evaluated": [model.id for model in evaluated],
            }
        )

    def steps(self, catalog: Catalog) -> list[Step]:
        """One attack for each source."""
        steps = []
        for model in self._models(catalog, "sources"):
            document = self.attack_document(model.id)
            attack = Attack.model_validate(document)
            seconds = self.images.count_rows() * attack.image_seconds(model)
            steps.append(Step(step_name(model), document, seconds=seconds))
        return steps

    def attack_document(self, model: str) -> dict[str, JsonValue]:
        """The attack on one source."""
        return {
            "kind": "attack",
            "model": model,
            "images": self.images.model_dump(mode="json"),
            "method": self.method.model_dump(mode="json"),
            "keep": "all",
            "seed": self.seed,
            "device": self.device,
        }

    def plan(self, catalog: Catalog) -> list[Part]:
        """Blocks of unchanged and noisy images, then of each source's images."""
        sources, evaluated = self._models(catalog, "sources"), self._models(catalog, "evaluated")
        images, controls = self.images.count_rows(), self.control_images(catalog)
        classes = len(evaluated[0].class_names)
        numbers = classes * (len(evaluated) + 1)
        changes = len(rows_of(self, 0)) + 1 if sources else 0
        kept = numbers * (controls * len(rows_of(self, None)) + images * changes * len(sources))
        probabilities = kept <= MOST_PROBABILITIES
        parts = self._blocks(None, "unchanged and noisy", controls, evaluated, probabilities)
        for number, model in enumerate(sources):
            models = [model, *evaluated]
            parts += self._blocks(number, model.name, images, models, probabilities)
        return parts

    def _blocks(
        self, source: int | None, name: str, images: int, models: Sequence[ModelFacts], probabilities: bool
    ) -> list[Part]:
        """Parts of about four seconds on one core that fit in memory."""
        changes = len(rows_of(self, source)) + (source is not None)
        pixels, classes = math.prod(models[0].input_shape), len(models[0].class_names)
        forward = sum(model.multiply_adds for model in models) / MULTIPLY_ADDS_PER_SECOND
        by_time = PART_SECONDS / (changes * (forward + pixels * SECONDS_PER_PIXEL))
        size = BLOCK * max(1, int(min(by_time, PART_BYTES / (40 * pixels)) / BLOCK))
        row_bytes = changes * len(models) * (12 + probabilities * 4 * classes) + 40
        first = "" if source is None else step_name(models[0])
        return [
            Part(
                label=f"{name}: images {start}–{min(start + size, images) - 1}",
                parameters={
                    "source": source,
                    "step": first,
                    "start": start,
                    "stop": min(start + size, images),
                    "probabilities": probabilities,
                },
                units=(min(start + size, images) - start) * changes,
                bytes_kept=(min(start + size, images) - start) * row_bytes,
            )
            for start in range(0, images, size)
        ]

    def image_count(self) -> int:
        """As many as were chosen."""
        return self.images.count_rows()

    def inputs(self, catalog: Catalog) -> list[str]:
        """The weights, the pixels, and what an attack of this version finds."""
        models = [*self._models(catalog, "sources"), *self._models(catalog, "evaluated")]
        weights = [model.weights_sha256 for model in models]
        return [*weights, *self.images.inputs(catalog), f"attack {Attack.code_version}"]

    def run(self, part: Part, context: Context) -> Result:
        """Show the evaluated models the images of one block."""
        from blindspots.experiments.transfer_run import evaluate_block

        return evaluate_block(self, part, context)

    def merge(self, context: Context) -> Result:
        """Count the matrix. Answers and confidences of single images stay in the parts."""
        from blindspots.experiments.transfer_merge import merge_blocks

        return merge_blocks(self, context)

    @classmethod
    def headline(cls, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Names, and the errors on unchanged images and on those of each attack."""
        rows = [
            {**{name: row[name] for name in ("kind", "source")}, "cells": [_error(c) for c in row["cells"]]}
            for row in summary.get("rows", [])
            if row["kind"] in ("clean", "attack")
        ]
        named = {
            group: [{"id": model["id"], "name": model["name"]} for model in summary.get(group, [])]
            for group in ("models", "sources")
        }
        return {**super().headline(summary), **named, "rows": rows} if rows else {}

    def examples(self, outcome: Outcome, query: ExampleQuery) -> ExamplePage:
        """The images behind one cell."""
        return transfer_examples.page(self, outcome, query)

    def example(self, outcome: Outcome, index: int, column: int | None = None) -> Example | None:
        """One image of one row, and what the source and one evaluated model answer."""
        return transfer_examples.detail(self, outcome, index, column)

    def table(self, outcome: Outcome) -> Arrays:
        """One line per cell."""
        return transfer_examples.table(outcome)

    def export_arrays(self, outcome: Outcome) -> Arrays:
        """Answers, confidences and norms of every image in every row."""
        return transfer_examples.everything(self, outcome)

    def control_images(self, catalog: Catalog) -> int:
        """How many images the unchanged and noisy rows are about."""
        if not self.noise.whole_split or isinstance(self.images, UploadedImage):
            return self.images.count_rows()
        return catalog.dataset(self.images.dataset, field="images.dataset").sizes[self.images.split]

    def _models(self, catalog: Catalog, field: Literal["sources", "evaluated"]) -> list[ModelFacts]:
        references = self.sources if field == "sources" else self.evaluated
        return [catalog.model(name, field=f"{field}[{i}]") for i, name in enumerate(references)]


def _error(cell: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": cell["error"]}


def step_name(source: ModelFacts) -> str:
    """The step that attacks this source."""
    return f"attack {source.name}"
