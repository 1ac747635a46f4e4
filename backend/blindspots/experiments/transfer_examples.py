"""Reading a finished transfer image by image: the images behind a cell, one image's record, exports.

A row of the matrix is numbered as in the summary; the number of an example is `row of the matrix * stride +
row of the image`, where the stride is the larger of `images` and `split_images`.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from blindspots.errors import InvalidInput
from blindspots.experiments.attack_examples import adversarial_rows, json_number, matching_rows
from blindspots.experiments.base import Outcome, StoredResult
from blindspots.experiments.examples import Example, ExamplePage, ExampleQuery
from blindspots.experiments.parameters import Array, Arrays
from blindspots.experiments.selection import UploadedImage
from blindspots.experiments.transfer_rows import MatrixRow, changed_images, matrix_rows

if TYPE_CHECKING:
    from blindspots.experiments.transfer import Transfer

PAGE_COLUMNS = (
    "label", "target", "prediction", "reached", "source_prediction", "source_reached", "success", "rms", "l2",
    "confidence_before", "confidence_after",
)  # fmt: skip
CELL_NUMBERS = (
    "wrong", "images", "error", "low", "high", "excess", "excess_low", "excess_high", "cosine",
)  # fmt: skip
CELL_GROUPS = {
    "both_right": ("wrong", "images", "error", "low", "high"),
    "same_wrong": ("same", "wrong", "rate"),
    "equal_l2": ("wrong", "images", "error", "low", "high"),
    "paper": ("error", "images", "low", "high"),
}


def stride(outcome: Outcome) -> int:
    """How far apart the numbers of the same image in two rows of the matrix are."""
    summary: Any = outcome.result.summary
    return max(int(summary["images"]), int(summary["split_images"]))


def page(spec: "Transfer", outcome: Outcome, query: ExampleQuery) -> ExamplePage:
    """The images of one row that match, sorted, with the answers of one evaluated model."""
    number, column = _cell_asked_for(spec, query)
    row = matrix_rows(spec)[number]
    columns = row_columns(spec, outcome, row, column)
    total = len(columns["image_index"])
    rows = matching_rows(query, columns.__getitem__, total)
    shown = rows[query.offset : query.offset + query.limit]
    first = number * stride(outcome)
    return ExamplePage(
        total=total, matching=len(rows), rows=[_record(columns, int(place), first) for place in shown]
    )


def _cell_asked_for(spec: "Transfer", query: ExampleQuery) -> tuple[int, int]:
    """Row and column; those of the first source by itself where the query names none."""
    rows = matrix_rows(spec)
    number = query.row if query.row is not None else min(1, len(spec.sources))
    if number >= len(rows):
        raise InvalidInput(f"The matrix has rows 0 to {len(rows) - 1}.", field="row")
    column = query.column if query.column is not None else own_column(spec, rows[number])
    if column >= len(spec.evaluated):
        raise InvalidInput(f"The matrix has columns 0 to {len(spec.evaluated) - 1}.", field="column")
    return number, column


def own_column(spec: "Transfer", row: MatrixRow) -> int:
    """The column of the row's own source; the first where it is not evaluated, or there is none."""
    if row.source is None or spec.sources[row.source] not in spec.evaluated:
        return 0
    return spec.evaluated.index(spec.sources[row.source])


def _parts(outcome: Outcome, row: MatrixRow) -> list[StoredResult]:
    """The parts that hold the images of a row, in order."""
    source = outcome.result.array("part_source")
    wanted = np.flatnonzero(source == (-1 if row.source is None else row.source))
    return [outcome.part(int(number)) for number in wanted]


def _joined(parts: list[StoredResult], name: str) -> Array:
    return np.concatenate([part.array(name) for part in parts])


