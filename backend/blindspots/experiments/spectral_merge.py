"""From parts to a network: every layer's line, the bound of the whole, what was measured. Imports torch."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from pydantic import JsonValue

from blindspots.experiments.base import Context, Result, StoredResult
from blindspots.experiments.parameters import Array
from blindspots.experiments.spectral import Spectral
from blindspots.experiments.spectral_run import grid_of, open_network
from blindspots.science.spectrum.layers import Layer
from blindspots.science.spectrum.local_gain import certified_radius
from blindspots.science.spectrum.reading import Reading
from blindspots.zoo.papers import TABLE_5

CAUTION = (
    "The weights of that network were never published, so no other network has to have its numbers. Its "
    "lower column is the smallest of the min(rows, columns) singular values: conv5, fc1 and fc3 have fewer "
    "outputs than inputs, and their lower frame bound is 0. The first edition's norm of conv1 lacks the "
    "factor 1/S of a stride S; the later edition prints S⁻², and its value changed by more than that. "
    "Pooling and normalisation are not in it."
)
BINS = 48
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SHARES = np.linspace(0, 1, 201)  # at which the sorted singular values are kept for the figure
COLUMNS = ("index", "label", "prediction", "gain", "margin", "l2", "success", "amplification")


def merge_parts(spec: Spectral, context: Context) -> Result:
    """Arrays: `quantiles` (layers, 201), and the columns of the images with their certified radius."""
    facts, _, reading = open_network(spec, context)
    parts = [context.part(number) for number in range(context.part_count())]
    layers = [_layer(spec, layer, *_pieces(parts, number)) for number, layer in enumerate(reading.layers)]
    uppers = [float(line["upper"]) for line in layers]
    products, bounds = reading.bounds(uppers, factors=False), reading.bounds(uppers)
    for line, product, bound in zip(layers, *map(reading.at_layers, (products, bounds)), strict=True):
        line |= {"product": product, "bound": bound}
    arrays: dict[str, Array] = {"quantiles": np.stack([line.pop("quantiles") for line in layers])}
    summary: dict[str, Any] = {
        "product": products[-1],
        "product_lower": reading.bounds([float(line["lower"]) for line in layers], factors=False)[-1],
        "bound": bounds[-1],
        "layers": layers,
        "factors": _factors(reading),
        "measured": None,
        "reference": _reference(reading.layers),
        "weights": facts.name if spec.weights == "trained" else f"{facts.name} (seed {spec.seed})",
    }
    if spec.measured != "weights":
        columns = _images(parts, bounds[-1])
        arrays |= columns
        summary["measured"] = _measured(columns, bounds[-1])
        summary |= {"images": len(columns["index"]), "gain_max": summary["measured"]["gain_max"]}
        _add_amplification(layers, columns)
    summary["seconds"] = sum(float(str(part.summary["seconds"])) for part in parts)
    summary["conclusion"] = _conclusion(spec, summary)
    return Result(arrays=arrays, summary=summary)


def _pieces(parts: Sequence[StoredResult], layer: int) -> tuple[list[dict[str, Any]], Array, Array]:
    """What was found of one layer: its facts, its singular values in rows, and how often each row counts."""
    facts, values, multiplicity = [], [], []
    for part in parts:
        for found in _found(part):
            if found["layer"] == layer:
                name = f"{layer}_{found['tile']}"
                rows = part.array(f"values_{name}")
                facts.append(found)
                values.append(rows.reshape(len(rows), -1))
                multiplicity.append(part.array(f"multiplicity_{name}"))
    return facts, np.concatenate(values), np.concatenate(multiplicity)


def _found(part: StoredResult) -> Iterator[dict[str, Any]]:
    listed: Any = part.summary.get("found", [])
    yield from listed


def _layer(
    spec: Spectral, layer: Layer, facts: Sequence[Mapping[str, Any]], values: Array, multiplicity: Array
) -> dict[str, Any]:
    """One line of the table, in the words of table 5 and in those that are right."""
    bounds = next(found for found in facts if "upper" in found)
    smallest = min(float(found["smallest"]) for found in facts)
    ordered = np.sort(np.repeat(values, multiplicity, axis=0), axis=None)
    top = float(bounds["upper"])
    counts, _ = np.histogram(ordered, bins=BINS, range=(0, top or 1.0))
    convolution = layer.kind != "dense"
    return {
        "name": layer.name,
        "kind": layer.kind,
        "size": list(layer.weight.shape),
        "inputs": list(layer.inputs),
        "outputs": list(layer.outputs),
        **{
            name: list(getattr(layer, name)) if convolution else None
            for name in ("kernel", "stride", "padding", "dilation")
        },
        "groups": layer.groups if convolution else None,
        "folded": layer.folded,
        "grid": list(grid_of(spec, layer)),
        "values": len(ordered),
        "lower": float(bounds["lower"]),
        "upper": top,
        "padded_norm": bounds["padded_norm"],
        "smallest": smallest,
        "lower_frame_bound": 0.0 if layer.loses else smallest,
        "histogram": (counts / len(ordered)).tolist(),
        "prefactors": _prefactors(layer, top),
        "amplification": None,
        "quantiles": np.quantile(ordered, SHARES).astype(np.float32),
    }


def _prefactors(layer: Layer, norm: float) -> dict[str, JsonValue] | None:
    """What the formula gives for a strided layer with the factor of each edition: S^0, S^-1, S^-2."""
    stride = math.sqrt(math.prod(layer.stride))
    if stride == 1:
        return None
    return {"none": norm * stride, "right": norm, "twice": norm / stride}


def _factors(reading: Reading) -> list[dict[str, JsonValue]]:
    """Operations without weights that stretch or shrink, and joins, in order."""
    return [
        {"name": each.name, "operation": each.operation, "factor": each.factor, "inputs": len(each.inputs)}
        for each in reading.passages
        if each.layer is None and (each.factor != 1 or len(each.inputs) > 1)
    ]


def _reference(layers: Sequence[Layer]) -> dict[str, JsonValue]:
    """Table 5 as it is printed: of weights that nobody has.

    `compared`: whether the layers have its sizes, in one group or several, and can stand beside it.
    """
    sizes = [
        (layer.weight.shape[1] * layer.groups, *layer.weight.shape[2:], len(layer.weight)) for layer in layers
    ]
    rows: list[JsonValue] = [
        {
            **vars(row),
            "size": list(row.size),
            "lower_frame_bound_is_zero": row.layer in ("conv5", "fc1", "fc3"),
        }
        for row in TABLE_5
    ]
    return {
        "source": "Szegedy et al. 2013, table 5, AlexNet",
        "caution": CAUTION,
        "compared": sizes == [row.size for row in TABLE_5],
        "products": {
            "first": math.prod(row.upper for row in TABLE_5),
            "later": math.prod(row.later_upper for row in TABLE_5),
        },
        "rows": rows,
    }


def _images(parts: Sequence[StoredResult], bound: float) -> dict[str, Array]:
    """The columns of all images, with the radius that the bound certifies."""
    blocks = [part for part in parts if "gain" in part.names]
    columns = {
        name: np.concatenate([part.array(name) for part in blocks])
        for name in COLUMNS
        if name in blocks[0].names
    }
    columns["radius"] = certified_radius(torch.from_numpy(columns["margin"]), bound).numpy()
    return columns


def _measured(columns: Mapping[str, Array], bound: float) -> dict[str, Any]:
    """In numbers: the gain, the radius, and the attack's distance beside it."""
    gain, right = columns["gain"], columns["margin"] > 0
    most = float(gain.max())
    found: dict[str, Any] = {
        "images": len(gain),
        "gain_min": float(gain.min()),
        "gain_median": float(np.median(gain)),
        "gain_max": most,
        "bound_over_gain": bound / most if most > 0 else None,
        "right": int(right.sum()),
        "radius_median": float(np.median(columns["radius"][right])) if right.any() else None,
        "attack": None,
    }
    if "l2" in columns:
        fooled = right & columns["success"] & (columns["l2"] > 0)
        l2, radius = columns["l2"][fooled], columns["radius"][fooled]
        found["attack"] = {
            "images": int(fooled.sum()),
            "l2_median": float(np.median(l2)) if len(l2) else None,
            "radius_median": float(np.median(radius)) if len(l2) else None,
            "ratio_median": float(np.median(l2 / radius)) if len(l2) and (radius > 0).all() else None,
            "nearer_than_radius": int((l2 < radius).sum()),
        }
    return found


