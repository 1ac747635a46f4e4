"""One cell: what the paper prints beside what was measured, and whether chance can explain the difference.

A rate is consistent with the paper when Newcombe's 95 % interval of the difference of the two rates holds 0
for some value that rounds to the printed one. A distortion is consistent when the difference of the means is
within 1.96 standard errors and half a unit of the last printed digit; the paper prints no spread, so the
measured standard deviation stands for both samples.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import JsonValue

from blindspots.science.statistics import difference_interval, wilson

Unit = Literal["percent", "distortion"]
Verdict = Literal["consistent", "differs", "not printed", "not comparable"]

PAPER_IMAGES = 256  # that the paper attacked, as its printed percentages suggest
NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Printed:
    """A number of the paper, in percent or as a distortion."""

    value: float
    decimals: int  # digits after the point that are printed
    images: int  # it is a share of, or a mean over
    below: bool = False  # printed as "less than"

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit: what rounding can hide."""
        return 0.5 * 10.0**-self.decimals


@dataclass(frozen=True)
class Measured:
    """A number of ours, in percent or as a distortion, with its 95 % interval."""

    value: float
    low: float
    high: float
    images: int
    spread: float = 0.0  # standard deviation over the images, of a distortion


@dataclass(frozen=True)
class Place:
    """Where the images of a cell are found: a step, a row of its matrix, and the evaluated model there."""

    step: str
    row: int | None = None
    column: int | None = None


@dataclass(frozen=True)
class Cell:
    """Paper and measurement, and the verdict."""

    unit: Unit
    printed: Printed | None  # None where the paper has no number
    measured: Measured
    verdict: Verdict
    place: Place
    coarse: Measured | None = None  # the same with the coarse search for c
    coarse_verdict: Verdict | None = None
    coarse_place: Place | None = None
    given: bool = False  # the experiment sets it: it would agree whatever the networks do
    reason: str | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """What the summary, the page and the report read."""
        low, high = self._printed_interval()
        return {
            "paper": None if self.printed is None else self.printed.value,
            "paper_decimals": None if self.printed is None else self.printed.decimals,
            "paper_below": self.printed is not None and self.printed.below,
            "paper_low": low,
            "paper_high": high,
            "paper_images": None if self.printed is None else self.printed.images,
            "measured": self.measured.value,
            "low": self.measured.low,
            "high": self.measured.high,
            "images": self.measured.images,
            "unit": self.unit,
            "verdict": self.verdict,
            "given": self.given,
            "reason": self.reason,
            "coarse": self._coarse_json(),
            "step": self.place.step,
            "row": self.place.row,
            "column": self.place.column,
        }

    def _coarse_json(self) -> dict[str, JsonValue] | None:
        if self.coarse is None:
            return None
        found, place = self.coarse, self.coarse_place
        return {
            "measured": found.value,
            "low": found.low,
            "high": found.high,
            "images": found.images,
            "verdict": self.coarse_verdict,
            "step": place.step if place else None,
            "row": place.row if place else None,
            "column": place.column if place else None,
        }

    def _printed_interval(self) -> tuple[float | None, float | None]:
        """Wilson's of a rate; a distortion is printed without its spread."""
        if self.unit == "distortion" or self.printed is None:
            return None, None
        low, high = wilson(self.printed.value / 100 * self.printed.images, self.printed.images)
        return 100 * float(low), 100 * float(high)


def decimals(value: float, unit: Unit) -> int:
    """Digits after the point that are printed, as `zoo.papers` holds them: 100 has none, 6.25 two.

    Of distortions at least two: 0.1 stands in one column with 0.062 and 0.14.
    """
    found = 0 if isinstance(value, int) else len(repr(value).partition(".")[2])
    return max(2, found) if unit == "distortion" else found


def verdict(printed: Printed, measured: Measured, unit: Unit) -> Verdict:
    """Whether chance and rounding can explain the difference."""
    agrees = rate_agrees if unit == "percent" else distortion_agrees
    return "consistent" if agrees(printed, measured) else "differs"


def rate_agrees(printed: Printed, measured: Measured) -> bool:
    """Newcombe's interval of the difference holds 0, for the value nearest to ours that rounds to the
    printed."""
    lowest = 0.0 if printed.below else max(0.0, printed.value - printed.half_unit)
    nearest = min(max(measured.value, lowest), printed.value + printed.half_unit, 100.0)
    low, high = difference_interval(
        nearest / 100 * printed.images,
        printed.images,
        measured.value / 100 * measured.images,
        measured.images,
    )
    return bool(low <= 0 <= high)


def distortion_agrees(printed: Printed, measured: Measured) -> bool:
    """The means differ by no more than chance, with our spread for both, and rounding."""
    error = measured.spread * math.sqrt(1 / printed.images + 1 / measured.images)
    return abs(measured.value - printed.value) <= NORMAL_95 * error + printed.half_unit


def judge(
    unit: Unit,
    printed: Printed | None,
    measured: Measured,
    place: Place,
    *,
    coarse: Measured | None = None,
    coarse_place: Place | None = None,
    comparable: bool,
    given: bool = False,
) -> Cell:
    """The cell with its verdicts; its reason is found where the whole table is known."""
    cell = Cell(
        unit, printed, measured, "not comparable", place, coarse, coarse_place=coarse_place, given=given
    )
    if printed is None:
        return replace(cell, verdict="not printed")
    if not comparable:
        return cell
    return replace(
        cell,
        verdict=verdict(printed, measured, unit),
        coarse_verdict=None if coarse is None else verdict(printed, coarse, unit),
    )
