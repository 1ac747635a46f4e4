"""Reading a finished attack image by image: pages of the gallery, one image's record, exports.

Pages come from the joined columns of the merge; pixels and traces from the one part that holds them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue

from blindspots.experiments.base import Outcome, StoredResult
from blindspots.experiments.examples import Example, ExamplePage, ExampleQuery
from blindspots.experiments.parameters import Array, Arrays

if TYPE_CHECKING:
    from blindspots.experiments.attack import Attack

PAGE_COLUMNS = (
    "label", "prediction", "target", "reached", "success", "success_8bit", "already_wrong",
    "rms", "l2", "linf", "confidence_before", "confidence_after", "kept",
)  # fmt: skip
DETAIL_COLUMNS = ("l0", "l1", "weight", "forwards", "backwards", "exact_rms")
TABLE_COLUMNS = (*PAGE_COLUMNS, *DETAIL_COLUMNS)
PART_COLUMNS = ("index", "reason", *(name for name in TABLE_COLUMNS if name != "kept"))
SORT_COLUMNS = {"index": "index", "distortion": "rms", "confidence": "confidence_after"}
TRACE = ("weight", "distortion", "loss", "success")
PADDING = {"trace_success": -1}  # of shorter traces; NaN elsewhere


def page(outcome: Outcome, query: ExampleQuery) -> ExamplePage:
    """The rows that match, sorted; ties stay in the order of the job."""
    result = outcome.result
    total = len(result.array("index"))
    rows = matching_rows(query, result.array, total)
    shown = rows[query.offset : query.offset + query.limit]
    return ExamplePage(total=total, matching=len(rows), rows=_records(result, shown, PAGE_COLUMNS))


def matching_rows(query: ExampleQuery, column: Callable[[str], Array], total: int) -> Array:
    """Rows that match, (m,) in the order asked for. column: the values (total,) of a column by its name."""
    matching = np.ones(total, dtype=bool)
    wanted = {
        "label": query.true_class,
        "reached": query.reached_class,
        "target": query.target_class,
        "success": query.success,
    }
    for name, value in wanted.items():
        if value is not None:
            matching &= column(name) == value
    rows = np.flatnonzero(matching)
    by, descending = SORT_COLUMNS[query.sort.removeprefix("-")], query.sort.startswith("-")
    if by == "index":
        return rows[::-1] if descending else rows
    values = column(by)[rows]
    return rows[np.argsort(-values if descending else values, kind="stable")]


def _records(result: StoredResult, rows: Array, names: tuple[str, ...]) -> list[dict[str, JsonValue]]:
    """JSON-ready records of those rows of the job."""
    columns: dict[str, list[JsonValue]] = {"index": rows.tolist()}
    columns["image_index"] = result.array("index")[rows].tolist()
    columns["reason"] = list(_sentences(result, result.array("reason")[rows]))
    for name in names:
        if name in result.names:
            columns[name] = [json_number(value) for value in result.array(name)[rows].tolist()]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def json_number(value: float) -> float | None:
    """NaN and infinity never reach JSON: null stands for both."""
    return value if np.isfinite(value) else None


def detail(spec: "Attack", outcome: Outcome, row: int) -> Example | None:
    """Everything known of one image, or None where the job has no such row."""
    result = outcome.result
    if not 0 <= row < len(result.array("index")):
        return None
    rows = np.array([row])
    facts = _records(result, rows, TABLE_COLUMNS)[0]
    part = outcome.part(int(result.array("part")[row]))
    place = int(result.array("row")[row])
    one = slice(place, place + 1)
    model = outcome.model(spec.model)
    facts["class_names"] = list(model.class_names)
    for name in ("probabilities_before", "probabilities_after"):
        facts[name] = [json_number(value) for value in part.array(name, one)[0].tolist()]
    facts["trace"] = _trace(part, one)
    selected = spec.images.load(outcome, slice(row, row + 1), seed=spec.seed, shape=model.input_shape)
    original = selected.images[0].astype(np.float32) / 255
    return Example(facts=facts, original=original, adversarial=_kept_pixels(part, place))


def _kept_pixels(part: StoredResult, place: int) -> Array | None:
    kept = part.array("kept_rows")
    position = int(np.searchsorted(kept, place))
    if position == len(kept) or kept[position] != place:
        return None
    pixels: Array = part.array("adversarial", slice(position, position + 1))[0]
    return pixels


def adversarial_rows(outcome: Outcome, rows: slice) -> Array:
    """The adversarial images of some rows of the job, (n, c, h, w) float32, whatever parts hold them.

    Raises ValueError where one of them was not kept.
    """
    parts, places = outcome.result.array("part", rows), outcome.result.array("row", rows)
    if not outcome.result.array("kept", rows).all():
        raise ValueError("the attack did not keep these adversarial images")
    pieces = []
    for number in np.unique(parts):
        part = outcome.part(int(number))
        here = places[parts == number]
        kept = part.array("kept_rows")
        first, last = np.searchsorted(kept, [here[0], here[-1]])
        pieces.append(part.array("adversarial", slice(int(first), int(last) + 1)))
    return np.concatenate(pieces)


def _trace(part: StoredResult, one: slice) -> list[JsonValue]:
    """The values of c that were tried, in order: what each one found."""
    columns = [part.array(f"trace_{name}", one)[0].tolist() for name in TRACE]
    points: list[JsonValue] = []
    for weight, distortion, loss, success in zip(*columns, strict=True):
        if success >= 0:
            points.append(
                {
                    "weight": json_number(weight),
                    "distortion": json_number(distortion),
                    "loss": json_number(loss),
                    "success": bool(success),
                }
            )
    return points


def table(outcome: Outcome) -> Arrays:
    """The per-image columns (n,), for CSV and JSON; the reason as a sentence."""
    result = outcome.result
    columns = {name: result.array(name) for name in TABLE_COLUMNS if name in result.names}
    index = result.array("index")
    reason = np.array(_sentences(result, result.array("reason")), dtype=str)
    return {"index": np.arange(len(index)), "image_index": index, **columns, "reason": reason}


def _sentences(result: StoredResult, codes: Array) -> list[str]:
    """The reasons in words, as the run that stored them knew them."""
    known = result.summary["reasons"]
    assert isinstance(known, dict)
    return [str(known.get(str(code), f"reason {code}")) for code in codes.tolist()]


def everything(spec: "Attack", outcome: Outcome) -> Arrays:
    """The columns, and from the parts: class probabilities, traces of c, kept adversarial images with their
    rows."""
    arrays = dict(table(outcome))
    part_of_row = outcome.result.array("part")
    numbers, first = np.unique(part_of_row, return_index=True)
    parts = [outcome.part(int(number)) for number in numbers]
    for name in ("probabilities_before", "probabilities_after", "adversarial"):
        arrays[name] = np.concatenate([part.array(name) for part in parts])
    for name in (f"trace_{name}" for name in TRACE):
        arrays[name] = _stack([part.array(name) for part in parts], PADDING.get(name, np.nan))
    rows = [part.array("kept_rows") + start for part, start in zip(parts, first, strict=True)]
    arrays["adversarial_rows"] = np.concatenate(rows)
    arrays["class_names"] = np.array(outcome.model(spec.model).class_names)
    return arrays


def _stack(pieces: list[Array], padding: float) -> Array:
    """The rows of all pieces, the shorter ones padded."""
    width = max(piece.shape[1] for piece in pieces)
    padded = [np.pad(p, ((0, 0), (0, width - p.shape[1])), constant_values=padding) for p in pieces]
    return np.concatenate(padded)