def _add_amplification(layers: Sequence[dict[str, Any]], columns: Mapping[str, Array]) -> None:
    """How far the attack's changes had grown at each layer."""
    if "amplification" not in columns:
        return
    changed = columns["amplification"][np.isfinite(columns["amplification"]).all(axis=1)]
    if len(changed):
        for number, line in enumerate(layers):
            grown = changed[:, number]
            line["amplification"] = {"median": float(np.median(grown)), "max": float(grown.max())}


def _spoken(value: float) -> str:
    """Three digits, and powers of ten as people write them."""
    digits, _, power = f"{value:.3g}".partition("e")
    return f"{digits} × 10{str(int(power)).translate(RAISED)}" if power else digits


def _conclusion(spec: Spectral, summary: Mapping[str, Any]) -> str:
    """The result in two sentences."""
    bound, measured = float(summary["bound"]), summary["measured"]
    first = f"No change of an image moves the logits by more than {_spoken(bound)} times its length."
    if spec.weights == "random":
        return f"{first} That is what the shape of the network gives with random weights."
    if measured is None:
        return f"{first} How much of that the network uses is not measured."
    near = f"Near {measured['images']} images the most it does is {_spoken(measured['gain_max'])} times."
    attack = measured["attack"]
    if attack is None or not attack["images"] or not attack["ratio_median"]:
        return f"{first} {near}"
    return (
        f"{first} {near} The attack fooled {attack['images']} of the images it answers rightly; half of "
        f"them at more than {_spoken(attack['ratio_median'])} times the distance within which the bound "
        "excludes it."
    )
