"""The contract of every job kind: a Spec that plans, runs, merges and draws.

A kind is one Spec subclass in one file of this package, and its name in the union of
`experiments/__init__.py`. Nothing here knows the database, the queue or the web; what a kind needs from
outside comes through two protocols, `Catalog` while a job is being submitted and `Context` while one of its
parts runs.

Specs and plans are made in the API process, which starts without torch: import torch, and everything that
imports it, inside `run` and `merge`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

from pydantic import Field, JsonValue

from blindspots.experiments.examples import Example, ExamplePage, ExampleQuery
from blindspots.experiments.facts import (
    DatasetFacts,
    ImageFacts,
    ModelFacts,
    PicturePlace,
    Pictures,
    WeightFacts,
)
from blindspots.experiments.parameters import Array, Arrays, Device, Parameters, Theme
from blindspots.experiments.record import Record


class Catalog(Protocol):
    """What exists. Each look-up raises InvalidInput naming `field` when it finds nothing."""

    def model(self, reference: str, *, field: str) -> ModelFacts:
        """`reference` is an id or a name."""

    def dataset(self, name: str, *, field: str) -> DatasetFacts: ...

    def labels(self, dataset: str, split: str) -> Array:
        """(n,) int64 labels of one split."""

    def image(self, reference: str, *, field: str) -> ImageFacts: ...

    def pictures(self, place: PicturePlace, reference: str, *, field: str) -> Pictures:
        """What an uploaded archive holds, by its id, or a folder below an allowed root, by its path."""

    def weight_file(self, reference: str, *, field: str) -> WeightFacts:
        """An uploaded file of weights."""


@dataclass(frozen=True)
class Part:
    """One piece of a job, of 1 to 30 seconds where it can be split, that any worker can run."""

    label: str  # shown to the user: "images 0-511"
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    units: int = 1  # of progress that it contributes, for instance images
    bytes_kept: int = 0  # estimate of what it will store


@dataclass(frozen=True)
class Step:
    """A job that a job is made of: it is submitted when every step that it needs has succeeded.

    In `spec`, a text "@name" stands for the id of the model that the step of that name trains; that step is
    then needed too.
    """

    name: str  # unique within the job, shown to the user: "train softmax1"
    spec: Mapping[str, JsonValue]
    needs: tuple[str, ...] = ()
    seconds: float = 1.0  # about what it takes on one core: its share of the progress, and the first estimate


@dataclass(frozen=True)
class NewModel:
    """A trained model, to be entered in the model table by the transaction that commits the result."""

    name: str
    network: str
    parameters: Mapping[str, JsonValue]
    weights: Arrays
    input_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    dataset: str
    multiply_adds: int
    metrics: Mapping[str, JsonValue]
    linear: bool = False
    smooth: bool = False


@dataclass(frozen=True)
class Result:
    """What a part or a merge found. Arrays become one safetensors artifact, the summary is stored as JSON."""

    arrays: Arrays = field(default_factory=dict)
    summary: Mapping[str, JsonValue] = field(default_factory=dict)
    models: tuple[NewModel, ...] = ()


class StoredResult(Protocol):
    """A committed Result, read lazily from its artifact."""

    @property
    def summary(self) -> Mapping[str, JsonValue]: ...

    @property
    def names(self) -> frozenset[str]:
        """Names of the stored arrays."""

    def array(self, name: str, rows: slice | None = None) -> Array:
        """The array of that name, or only some of its leading rows. Raises KeyError."""


class Context(Protocol):
    """The only door from a running part to the outside."""

    device: str  # resolved: "cpu" or "cuda"
    seed: int  # of this part, derived from the job's seed and the part's index

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Cheap to call often: it is written at most twice a second. Also checks for cancellation."""

    def check_cancelled(self) -> None:
        """Raises Cancelled when the job was cancelled or the lease was lost."""

    def model(self, reference: str) -> tuple[ModelFacts, Arrays]: ...

    def dataset(self, name: str, split: str) -> tuple[Array, Array]:
        """Images (n, c, h, w) uint8 and labels (n,) int64."""

    def image(self, reference: str) -> Array:
        """An uploaded image, (c, h, w) uint8."""

    def pictures(self, place: PicturePlace, reference: str) -> Pictures:
        """An uploaded archive, or a folder below an allowed root."""

    def weight_file(self, reference: str) -> Arrays:
        """The arrays of an uploaded file of weights."""

    def part(self, index: int) -> StoredResult:
        """In `merge`: the committed result of a part."""

    def part_count(self) -> int: ...

    def step(self, name: str) -> "Outcome":
        """The finished step of that name. Raises KeyError."""

    def load_checkpoint(self) -> Arrays | None:
        """What an earlier attempt at this same part saved last."""

    def save_checkpoint(self, arrays: Arrays) -> None: ...

    def install_dataset(
        self, name: str, files: Mapping[str, bytes | Iterable[bytes]], *, replace: bool = True
    ) -> None:
        """Put checked files, read in their order, atomically under the service's own data-set folder. Raises
        Conflict where `replace` is False and another set has the name."""


