"""Spectra of a network's layers: how far they can drive two images apart, and how far they do."""

import math
from typing import ClassVar, Literal, Self

from pydantic import Field, JsonValue

from blindspots.errors import InvalidInput
from blindspots.experiments.attack import Attack
from blindspots.experiments.base import Catalog, Context, Outcome, Part, Result, Spec, Step
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.methods import Method, MinimumDistortion
from blindspots.experiments.parameters import Arrays
from blindspots.experiments.selection import DatasetImages, ImageSelection
from blindspots.experiments.spectral_figures import FIGURES
from blindspots.experiments.spectral_presets import PRESETS
from blindspots.experiments.spectral_table import export, table
from blindspots.experiments.spectral_untrained import UntrainedNetwork

SHARE_PRODUCTS = 3e8  # multiply-adds of the network whose layers one part looks at, at 16 frequencies
MOST_SHARES = 32
BLOCK = 64  # images of one part are a multiple of it
PART_SECONDS = 4.0
MULTIPLY_ADDS_PER_SECOND = 1e10  # of one core; rough, and only sizes the parts
PART_BYTES = 256 << 20  # of Jacobians and of the layers' outputs

ATTACK = "attack"  # name of the step
ON_IMAGES: dict[str, JsonValue] = {"weights": ["trained"], "measured": ["gain", "attack"]}
ON_ATTACK: dict[str, JsonValue] = {"weights": ["trained"], "measured": ["attack"]}


