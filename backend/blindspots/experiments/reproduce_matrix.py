"""Reading the matrix of a transfer job, by what a row is instead of by its number."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from blindspots.experiments.reproduce_cells import Measured, Place

RowKind = Literal["clean", "attack", "noise", "amplified"]


@dataclass(frozen=True)
class RowKey:
    """What a row of a transfer matrix shows."""

    kind: RowKind
    source: int | None = None  # index of the source model
    size: float | None = None  # sigma of the noise, or the distortion after amplification


class Matrix:
    """The summary of a finished transfer job, a step of the reproduction."""

    def __init__(self, step: str, summary: Mapping[str, Any]) -> None:
        self.step = step
        self.rows: list[dict[str, Any]] = summary["rows"]

    def row(self, key: RowKey) -> int:
        """Number of the row. Raises KeyError where the matrix has none."""
        for number, row in enumerate(self.rows):
            if row["kind"] == key.kind and row["source"] == key.source and _same_size(row, key):
                return number
        raise KeyError(f"{self.step} has no row {key}")

    def has(self, key: RowKey) -> bool:
        """Whether there is such a row: the coarse search has no noise."""
        try:
            self.row(key)
        except KeyError:
            return False
        return True

    def error(self, key: RowKey, column: int) -> Measured:
        """Error of one model, in percent, with Wilson's interval."""
        cell = self.rows[self.row(key)]["cells"][column]
        return Measured(100 * cell["error"], 100 * cell["low"], 100 * cell["high"], cell["images"])

    def distortion(self, key: RowKey) -> Measured:
        """Mean distortion, its bootstrap interval, and its standard deviation over the images.

        The spread follows from the two averages that are kept: the square of the root mean square over all
        images and pixels is the mean of the squared distortions.
        """
        row = self.rows[self.row(key)]
        mean, root = row["mean_distortion"], row["rms_distortion"]
        spread = math.sqrt(max(0.0, root**2 - mean**2))
        low, high = row["distortion_low"], row["distortion_high"]
        return Measured(
            mean, mean if low is None else low, mean if high is None else high, row["images"], spread
        )

    def place(self, key: RowKey, column: int | None = None) -> Place:
        """Where the page finds the images of a cell."""
        return Place(self.step, self.row(key), column)


def _same_size(row: Mapping[str, Any], key: RowKey) -> bool:
    size = {"noise": row.get("sigma"), "amplified": row.get("t")}.get(row["kind"])
    if size is None or key.size is None:
        return size is key.size
    return math.isclose(size, key.size)