class Outcome(Protocol):
    """A finished job, as figures, examples and exports read it."""

    spec: "Spec"
    result: StoredResult  # of the merge

    @property
    def record(self) -> Record: ...

    def part(self, index: int) -> StoredResult: ...

    def part_count(self) -> int: ...

    def step(self, name: str) -> "Outcome":
        """The finished step of that name. Raises KeyError."""

    def model(self, reference: str) -> ModelFacts: ...

    def dataset(self, name: str, split: str) -> tuple[Array, Array]: ...

    def image(self, reference: str) -> Array: ...


@dataclass(frozen=True)
class Figure:
    """One drawing of a finished job: what it shows, how to read it, and how it is computed."""

    title: str  # states what is seen
    reading: str  # one sentence on how to read it
    formula: str  # how it is computed, in plain text or TeX without delimiters
    source: str  # paper, section, equation
    draw: Callable[[Outcome, Theme], Any]  # a plotly.graph_objects.Figure


class Spec(Parameters):
    """Base of every job kind. Subclasses add `kind: Literal[...]` and their parameters."""

    title: str = Field(
        "", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", json_schema_extra={"x-group": "job"}
    )
    """Shown in the history; changes no number."""

    seed: int = Field(0, ge=0, lt=2**32, json_schema_extra={"x-group": "advanced"})
    """Every random number of the job derives from it."""

    device: Device = Field("auto", json_schema_extra={"x-group": "advanced"})
    """`auto` takes a GPU where the worker has one."""

    code_version: ClassVar[int] = 1
    """Raise it when the same Spec would give other numbers: finished parts are then not reused."""

    reusable: ClassVar[bool] = True  # False where running does more than answer, as a download does
    heading: ClassVar[str] = ""
    """Human name of the kind: "Attack"."""

    figures: ClassVar[Mapping[str, Figure]] = {}

    presets: ClassVar[Sequence[Mapping[str, Any]]] = ()
    """Parameters to start the form from, each a JSON-ready Spec with a title."""

    def resolve(self, catalog: Catalog) -> Self:  # noqa: ARG002
        """Check every reference against what exists, and replace names by ids.

        Raises InvalidInput naming the field.
        """
        return self

    steps_field: ClassVar[str] = ""
    """Of the kinds whose steps the user writes: the field that holds them, named in errors."""

    def steps(self, catalog: Catalog) -> list[Step]:  # noqa: ARG002
        """The jobs that this one is made of. Pure; its own parts run when all of them have succeeded."""
        return []

    def promised_model(self, catalog: Catalog) -> ModelFacts | None:  # noqa: ARG002
        """Facts of the model that this job will train, so that steps which need it can be checked and
        estimated before it exists. None where it trains none."""
        return None

    def plan(self, catalog: Catalog) -> list[Part]:
        """Its own parts, in order; there may be none where there are steps. Pure: the same Spec and catalog
        give the same parts."""
        raise NotImplementedError

    def image_count(self) -> int:
        """How many images it works on, where that is known before."""
        return 0

    def unit_seconds(self, catalog: Catalog) -> float:  # noqa: ARG002
        """About what a unit of progress takes on one core, 0 where nothing is known before."""
        return 0.0

    def inputs(self, catalog: Catalog) -> list[str]:  # noqa: ARG002
        """Hashes of everything read besides the Spec (weights, data sets): they identify a result too."""
        return []

    def run(self, part: Part, context: Context) -> Result:
        """Compute one part. The same part, seed and device give the same bytes."""
        raise NotImplementedError

    def merge(self, context: Context) -> Result:
        """Join the committed parts into the job's result."""
        raise NotImplementedError

    @classmethod
    def headline(cls, summary: Mapping[str, Any]) -> dict[str, Any]:
        """What lists of jobs show of a result's summary: single values, unless a kind says otherwise."""
        return {name: value for name, value in summary.items() if not isinstance(value, list | dict)}

    def examples(self, outcome: Outcome, query: ExampleQuery) -> ExamplePage:  # noqa: ARG002
        """A page of the per-image results, for kinds that have them."""
        return ExamplePage(total=0, matching=0, rows=[])

    def example(self, outcome: Outcome, index: int, column: int | None = None) -> Example | None:  # noqa: ARG002
        """One image's full record, or None where there is no such row. `column` chooses the evaluated model,
        for kinds that have several."""
        return None

    has_report: ClassVar[bool] = False  # whether `report` answers a document: the export "html"

    def report(self, outcome: Outcome) -> str:
        """A self-contained HTML document of everything that was found."""
        raise NotImplementedError

    def table(self, outcome: Outcome) -> Arrays:  # noqa: ARG002
        """Columns (n,) of per-image numbers, for CSV and JSON export."""
        return {}

    def export_arrays(self, outcome: Outcome) -> Arrays:
        """Everything, for NPZ export."""
        return self.table(outcome)
