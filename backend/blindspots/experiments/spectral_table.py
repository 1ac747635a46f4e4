"""A finished spectral job as columns: one line per layer, and everything."""

from typing import Any

import numpy as np

from blindspots.experiments.base import Outcome
from blindspots.experiments.parameters import Array, Arrays

TEXTS = ("name", "kind")
SIZES = ("size", "inputs", "outputs", "kernel", "stride", "padding", "dilation", "grid")
NUMBERS = (
    "groups", "values", "lower", "upper", "padded_norm", "smallest", "lower_frame_bound", "product", "bound",
)  # fmt: skip


def table(outcome: Outcome) -> Arrays:
    """Columns (layers,): facts of every layer, the bounds of its norm, and those of the network up to it."""
    layers: Any = outcome.result.summary["layers"]
    columns: dict[str, Array] = {name: np.array([line[name] for line in layers]) for name in TEXTS}
    for name in SIZES:
        columns[name] = np.array(["x".join(str(number) for number in line[name] or ()) for line in layers])
    for name in NUMBERS:
        columns[name] = np.array(
            [np.nan if line[name] is None else line[name] for line in layers], np.float64
        )
    for name in ("median", "max"):
        columns[f"amplification_{name}"] = np.array(
            [np.nan if line["amplification"] is None else line["amplification"][name] for line in layers]
        )
    return columns


def export(outcome: Outcome) -> Arrays:
    """The table; `singular_values_<layer>`, ascending, every one on the grid; of images their number, label,
    prediction, gain, margin, radius, distance and amplification."""
    found = dict(table(outcome))
    pieces: dict[int, list[Array]] = {}
    for number in range(outcome.part_count()):
        part = outcome.part(number)
        listed: Any = part.summary.get("found", [])
        for each in listed:
            name = f"{each['layer']}_{each['tile']}"
            rows = np.repeat(part.array(f"values_{name}"), part.array(f"multiplicity_{name}"), axis=0)
            pieces.setdefault(each["layer"], []).append(rows.reshape(-1))
    for layer, values in sorted(pieces.items()):
        found[f"singular_values_{layer}"] = np.sort(np.concatenate(values))
    for name in outcome.result.names - {"quantiles"}:
        found[f"image_{name}"] = outcome.result.array(name)
    return found