def row_columns(spec: "Transfer", outcome: Outcome, row: MatrixRow, column: int) -> dict[str, Array]:
    """(n,) columns of every image of a row, with the answers of one evaluated model."""
    parts = _parts(outcome, row)
    controls = _parts(outcome, matrix_rows(spec)[0])
    reached = _joined(parts, f"{row.variant}_reached")
    label, index = _joined(parts, "label"), _joined(parts, "index")
    clean, before = _joined(controls, "clean_reached"), _joined(controls, "clean_confidence")
    same = index if spec.noise.whole_split and row.source is not None else slice(None)
    none = np.full(len(label), -1)
    return {
        "image_index": index,
        "label": label,
        "prediction": clean[same][:, column],
        "confidence_before": before[same][:, column],
        "reached": reached[:, column],
        "confidence_after": _joined(parts, f"{row.variant}_confidence")[:, column],
        "success": reached[:, column] != label,
        "rms": _joined(parts, f"{row.variant}_rms"),
        "l2": _joined(parts, f"{row.variant}_l2"),
        "target": none if row.source is None else _joined(parts, "target"),
        "source_prediction": none if row.source is None else _joined(parts, "prediction"),
        "source_reached": none if row.source is None else reached[:, -1],
    }


def _record(columns: dict[str, Array], place: int, first: int) -> dict[str, JsonValue]:
    record: dict[str, JsonValue] = {
        "index": first + place,
        "image_index": int(columns["image_index"][place]),
        "kept": True,
    }
    for name in PAGE_COLUMNS:
        record[name] = json_number(columns[name][place].item())
    for name in ("target", "source_prediction", "source_reached"):
        if record[name] == -1:
            record[name] = None
    return record


def detail(spec: "Transfer", outcome: Outcome, number: int, column: int | None) -> Example | None:
    """One image of one row: pixels, and both models' answers on the unchanged and on the changed image."""
    rows = matrix_rows(spec)
    place, image = divmod(number, stride(outcome))
    if not 0 <= place < len(rows):
        return None
    row = rows[place]
    chosen = own_column(spec, row) if column is None else column
    if not 0 <= chosen < len(spec.evaluated):
        return None
    columns = row_columns(spec, outcome, row, chosen)
    if image >= len(columns["label"]):
        return None
    evaluated = _names(outcome, "models")[chosen]
    source = None if row.source is None else _names(outcome, "sources")[row.source]
    facts = _record(columns, image, place * stride(outcome))
    facts |= {"row": place, "column": chosen, "row_label": row.label(source), "kind": row.kind}
    facts |= {"evaluated": evaluated, "source": source}
    facts |= _probabilities(spec, outcome, row, image, chosen)
    facts["class_names"] = list(outcome.model(spec.evaluated[chosen]).class_names)
    original, changed = _pixels(spec, outcome, row, image)
    return Example(facts=facts, original=original, adversarial=changed)


def _names(outcome: Outcome, which: str) -> list[str]:
    models: Any = outcome.result.summary[which]
    return [str(model["name"]) for model in models]


def _probabilities(
    spec: "Transfer", outcome: Outcome, row: MatrixRow, image: int, column: int
) -> dict[str, JsonValue]:
    """Class probabilities of both models before and after; null where only the confidences were kept."""
    part, place = _place(outcome, row, image)
    index = int(part.array("index", place)[0])
    control_row = matrix_rows(spec)[0]
    before, there = _place(
        outcome, control_row, index if spec.noise.whole_split and row.source is not None else image
    )
    found: dict[str, Array | None] = {
        "probabilities_before": _kept(before, "clean_probabilities", there, column),
        "probabilities_after": _kept(part, f"{row.variant}_probabilities", place, column),
        "source_probabilities_before": None,
        "source_probabilities_after": _kept(part, f"{row.variant}_probabilities", place, -1)
        if row.source is not None
        else None,
    }
    if row.source is not None:
        before_name, after_name = (f"source_probabilities_{when}" for when in ("before", "after"))
        found[before_name] = _attack_array(outcome, row.source, "probabilities_before", image)
        if row.kind == "attack":
            found[after_name] = _attack_array(outcome, row.source, "probabilities_after", image)
    return {
        name: None if values is None else [json_number(value) for value in values.tolist()]
        for name, values in found.items()
    }


