"""From the steps' results to the paper's tables: which number of which step belongs into which cell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import JsonValue

from blindspots.experiments.reproduce_agreement import agreement
from blindspots.experiments.reproduce_cells import (
    PAPER_IMAGES,
    Cell,
    Measured,
    Place,
    Printed,
    decimals,
    judge,
)
from blindspots.experiments.reproduce_matrix import Matrix, RowKey
from blindspots.experiments.reproduce_presets import HALVES, WHOLE
from blindspots.experiments.reproduce_reasons import NOTES, reason
from blindspots.experiments.reproduce_steps import AMPLIFIED, CLEAN_STEPS, HALVES_STEPS, WHOLE_STEPS, Search
from blindspots.science.statistics import wilson
from blindspots.zoo.printed import PrintedTable, tables

# Table 1 prints these without a decimal: "10 %", "20 %", "0 %".
WITHOUT_DECIMAL = {
    ("softmax2", "training error"),
    ("softmax3", "test error"),
    ("N100-100-10", "training error"),
}
WHOLE_ROWS = (
    *(RowKey("attack", source) for source in range(len(WHOLE))),
    RowKey("noise", size=0.1),
    RowKey("noise", size=0.3),
)
HALVES_ROWS = (
    *(RowKey("attack", source) for source in range(len(HALVES))),
    RowKey("noise", size=0.06),
    *(RowKey("amplified", source, AMPLIFIED) for source in range(len(HALVES))),
    RowKey("noise", size=0.1),
)
CLEAN = RowKey("clean")
LAYOUTS: Mapping[str, tuple[Mapping[Search, str], tuple[RowKey, ...]]] = {  # transfer steps, and rows of each
    "table1": (WHOLE_STEPS, WHOLE_ROWS),
    "table2": (WHOLE_STEPS, WHOLE_ROWS),
    "table3": (HALVES_STEPS, HALVES_ROWS),
    "table4": (HALVES_STEPS, HALVES_ROWS),
}


@dataclass(frozen=True)
class Sources:
    """What the steps found: the summary of a finished step by its name, and the sizes of the splits."""

    summary: Callable[[str], Mapping[str, Any]]
    splits: Mapping[str, int]  # train, test, P1, P2
    comparable: bool

    def matrix(self, step: str) -> Matrix:
        """The matrix of a transfer step."""
        return Matrix(step, self.summary(step))


def build(name: str, sources: Sources) -> dict[str, JsonValue]:
    """One table, "table1" to "table4", cell by cell, with its figures and notes."""
    printed = next(table for table in tables() if table.name == name)
    table = TABLES[name](printed, sources)
    cells = [
        [table.cell(row, column) for column in range(len(printed.columns))]
        for row in range(len(printed.rows))
    ]
    return assemble(printed, [label for label, _ in printed.rows], cells, comparable=sources.comparable)


def assemble(
    printed: PrintedTable, labels: Sequence[str], cells: Sequence[Sequence[Cell]], *, comparable: bool
) -> dict[str, JsonValue]:
    """A table as page and report read it, with the reasons of what differs. labels: of the rows."""
    explained = [
        [
            replace(cell, reason=reason(printed.name, label, column, cell))
            for column, cell in zip(printed.columns, row, strict=True)
        ]
        for label, row in zip(labels, cells, strict=True)
    ]
    return {
        "name": printed.name,
        "title": printed.title,
        "columns": list(printed.columns),
        "units": list(printed.units),
        "rows": [
            {"label": label, "cells": [cell.as_json() for cell in row]}
            for label, row in zip(labels, explained, strict=True)
        ],
        "figures": agreement(printed.name, printed.columns, labels, cells) if comparable else None,
        "notes": list(NOTES[printed.name]),
    }


class Table:
    """One printed table, and where its numbers come from."""

    def __init__(self, printed: PrintedTable, sources: Sources) -> None:
        self.printed, self.sources = printed, sources
        steps, self.keys = LAYOUTS[printed.name]
        self.tight = sources.matrix(steps["tight"])
        self.coarse = sources.matrix(steps["paper"])

    def cell(self, row: int, column: int) -> Cell:
        """The cell in that row and column of the printed table."""
        if self.printed.units[column] == "distortion":
            return self.distortion(row, column)
        return self.error(row, column)

    def error(self, row: int, column: int) -> Cell:
        """A cell in percent: how many images a model gets wrong."""
        raise NotImplementedError

    def distortion(self, row: int, column: int) -> Cell:
        """A mean distortion; of noise and amplified images it is what the experiment set."""
        key = self.keys[row]
        return judge(
            "distortion",
            self.number(row, column, PAPER_IMAGES),
            self.tight.distortion(key),
            self.tight.place(key),
            coarse=self.coarse.distortion(key) if self.coarse.has(key) else None,
            coarse_place=self.coarse.place(key) if self.coarse.has(key) else None,
            comparable=self.sources.comparable,
            given=key.kind != "attack",
        )

    def number(self, row: int, column: int, images: int) -> Printed:
        """What the paper prints there, a share of so many images."""
        table = self.printed
        label, values = table.rows[row]
        digits = decimals(values[column], table.units[column])
        if table.name == "table1" and (label, table.columns[column]) in WITHOUT_DECIMAL:
            digits = 0
        return Printed(float(values[column]), digits, images)


class Table1(Table):
    """Errors of the trainings, and the distortion of the attacks."""

    def error(self, row: int, column: int) -> Cell:
        split = ("train", "test")[column]
        step, images = f"train {WHOLE[row]}", self.sources.splits[split]
        found = _share(float(self.sources.summary(step)[f"{split}_error"]), images)
        printed = self.number(row, column, images)
        return judge("percent", printed, found, Place(step), comparable=self.sources.comparable)


class TransferTable(Table):
    """Tables 2 and 4: rows of a transfer's matrix."""

    def error(self, row: int, column: int) -> Cell:
        key = self.keys[row]
        whole_split = self.printed.name == "table4" and key.kind == "noise"
        images = self.sources.splits["test"] if whole_split else PAPER_IMAGES
        return judge(
            "percent",
            self.number(row, column, images),
            self.tight.error(key, column),
            self.tight.place(key, column),
            coarse=self.coarse.error(key, column) if self.coarse.has(key) else None,
            coarse_place=self.coarse.place(key, column) if self.coarse.has(key) else None,
            comparable=self.sources.comparable,
            given=key.kind == "attack" and key.source == column,
        )


class Table3(Table):
    """Errors on both halves and on the test images, by evaluations without attack."""

    def error(self, row: int, column: int) -> Cell:
        split = ("P1", "P2", "test")[column]
        matrix = self.tight if split == "test" else self.sources.matrix(CLEAN_STEPS[split])
        return judge(
            "percent",
            self.number(row, column, self.sources.splits[split]),
            matrix.error(CLEAN, row),
            matrix.place(CLEAN, row),
            comparable=self.sources.comparable,
        )


TABLES: Mapping[str, type[Table]] = {
    "table1": Table1,
    "table2": TransferTable,
    "table3": Table3,
    "table4": TransferTable,
}


def _share(error: float, images: int) -> Measured:
    """An error rate of so many images, in percent."""
    low, high = wilson(round(error * images), images)
    return Measured(100 * error, 100 * float(low), 100 * float(high), images)
