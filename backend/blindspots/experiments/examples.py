"""The per-image results of a finished job: what is asked for, and what is answered."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, JsonValue

from blindspots.experiments.parameters import Array, Parameters


class ExampleQuery(Parameters):
    """Which examples to show, in which order."""

    sort: Literal["index", "-index", "distortion", "-distortion", "confidence", "-confidence"] = "index"
    """By what to order; a minus sign puts the largest first."""

    true_class: int | None = Field(None, ge=0)
    """Only images of this true class; of a units job, rows whose most common class it is."""

    reached_class: int | None = Field(None, ge=0)
    """Only images that are answered with this class after the attack."""

    target_class: int | None = Field(None, ge=0)
    """Only images that were aimed at this class."""

    success: bool | None = None
    """Only images that were changed as wanted, or only those that were not."""

    row: int | None = Field(None, ge=0)
    """Of a transfer: the row of the matrix whose images to show; empty means the first source's. Of a units
    job: the number of the arm; empty means all."""

    column: int | None = Field(None, ge=0)
    """Of a transfer: the evaluated model whose answers to show; empty means the source itself, where it is
    evaluated."""

    offset: int = Field(0, ge=0, le=10**9)
    """How many matching images to pass over."""

    limit: int = Field(48, ge=1, le=200)
    """How many images at most."""


@dataclass(frozen=True)
class ExamplePage:
    """One page of the gallery; each row is JSON-ready and holds at least `index`, the row of the job."""

    total: int
    matching: int
    rows: list[dict[str, JsonValue]]


@dataclass(frozen=True)
class Example:
    """One image: JSON-ready facts, and the pixels for the triptych, (c, h, w) float32 in [0, 1]."""

    facts: dict[str, JsonValue]
    original: Array
    adversarial: Array | None  # None where only statistics were kept