def _kept(part: StoredResult, name: str, rows: slice, column: int) -> Array | None:
    if name not in part.names:
        return None
    probabilities: Array = part.array(name, rows)[0, column]
    return probabilities


def _place(outcome: Outcome, row: MatrixRow, image: int) -> tuple[StoredResult, slice]:
    """The part that holds an image of a row, and where in it."""
    result = outcome.result
    source = -1 if row.source is None else row.source
    here = (result.array("part_source") == source) & (result.array("part_stop") > image)
    number = int(np.flatnonzero(here)[0])
    place = image - int(result.array("part_start")[number])
    return outcome.part(number), slice(place, place + 1)


def _attack(outcome: Outcome, source: int) -> Outcome:
    return outcome.step(f"attack {_names(outcome, 'sources')[source]}")


def _attack_array(outcome: Outcome, source: int, name: str, image: int) -> Array:
    attack = _attack(outcome, source)
    part = attack.part(int(attack.result.array("part")[image]))
    place = int(attack.result.array("row")[image])
    values: Array = part.array(name, slice(place, place + 1))[0]
    return values


def _pixels(spec: "Transfer", outcome: Outcome, row: MatrixRow, image: int) -> tuple[Array, Array]:
    """The unchanged and the changed image, (c, h, w) float32 each."""
    shape = outcome.model(spec.evaluated[0]).input_shape
    images = spec.images
    if row.source is None and spec.noise.whole_split and not isinstance(images, UploadedImage):
        pixels, index = outcome.dataset(images.dataset, images.split)[0][image : image + 1], np.array([image])
    else:
        selected = images.load(outcome, slice(image, image + 1), seed=spec.seed, shape=shape)
        pixels, index = selected.images, selected.index
    original = pixels.astype(np.float32) / 255
    adversarial = None
    if row.source is not None:
        adversarial = adversarial_rows(_attack(outcome, row.source), slice(image, image + 1))
    changed = changed_images(spec, row, original, adversarial, index)
    return original[0], changed[0]


def table(outcome: Outcome) -> Arrays:
    """One line per cell: columns (rows * evaluated,)."""
    summary: Any = outcome.result.summary
    lines: list[dict[str, Any]] = []
    for row in summary["rows"]:
        source = "" if row["source"] is None else summary["sources"][row["source"]]["name"]
        for model, one in zip(summary["models"], row["cells"], strict=True):
            line = {"row": row["label"], "kind": row["kind"], "source": source, "evaluated": model["name"]}
            line |= {name: _number(row[name]) for name in ("t", "sigma", "mean_distortion", "rms_distortion")}
            line |= {name: _number(one[name]) for name in CELL_NUMBERS}
            for group, names in CELL_GROUPS.items():
                values = one[group] or {}
                line |= {f"{group}_{name}": _number(values.get(name)) for name in names}
            lines.append(line)
    return {name: np.array([line[name] for line in lines]) for name in lines[0]}


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def everything(spec: "Transfer", outcome: Outcome) -> Arrays:
    """Of every row of the matrix `row_<i>_…`: index and label of its images (n,), reached, confidence and
    confidence_true (n, columns), rms and l2 (n,); names of rows and columns; the cells. In rows of a source
    the source itself is one more column at the end."""
    summary: Any = outcome.result.summary
    arrays: dict[str, Array] = {
        **table(outcome),
        "rows": np.array([row["label"] for row in summary["rows"]]),
        "columns": np.array([model["name"] for model in summary["models"]]),
    }
    for number, row in enumerate(matrix_rows(spec)):
        parts = _parts(outcome, row)
        for name in ("index", "label"):
            arrays[f"row_{number}_{name}"] = _joined(parts, name)
        for name in ("reached", "confidence", "confidence_true", "probabilities", "rms", "l2"):
            if f"{row.variant}_{name}" in parts[0].names:
                arrays[f"row_{number}_{name}"] = _joined(parts, f"{row.variant}_{name}")
        if row.kind == "attack":
            arrays[f"row_{number}_cosine"] = _joined(parts, "cosine")
    return arrays
