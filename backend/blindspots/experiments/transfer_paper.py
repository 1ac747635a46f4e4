"""The printed number of a cell, where tables 2 and 4 of the paper have one for such models and images."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from blindspots.experiments.selection import UploadedImage
from blindspots.experiments.transfer_rows import MatrixRow
from blindspots.zoo.papers import TABLE_2, TABLE_4, TABLE_4_AMPLIFIED, TransferRow, TransferTable

if TYPE_CHECKING:
    from blindspots.experiments.transfer import Transfer

ATTACKED_IMAGES = 256  # the printed shares are multiples of 1/256; the text does not say (docs/science.md)
TEST_IMAGES = 10_000  # the noise rows of table 4 are no such multiples
NOISE = "gaussian_noise"


@dataclass(frozen=True)
class Printed:
    """A row of a printed table and its columns."""

    row: TransferRow
    evaluated: tuple[str, ...]
    images: int  # assumed

    def cell(self, evaluated: str | None) -> dict[str, JsonValue] | None:
        """The printed error of that model as a share, with the Wilson interval of the assumed number of
        images."""
        from blindspots.science.statistics import wilson

        if evaluated not in self.evaluated:
            return None
        error = self.row.errors[self.evaluated.index(evaluated)] / 100
        low, high = wilson(round(error * self.images), self.images)
        return {
            "error": error, "images": self.images, "low": float(low), "high": float(high), "assumed": True,
        }  # fmt: skip


def printed_row(spec: "Transfer", row: MatrixRow, source: str | None) -> Printed | None:
    """The row of the paper that this row of the matrix repeats, or None. `source`: the paper's name of the
    source model."""
    if isinstance(spec.images, UploadedImage):
        return None
    if spec.images.dataset == "mnist" and spec.images.split == "train":
        tables, noise_images = {"attack": TABLE_2}, ATTACKED_IMAGES
    elif spec.images.dataset.partition(":")[0] == "mnist" and spec.images.split == "test":
        tables, noise_images = {"attack": TABLE_4, "amplified": TABLE_4_AMPLIFIED}, TEST_IMAGES
    else:
        return None
    if row.kind == "noise":
        candidates = [(table, NOISE) for table in tables.values()]
        return _find(candidates, noise_images, distortion=row.sigma)
    table = tables.get(row.kind)
    if table is None or source is None or spec.method.name != "minimum_distortion":
        return None
    return _find([(table, source)], ATTACKED_IMAGES, distortion=row.t)


def _find(
    candidates: list[tuple[TransferTable, str]], images: int, *, distortion: float | None
) -> Printed | None:
    for table, source in candidates:
        for row in table.rows:
            if row.source == source and distortion in (None, row.distortion):
                return Printed(row, table.evaluated, images)
    return None