class Spectral(Spec):
    """Exact frame bounds of every layer, their product, and beside it what the network does to images.

    Szegedy et al. 2013, section 4.3, table 5.
    """

    kind: Literal["spectral"] = "spectral"

    weights: Literal["trained", "random"] = Field(
        default="trained",
        json_schema_extra={
            "x-group": "model",
            "x-names": {"trained": "A trained network's", "random": "Random, from the seed"},
        },
    )
    """Whose spectra. Random weights show what the shape of a network alone gives: for instance of AlexNet,
    whose weights of the paper nobody has."""

    model: str = Field(
        default="",
        max_length=200,
        json_schema_extra={"x-widget": "model", "x-group": "model", "x-when": {"weights": ["trained"]}},
    )
    """Name or id of the trained model."""

    untrained: UntrainedNetwork = Field(
        UntrainedNetwork(),
        json_schema_extra={
            "x-group": "model",
            "x-title": "Network and images",
            "x-when": {"weights": ["random"]},
        },
    )
    """What gets the random weights: N(0, 1 / inputs of a unit), biases zero."""

    measured: Literal["weights", "gain", "attack"] = Field(
        default="weights",
        json_schema_extra={
            "x-group": "model",
            "x-when": {"weights": ["trained"]},
            "x-names": {
                "weights": "Only the weights",
                "gain": "The gain near images too",
                "attack": "Gain, and an attack's images",
            },
        },
    )
    """The weights give the bounds. Images show how much of them the network uses; an attack shows how far
    the certified radius is from the nearest image that fools it."""

    images: ImageSelection = Field(
        DatasetImages(), json_schema_extra={"x-group": "images", "x-when": ON_IMAGES}
    )
    """The images near which the gain is measured."""

    method: Method = Field(MinimumDistortion(mode="nearest"), json_schema_extra={"x-when": ON_ATTACK})
    """How the images are attacked. An equal attack that was run before is used again."""

    grid: int | None = Field(
        default=None, ge=1, le=128, json_schema_extra={"x-group": "advanced", "x-title": "Frequencies"}
    )
    """Frequencies along each axis at which the singular values of convolutions are computed; empty takes 16,
    or more for very large kernels. The bounds of the norm hold between the frequencies too."""

    heading: ClassVar[str] = "Spectral"
    figures = FIGURES
    presets = PRESETS

    def resolve(self, catalog: Catalog) -> Self:
        """Check the references and replace the model's name by its id. Raises InvalidInput naming the
        field."""
        if self.weights == "random":
            if self.measured != "weights":
                raise InvalidInput(
                    "Random weights recognise nothing; measure a trained network.", field="measured"
                )
            self.untrained.check("untrained")
            return self.model_copy(update={"model": ""})
        if not self.model:
            raise InvalidInput("Name the trained model, or choose random weights.", field="model")
        model = catalog.model(self.model, field="model")
        if self.measured != "weights":
            self.images.check(catalog, model)
        if self.measured == "attack":
            self.method.check(model)
        return self.model_copy(update={"model": model.id})

    def facts(self, catalog: Catalog) -> ModelFacts:
        """Of the network whose layers are looked at."""
        if self.weights == "random":
            return self.untrained.facts()
        return catalog.model(self.model, field="model")

    def steps(self, catalog: Catalog) -> list[Step]:
        """The attack, where one is asked for."""
        if self.measured != "attack":
            return []
        document: dict[str, JsonValue] = {
            "kind": "attack",
            "model": self.model,
            "images": self.images.model_dump(mode="json"),
            "method": self.method.model_dump(mode="json"),
            "keep": "all",
            "seed": self.seed,
            "device": self.device,
        }
        attack = Attack.model_validate(document)
        model = catalog.model(self.model, field="model")
        return [Step(ATTACK, document, seconds=self.images.count_rows() * attack.image_seconds(model))]

    def plan(self, catalog: Catalog) -> list[Part]:
        """The layers, shared out among parts where the network is large, then blocks of images."""
        model = self.facts(catalog)
        work = model.multiply_adds * ((self.grid or 16) / 16) ** 2
        shares = min(MOST_SHARES, max(1, math.ceil(work / SHARE_PRODUCTS)))
        parts = [
            Part(
                label="layers" if shares == 1 else f"layers, share {number + 1} of {shares}",
                parameters={"share": number, "of": shares},
                units=10,
                bytes_kept=100_000,
            )
            for number in range(shares)
        ]
        if self.measured != "weights":
            parts += self._blocks(model)
        return parts

    def _blocks(self, model: ModelFacts) -> list[Part]:
        """Blocks of images whose Jacobians take about four seconds on one core and fit in memory."""
        passes = 2 * min(100, len(model.class_names)) + 4
        numbers = math.prod(model.input_shape) * min(64, len(model.class_names)) + model.multiply_adds / 100
        by_time = PART_SECONDS * MULTIPLY_ADDS_PER_SECOND / (passes * model.multiply_adds)
        size = BLOCK * max(1, int(min(by_time, PART_BYTES / (8 * numbers)) / BLOCK))
        total = self.images.count_rows()
        return [
            Part(
                label=f"images {start}–{min(start + size, total) - 1}",
                parameters={"start": start, "stop": min(start + size, total)},
                units=max(1, (min(start + size, total) - start) // 8),
                bytes_kept=(min(start + size, total) - start) * 100,
            )
            for start in range(0, total, size)
        ]

    def inputs(self, catalog: Catalog) -> list[str]:
        """The weights, and where they are used the pixels and what an attack of this version finds."""
        found = [] if self.weights == "random" else [catalog.model(self.model, field="model").weights_sha256]
        if self.measured != "weights":
            found += self.images.inputs(catalog)
        if self.measured == "attack":
            found.append(f"attack {Attack.code_version}")
        return found

    def run(self, part: Part, context: Context) -> Result:
        """Compute the spectra of some layers, or the gain near some images."""
        from blindspots.experiments import spectral_run

        if "share" in part.parameters:
            return spectral_run.share_of_layers(self, part, context)
        return spectral_run.block_of_images(self, part, context)

    def merge(self, context: Context) -> Result:
        """Join the layers to the bound of the network, and hold what was measured against it."""
        from blindspots.experiments.spectral_merge import merge_parts

        return merge_parts(self, context)

    def table(self, outcome: Outcome) -> Arrays:
        """One line per layer."""
        return table(outcome)

    def export_arrays(self, outcome: Outcome) -> Arrays:
        """The layers, every singular value, and the measured numbers of every image."""
        return export(outcome)
