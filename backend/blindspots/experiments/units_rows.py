"""Reading a finished units job direction by direction: its rows of images, and exports."""

from typing import Any

import numpy as np
from pydantic import JsonValue

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Outcome, StoredResult
from blindspots.experiments.examples import Example, ExamplePage, ExampleQuery
from blindspots.experiments.parameters import Array, Arrays

NUMBERS = ("purity", "entropy", "coherence", "likeness", "selectivity", "mean", "deviation")


def page(outcome: Outcome, query: ExampleQuery) -> ExamplePage:
    """The rows of all arms, or of the arm with number `query.row`, in the order in which they were drawn.

    `true_class` keeps those whose most common label it is. Raises InvalidInput naming the field.
    """
    arms, result = _arms(outcome), outcome.result
    if query.row is not None and query.row >= len(arms):
        raise InvalidInput(f"This job has the arms 0 to {len(arms) - 1}.", field="row")
    matching = np.ones(len(result.array("arm")), dtype=bool)
    if query.row is not None:
        matching &= result.array("arm") == query.row
    if query.true_class is not None:
        matching &= result.array("top_classes").argmax(axis=1) == query.true_class
    rows = np.flatnonzero(matching)
    rows = rows[::-1] if query.sort.startswith("-") else rows
    shown = rows[query.offset : query.offset + query.limit]
    return ExamplePage(total=len(matching), matching=len(rows), rows=_records(outcome, shown))


def _records(outcome: Outcome, rows: Array) -> list[dict[str, JsonValue]]:
    arms, result = _arms(outcome), outcome.result
    names = (
        *NUMBERS,
        "arm",
        "unit",
        "constant",
        "image_index",
        "top_label",
        "score",
        "top_classes",
        "class_mean",
    )
    columns = {name: result.array(name)[rows].tolist() for name in names}
    records = []
    for place, row in enumerate(rows.tolist()):
        record: dict[str, Any] = {name: _finite(values[place]) for name, values in columns.items()}
        record["index"], record["arm_name"] = row, arms[record["arm"]]["arm"]
        records.append(record)
    return records


def detail(outcome: Outcome, index: int) -> Example | None:
    """One direction as data: the vector in the units of the layer, and where it comes from."""
    result = outcome.result
    if not 0 <= index < len(result.array("arm")):
        return None
    record = _records(outcome, np.array([index]))[0]
    vector = _direction(outcome, index)
    facts = {
        **record,
        "layer": result.summary["layer"],
        "seed": result.summary["seed"],
        "direction": None if vector is None else vector.tolist(),
    }
    return Example(facts, np.zeros((1, 1, 1), np.float32), None)


def _direction(outcome: Outcome, index: int) -> Array | None:
    """(units,) float32; None for images drawn by chance."""
    begin, seen = 0, set()
    for number in range(outcome.part_count()):
        part = outcome.part(number)
        arms = str(part.summary["arms"])
        if arms in seen:
            continue
        seen.add(arms)
        found = part.array("direction")
        if index < begin + len(found):
            return np.asarray(found[index - begin])
        begin += len(found)
    return None


def _finite(value: Any) -> Any:
    """NaN never reaches JSON: null stands for it."""
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _arms(outcome: Outcome) -> list[dict[str, Any]]:
    arms: Any = outcome.result.summary["arms"]
    return list(arms)


def table(outcome: Outcome) -> Arrays:
    """One line per direction."""
    result = outcome.result
    arm = result.array("arm")
    names = np.array([each["arm"] for each in _arms(outcome)])
    top = result.array("top_classes").argmax(axis=1)
    return {
        "index": np.arange(len(arm)), "arm": names[arm], "unit": result.array("unit"), "label": top,
        **{name: result.array(name) for name in NUMBERS}, "constant": result.array("constant"),
    }  # fmt: skip


def everything(outcome: Outcome) -> Arrays:
    """The lines, the top images, class means, and the directions, (directions, units of the layer) with the
    rows they belong to. Random images have no direction."""
    arrays = dict(table(outcome))
    for name in ("image_index", "top_label", "score", "top_classes", "class_mean"):
        arrays[name] = outcome.result.array(name)
    first: dict[str, StoredResult] = {}
    for number in range(outcome.part_count()):
        part = outcome.part(number)
        first.setdefault(str(part.summary["arms"]), part)
    arrays["direction"] = np.concatenate([part.array("direction") for part in first.values()])
    arrays["direction_row"] = np.arange(len(arrays["direction"]))  # random images stand last
    return arrays
