"""The attack: for every chosen image, the nearest image that the model answers differently."""

import time
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments import attack_examples
from blindspots.experiments.attack_figures import FIGURES, trace_histograms, used_bins
from blindspots.experiments.attack_summary import summarise
from blindspots.experiments.base import Catalog, Context, Outcome, Part, Result, Spec
from blindspots.experiments.examples import Example, ExamplePage, ExampleQuery
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.methods import Method, MinimumDistortion
from blindspots.experiments.parameters import Array, Arrays
from blindspots.experiments.selection import DatasetImages, ImageSelection

BLOCK = 128  # images: parts are a multiple of it, so that every tile of the attack is full
SMALL_BLOCK = 8  # where 128 images would take a quarter of a minute or more
PART_SECONDS = 4.0
PART_BYTES = 256 << 20  # of adversarial images, which a part holds in memory until it is stored
MULTIPLY_ADDS_PER_SECOND = 1e10  # of one core in the attack's loop; rough, and only sizes the parts
SECONDS_PER_PIXEL_TICK = 1e-8  # what the loop itself costs beside the network


class Attack(Spec):
    """Search, for every chosen image, the smallest change that makes the model answer something else.

    Szegedy et al. 2013, section 4.1.
    """

    kind: Literal["attack"] = "attack"

    model: str = Field(
        min_length=1, max_length=200, json_schema_extra={"x-widget": "model", "x-group": "model"}
    )
    """Name or id of the trained model to attack."""

    images: ImageSelection = DatasetImages()
    """The images to change."""

    method: Method = MinimumDistortion()
    """How to search."""

    keep: Literal["all", "sample", "statistics"] = Field(default="all", json_schema_extra={"x-group": "keep"})
    """Which adversarial images to store: all, a random sample, or none. The numbers of every image are
    always kept."""

    keep_count: int = Field(
        default=100,
        ge=1,
        le=1_000_000,
        json_schema_extra={"x-group": "keep", "x-title": "Images to keep", "x-when": {"keep": ["sample"]}},
    )
    """Size of the sample."""

    heading: ClassVar[str] = "Attack"
    figures = FIGURES

    def resolve(self, catalog: Catalog) -> Self:
        """Check the references and replace the model's name by its id. Raises InvalidInput naming the
        field."""
        model = catalog.model(self.model, field="model")
        self.images.check(catalog, model)
        self.method.check(model)
        target = self.method.given_target()
        if target is not None and self.images.only_classes(catalog) == {target}:
            raise InvalidInput(
                f"Every chosen image already is of class {model.class_names[target]}; choose another target.",
                field="method.target_class",
            )
        return self.model_copy(update={"model": model.id})

    def plan(self, catalog: Catalog) -> list[Part]:
        """Blocks of images of about four seconds on one core."""
        model = catalog.model(self.model, field="model")
        total, size = self.images.count_rows(), self._part_size(model)
        kept = self._kept_rows(total)
        parts = []
        for start in range(0, total, size):
            stop = min(start + size, total)
            stored = int(np.searchsorted(kept, stop) - np.searchsorted(kept, start))
            parts.append(
                Part(
                    label=f"images {start}–{stop - 1}" if stop - start > 1 else f"image {start}",
                    parameters={"start": start, "stop": stop},
                    units=stop - start,
                    bytes_kept=(stop - start) * self._row_bytes(model)
                    + stored * 4 * int(np.prod(model.input_shape)),
                )
            )
        return parts

    def image_count(self) -> int:
        """As many as were chosen."""
        return self.images.count_rows()

    def unit_seconds(self, catalog: Catalog) -> float:
        """Of an image, from the size of the network."""
        return self.image_seconds(catalog.model(self.model, field="model"))

    def inputs(self, catalog: Catalog) -> list[str]:
        """The weights and the pixels."""
        return [catalog.model(self.model, field="model").weights_sha256, *self.images.inputs(catalog)]

    def run(self, part: Part, context: Context) -> Result:
        """Attack the images of one part and measure what was found."""
        from blindspots.experiments.attack_run import attack_images
        from blindspots.zoo import architectures

        facts, weights = context.model(self.model)
        network = architectures.load(facts, weights).to(context.device).eval()
        start, stop = _bounds(part)
        selected = self.images.load(context, slice(start, stop), seed=self.seed, shape=facts.input_shape)
        started = time.perf_counter()
        arrays = attack_images(network, facts, selected, self.method, seed=self.seed, context=context)
        seconds = time.perf_counter() - started
        kept = self._kept_rows(self.images.count_rows())
        rows = kept[(kept >= start) & (kept < stop)] - start
        arrays["kept_rows"], arrays["adversarial"] = rows, arrays["adversarial"][rows]
        return Result(arrays=arrays, summary={"images": stop - start, "seconds": seconds})

    def merge(self, context: Context) -> Result:
        """Join the columns of all parts, and where each row is found. Pixels and traces stay in the parts."""
        from blindspots.science.attacks.result import Reason

        columns: dict[str, list[Array]] = {"part": [], "row": [], "kept": []}
        traces: dict[str, Array] = {}
        seconds = 0.0
        for number in range(context.part_count()):
            part = context.part(number)
            rows = len(part.array("index"))
            kept = np.zeros(rows, dtype=bool)
            kept[part.array("kept_rows")] = True
            columns["part"].append(np.full(rows, number, dtype=np.int32))
            columns["row"].append(np.arange(rows, dtype=np.int32))
            columns["kept"].append(kept)
            for name in attack_examples.PART_COLUMNS:
                if name in part.names:
                    columns.setdefault(name, []).append(part.array(name))
            for name, counts in trace_histograms(part).items():
                traces[name] = traces[name] + counts if name in traces else counts
            seconds += float(str(part.summary["seconds"]))
            context.check_cancelled()
        joined = {name: np.concatenate(pieces) for name, pieces in columns.items()}
        reasons = {int(reason): reason.sentence for reason in Reason}
        return Result(
            arrays={**joined, **used_bins(traces)}, summary=summarise(joined, reasons, seconds=seconds)
        )

    def examples(self, outcome: Outcome, query: ExampleQuery) -> ExamplePage:
        """A page of the gallery."""
        return attack_examples.page(outcome, query)

    def example(self, outcome: Outcome, index: int, column: int | None = None) -> Example | None:  # noqa: ARG002
        """Everything known of one image."""
        return attack_examples.detail(self, outcome, index)

    def table(self, outcome: Outcome) -> Arrays:
        """The per-image columns."""
        return attack_examples.table(outcome)

    def export_arrays(self, outcome: Outcome) -> Arrays:
        """The columns, class probabilities, traces of c and kept adversarial images."""
        return attack_examples.everything(self, outcome)

    def _part_size(self, model: ModelFacts) -> int:
        """Images per part, about four seconds on one core: a multiple of 128, or of 8 for slow networks."""
        by_time = PART_SECONDS / self.image_seconds(model)
        by_memory = PART_BYTES / (4 * int(np.prod(model.input_shape)))
        wanted = min(by_time, by_memory)
        block = BLOCK if wanted >= BLOCK / 4 else SMALL_BLOCK
        return block * max(1, int(wanted / block))

    def image_seconds(self, model: ModelFacts) -> float:
        """About what one image takes on one core."""
        pixels = int(np.prod(model.input_shape))
        tick = 3 * model.multiply_adds / MULTIPLY_ADDS_PER_SECOND + pixels * SECONDS_PER_PIXEL_TICK
        return self.method.passes() * tick

    def _kept_rows(self, total: int) -> Array:
        """Rows of the job, ascending, whose adversarial image is stored."""
        if self.keep == "statistics":
            return np.zeros(0, dtype=np.int64)
        if self.keep == "all" or self.keep_count >= total:
            return np.arange(total, dtype=np.int64)
        return np.sort(np.random.default_rng(self.seed).permutation(total)[: self.keep_count])

    def _row_bytes(self, model: ModelFacts) -> int:
        """About what is stored of one image beside its pixels: in its part, and again joined."""
        return 2 * 80 + 8 * len(model.class_names) + 13 * self.method.trace_length()


def _bounds(part: Part) -> tuple[int, int]:
    start, stop = part.parameters["start"], part.parameters["stop"]
    assert isinstance(start, int)
    assert isinstance(stop, int)
    return start, stop
