"""Tables 1 to 4 as they are printed, and what the text says of adversarial training, as rows and columns.

What a page shows before anything was measured.
"""

from dataclasses import dataclass
from typing import Literal

from blindspots.zoo.papers import TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_4_AMPLIFIED, TransferTable

Unit = Literal["percent", "distortion"]


@dataclass(frozen=True)
class PrintedTable:
    """One table: each row a label and its numbers, each column a title and the unit of its numbers."""

    name: str  # "table2"
    title: str  # what it shows, in one sentence
    columns: tuple[str, ...]
    units: tuple[Unit, ...]  # of the columns; errors are in percent of images
    rows: tuple[tuple[str, tuple[float, ...]], ...]


def _transfer(name: str, title: str, *tables: TransferTable) -> PrintedTable:
    evaluated = tables[0].evaluated
    rows = tuple(
        (_label(row.source, row.distortion, amplified=place > 0), (*row.errors, row.distortion))
        for place, table in enumerate(tables)
        for row in table.rows
    )
    percent: Unit = "percent"
    units: tuple[Unit, ...] = (*(percent for _ in evaluated), "distortion")
    return PrintedTable(name, title, (*evaluated, "distortion"), units, rows)


def _label(source: str, distortion: float, *, amplified: bool) -> str:
    if source == "gaussian_noise":
        return f"noise {distortion:g}"
    return f"{source}, amplified to {distortion:g}" if amplified else source


def tables() -> tuple[PrintedTable, ...]:
    """Szegedy et al. 2013, without the tables and figures on AlexNet, which need other images."""
    return (
        PrintedTable(
            "table1",
            "Error of each network, and the mean distortion that makes it err on every image",
            ("training error", "test error", "distortion"),
            ("percent", "percent", "distortion"),
            tuple((row.name, (row.train_error, row.test_error, row.distortion)) for row in TABLE_1),
        ),
        _transfer("table2", TABLE_2.title, TABLE_2),
        PrintedTable(
            "table3",
            "Error of networks that were trained on one half of the training images, on both and on the test",
            ("error on P1", "error on P2", "test error", "distortion"),
            ("percent", "percent", "percent", "distortion"),
            tuple(
                (row.name, (row.error_p1, row.error_p2, row.test_error, row.distortion)) for row in TABLE_3
            ),
        ),
        _transfer("table4", TABLE_4.title, TABLE_4, TABLE_4_AMPLIFIED),
        PrintedTable(
            "adversarial_training",
            "Test error of a network of two hidden layers, by what it was trained on, as the text says",
            ("test error",),
            ("percent",),
            (("weight decay only", (1.6,)), ("dropout, about", (1.3,)), ("distorted layers, below", (1.2,))),
        ),
    )
