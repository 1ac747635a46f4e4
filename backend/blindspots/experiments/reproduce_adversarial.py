"""Adversarial training beside the three numbers that the paper's text prints of it."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from blindspots.experiments.reproduce_cells import Cell, Measured, Place, Printed, judge
from blindspots.experiments.reproduce_steps import ADVERSARIAL_STEP
from blindspots.experiments.reproduce_tables import assemble
from blindspots.science.statistics import wilson
from blindspots.zoo.printed import PrintedTable, tables

ARMS = ("decay", "dropout", "all")  # of the rows of the printed table, in their order
BELOW = "all"  # the paper prints an upper bound


def build(summary: Mapping[str, Any], *, comparable: bool) -> dict[str, JsonValue]:
    """The table: the three printed arms, then those that the paper has no number of."""
    printed = next(table for table in tables() if table.name == "adversarial_training")
    arms = {arm["arm"]: arm for arm in summary["arms"]}
    shown = [name for name in (*ARMS, *arms) if name in arms]
    shown = list(dict.fromkeys(shown))
    numbers = {name: _number(printed, place, summary["test_images"]) for place, name in enumerate(ARMS)}
    cells = [
        [_cell(arms[name], numbers.get(name), summary["test_images"], comparable=comparable)]
        for name in shown
    ]
    labels = [arms[name]["title"] for name in shown]
    return {
        **assemble(printed, labels, cells, comparable=comparable),
        "title": f"{printed.title}; mean of {summary['seeds']} seeds",
        "conclusion": summary["conclusion"],
    }


def _number(printed: PrintedTable, row: int, images: int) -> Printed:
    """What the text prints of an arm: an error in percent of the test images."""
    return Printed(printed.rows[row][1][0], 1, images, below=ARMS[row] == BELOW)


def _cell(arm: Mapping[str, Any], printed: Printed | None, images: int, *, comparable: bool) -> Cell:
    """The mean error over the seeds, as a share of one test set: the seeds share its images."""
    low, high = wilson(arm["test_error_mean"] * images, images)
    found = Measured(100 * arm["test_error_mean"], 100 * float(low), 100 * float(high), images)
    return judge("percent", printed, found, Place(ADVERSARIAL_STEP), comparable=comparable)
