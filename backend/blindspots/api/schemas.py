"""The shapes of the answers, as the OpenAPI document states them.

Routes answer with what the service returns; these models document it, and the contract test holds the
answers to them.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
PartState = Literal["waiting", "ready", "running", "succeeded", "failed", "cancelled"]
Lane = Literal["batch", "interactive"]


class Answer(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class FieldProblem(Answer):
    """One wrong field."""

    field: str
    message: str


class Problem(Answer):
    """Every error, RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    """Stable name of the error, for programs."""
    detail: str
    """What is allowed and what to do next, for people."""
    field: str | None
    """Path of the input to blame, as it was written: `images.count`."""
    request_id: str
    errors: list[FieldProblem]


class Progress(Answer):
    """How far a job is."""

    done: float
    total: float
    fraction: float
    message: str
    eta_seconds: float | None


class JobError(Answer):
    """Why a job failed."""

    code: str
    message: str
    field: str | None = None


class Named(Answer):
    """A reference with its name."""

    id: str
    name: str


class Parent(Answer):
    """The job that another one is a step of."""

    id: str
    kind: str
    title: str
    step: str


class Step(Answer):
    """A job that a job is made of."""

    name: str
    needs: list[str]
    kind: str
    title: str
    state: Literal["planned", "queued", "running", "succeeded", "failed", "cancelled"]
    job_id: str | None
    """Null until what it needs has succeeded."""
    fraction: float
    seconds: float | None
    error: JobError | None


class Job(Answer):
    """One job, as lists show it."""

    id: str
    kind: str
    title: str
    state: JobState
    lane: Lane
    kept: bool
    owner: str
    project_id: str
    model: Named | None
    dataset: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    seed: int
    device: str
    progress: Progress
    waiting_for: str | None
    error: JobError | None
    summary: dict[str, Any]
    cancel_requested: bool
    parent: Parent | None
    """The job that this one is a step of."""
    step_count: int
    """How many jobs it is made of; lists leave those out."""


class PartCounts(Answer):
    """How many parts are in which state."""

    total: int
    waiting: int
    ready: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    reused: int


class JobDetail(Job):
    """One job with everything about it."""

    spec: dict[str, Any]
    versions: dict[str, Any]
    parts: PartCounts
    figures: list[str]
    exports: list[str]
    models: list[Named]
    steps: list[Step]
    duration_seconds: float | None


class JobPage(Answer):
    """One page of the history."""

    items: list[Job]
    next_cursor: str | None


class Estimate(Answer):
    """What a job would cost."""

    parts: int
    reused_parts: int
    steps: int
    images: int
    seconds: float | None
    seconds_basis: str
    bytes_kept: int
    waiting_for: str | None


class Items(Answer):
    """A list."""

    items: list[dict[str, Any]]


class Drawing(Answer):
    """A Plotly figure."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


class FigureAnswer(Answer):
    """A figure, how to read it, and how it is computed."""

    figure: Drawing
    title: str
    reading: str
    formula: str
    source: str


class ExampleRows(Answer):
    """One page of the gallery."""

    total: int
    matching: int
    rows: list[dict[str, Any]]


class ExampleAnswer(Answer):
    """One image's full record and its zoomable triptych."""

    facts: dict[str, Any]
    figure: Drawing | None


class ImageReference(Answer):
    """One image of a data set."""

    index: int
    label: int


class ImagePage(Answer):
    """Some images of a data set."""

    total: int
    items: list[ImageReference]


class StoredImage(Answer):
    """An uploaded image as it is kept."""

    id: str
    """Content hash of the stored PNG."""
    shape: list[int] = Field(min_length=3, max_length=3)
    """Channels, height, width."""
    width: int
    height: int


class StoredTable(Answer):
    """A CSV file in an archive."""

    name: str
    columns: list[str]


class StoredArchive(Answer):
    """An uploaded archive of pictures as it is kept."""

    id: str
    """What a job of kind `image_set` calls it."""
    sha256: str
    """Of the archive as it was sent."""
    bytes: int
    images: int
    broken: int
    """Pictures whose headers cannot be read."""
    folders: list[str]
    """Names of the folders in which pictures lie, at most fifty."""
    folder_count: int
    tables: list[StoredTable]


class StoredWeights(Answer):
    """An uploaded file of weights as it is kept."""

    id: str
    """Content hash of the stored arrays."""
    form: Literal["onnx", "safetensors"]
    tensor_count: int
    tensors: list[dict[str, Any]]
    """Name and shape, of the first thousand; of an ONNX file none."""
    graph: dict[str, Any]
    """Of an ONNX file: image_shape, classes, operators with their counts, opset."""


class EventPage(Answer):
    """Events since an id."""

    items: list[dict[str, Any]]
    latest: int


class CatalogAnswer(Answer):
    """Every job kind with the JSON Schema of its parameters, and the names that they may hold."""

    version: str
    kinds: list[dict[str, Any]]
    networks: list[dict[str, Any]]
    methods: list[dict[str, Any]]
    paper_tables: list[dict[str, Any]]
    """What the paper prints: name, title, columns, the unit of each, rows of a label and its numbers."""
    defaults: dict[str, Any]


class System(Answer):
    """The state of this installation."""

    version: str
    mode: str
    workers: list[dict[str, Any]]
    queue: dict[str, Any]
