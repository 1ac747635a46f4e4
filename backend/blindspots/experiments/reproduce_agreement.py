"""How near a whole table comes to the paper: mean absolute difference, rank correlation, consistent cells.

Some cells say little: the diagonal is 100 % by construction, and AE400-10 is another autoencoder than the
paper's. So the figures are given over several choices of cells, each named by what it leaves out, for both
searches for c; the first choice is the headline.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue
from scipy.stats import spearmanr

from blindspots.experiments.reproduce_cells import Cell

DIAGONAL, AUTOENCODER, NOISE, AMPLIFIED = "the diagonal", "AE400-10", "noise rows", "amplified rows"
UNKNOWN_DECAY = "M1' → M1"
CHOICES: dict[str, tuple[tuple[str, ...], ...]] = {  # what is left out; the headline first
    "table1": ((AUTOENCODER,), ()),
    "table2": (
        (AUTOENCODER, DIAGONAL),
        (AUTOENCODER,),
        (AUTOENCODER, NOISE),
        (AUTOENCODER, NOISE, DIAGONAL),
        (DIAGONAL,),
        (),
    ),
    "table3": ((),),
    "adversarial_training": ((),),
    "table4": (
        (AMPLIFIED, UNKNOWN_DECAY, DIAGONAL),
        (AMPLIFIED, UNKNOWN_DECAY),
        (AMPLIFIED, DIAGONAL),
        (AMPLIFIED,),
        (DIAGONAL,),
        (),
    ),
}


@dataclass(frozen=True)
class Entry:
    """An error cell of a table with its row and column."""

    row: str
    column: str
    cell: Cell


def agreement(
    name: str, columns: Sequence[str], rows: Sequence[str], cells: Sequence[Sequence[Cell]]
) -> dict[str, JsonValue]:
    """The headline figures, `choices` with the others, and which search is nearer to the paper."""
    entries = [
        Entry(label, column, cell)
        for label, row in zip(rows, cells, strict=True)
        for column, cell in zip(columns, row, strict=True)
        if cell.unit == "percent" and cell.printed is not None
    ]
    choices = [_figures(_without(entries, without), without) for without in CHOICES[name]]
    judged = [cell for row in cells for cell in row if _counts(cell)]
    return {
        **choices[0],
        "consistent": sum(cell.verdict == "consistent" for cell in judged),
        "judged": len(judged),
        "nearer": _nearer(choices[0]),
        "choices": [dict(choice) for choice in choices],
    }


def _counts(cell: Cell) -> bool:
    """Whether a cell says something; what the experiment sets does when it comes out otherwise."""
    return cell.printed is not None and (not cell.given or cell.verdict == "differs")


def _without(entries: Sequence[Entry], without: Sequence[str]) -> list[Entry]:
    return [entry for entry in entries if not any(_belongs(entry, group) for group in without)]


def _belongs(entry: Entry, group: str) -> bool:
    """Whether a cell is of the diagonal, of the noise rows ..."""
    source, _, amplified = entry.row.partition(",")
    noise = entry.row.startswith("noise")
    if group == DIAGONAL:
        return source == entry.column
    if group == NOISE:
        return noise
    if group == AMPLIFIED:  # the second block, with its own noise row
        return bool(amplified) or entry.row == "noise 0.1"
    if group == UNKNOWN_DECAY:
        return (source, entry.column) == ("M1'", "M1")
    return AUTOENCODER in (source, entry.column)


def _figures(entries: Sequence[Entry], without: Sequence[str]) -> dict[str, JsonValue]:
    """Over these cells: difference in points and rank correlation of the bisected and the coarse search."""
    paper = np.array([entry.cell.printed.value for entry in entries if entry.cell.printed is not None])
    tight = np.array([entry.cell.measured.value for entry in entries])
    # Noise is the same whatever the search: the cell's only value stands for both.
    coarse = np.array([(entry.cell.coarse or entry.cell.measured).value for entry in entries])
    searched = any(entry.cell.coarse is not None for entry in entries)
    found: dict[str, JsonValue] = {"without": list(without), "cells": len(entries), **_compare(tight, paper)}
    found["coarse"] = dict(_compare(coarse, paper)) if searched else None
    return found


def _compare(ours: np.ndarray, paper: np.ndarray) -> dict[str, JsonValue]:
    varied = len(ours) > 2 and np.ptp(ours) > 0 and np.ptp(paper) > 0
    return {
        "mean_absolute_difference": float(np.abs(ours - paper).mean()),
        "spearman": float(spearmanr(ours, paper).statistic) if varied else None,
    }


def _nearer(figures: dict[str, JsonValue]) -> JsonValue:
    """ "tight" or "coarse": the search with the smaller mean absolute difference; None where one was run."""
    coarse = figures["coarse"]
    if not isinstance(coarse, dict):
        return None
    ours, theirs = figures["mean_absolute_difference"], coarse["mean_absolute_difference"]
    assert isinstance(ours, float)
    assert isinstance(theirs, float)
    return "tight" if ours <= theirs else "coarse"
