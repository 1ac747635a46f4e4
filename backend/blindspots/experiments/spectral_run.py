"""One part of a spectral job: the spectra of some layers, or the gain near some images. Imports torch."""

import gc
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor, nn

from blindspots.errors import InvalidInput
from blindspots.experiments.attack_examples import adversarial_rows
from blindspots.experiments.base import Context, Part, Result
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array
from blindspots.experiments.spectral import ATTACK, Spectral
from blindspots.science.spectrum.layers import Layer, padded_norm
from blindspots.science.spectrum.local_gain import jacobian_norms, margins
from blindspots.science.spectrum.norm_interval import norm_interval
from blindspots.science.spectrum.reading import Reading, read
from blindspots.science.spectrum.singular_values import default_grid, spectrum
from blindspots.science.spectrum.symbol import Pair, half_grid
from blindspots.zoo import architectures

TILE_SIZES = 3e10  # sum of size^3 over the frequencies of one tile: some five seconds
TILE = 64  # images at a time


@dataclass(frozen=True)
class Piece:
    """Some frequencies of one layer; the first piece of a layer also finds the bounds of its norm."""

    layer: int
    tile: int
    rows: slice
    whole: bool  # whether these are all frequencies
    cost: float


def open_network(spec: Spectral, context: Context) -> tuple[ModelFacts, nn.Module, Reading]:
    """The network on the part's device, and how it is read. Raises InvalidInput where it cannot be."""
    gc.collect()  # a traced network is a cycle: without this, that of the last part would still be there
    if spec.weights == "random":
        facts, network = spec.untrained.facts(), spec.untrained.build(spec.seed)
    else:
        facts, weights = context.model(spec.model)
        network = architectures.load(facts, weights).eval()
    try:
        reading = read(network, facts.input_shape)
    except ValueError as error:
        raise InvalidInput(
            f"The spectra of {facts.name} cannot be joined to one bound: {error}.", field="model"
        ) from error
    reading.trace.graph.to(context.device)  # constants of the traced network are its own
    return facts, network.to(context.device), reading


def grid_of(spec: Spectral, layer: Layer) -> Pair:
    """Frequencies along each axis: those asked for where the layer changes along that axis."""
    if spec.grid is None:
        return default_grid(layer.degree)
    first, second = (1 if degree == 0 else spec.grid for degree in layer.degree)
    return first, second


def pieces(spec: Spectral, layers: Sequence[Layer]) -> list[Piece]:
    """All layers, cut where one would take long."""
    found = []
    for number, layer in enumerate(layers):
        groups, *sides = layer.matrices
        frequencies = len(half_grid(grid_of(spec, layer))[0])
        each = groups * min(sides) ** 2 * max(sides)
        step = max(1, min(frequencies, int(TILE_SIZES / each)))
        for tile, start in enumerate(range(0, frequencies, step)):
            rows = slice(start, min(start + step, frequencies))
            cost = float(each * (rows.stop - rows.start))
            found.append(Piece(number, tile, rows, step == frequencies, cost))
    return found


def shared_out(all_pieces: Sequence[Piece], share: int, of: int) -> list[Piece]:
    """One of several shares of about equal cost: the dearest piece first, each to the least loaded share."""
    load = [0.0] * of
    chosen = []
    for piece in sorted(all_pieces, key=lambda each: (-each.cost, each.layer, each.tile)):
        least = load.index(min(load))
        load[least] += piece.cost
        if least == share:
            chosen.append(piece)
    return sorted(chosen, key=lambda each: (each.layer, each.tile))


def share_of_layers(spec: Spectral, part: Part, context: Context) -> Result:
    """Singular values of the pieces of one share, and the bounds of each layer whose first piece it is.

    Arrays: `values_<layer>_<tile>` (frequencies, groups, size) and `multiplicity_<layer>_<tile>`.
    """
    started = time.perf_counter()
    _, _, reading = open_network(spec, context)
    share, of = (int(str(part.parameters[name])) for name in ("share", "of"))
    mine = shared_out(pieces(spec, reading.layers), share, of)
    total = sum(piece.cost for piece in mine) or 1.0
    arrays: dict[str, Array] = {}
    found: list[JsonValue] = []
    for place, piece in enumerate(mine):
        layer, done = reading.layers[piece.layer], sum(each.cost for each in mine[:place])

        def report(fraction: float, piece: Piece = piece, name: str = layer.name, done: float = done) -> None:
            context.progress(done + fraction * piece.cost, total, name)

        symbol = layer.symbol()
        values = spectrum(symbol, grid_of(spec, layer), rows=piece.rows, report=report)
        name = f"{piece.layer}_{piece.tile}"
        arrays[f"values_{name}"] = values.values.astype(np.float32)
        arrays[f"multiplicity_{name}"] = values.multiplicity
        facts: dict[str, JsonValue] = {"layer": piece.layer, "tile": piece.tile}
        facts["smallest"] = float(values.values.min())
        if piece.tile == 0:
            interval = norm_interval(symbol, values if piece.whole else spectrum(symbol, report=report))
            facts |= {"lower": interval.lower, "upper": interval.upper}
            facts["padded_norm"] = None if layer.kind == "dense" else padded_norm(layer)
        found.append(facts)
    return Result(arrays=arrays, summary={"found": found, "seconds": time.perf_counter() - started})


def block_of_images(spec: Spectral, part: Part, context: Context) -> Result:
    """Gain, margin and, with an attack, its distance and each layer's amplification, for some images.

    Arrays: index, label, prediction (n,), gain and margin (n,) float64; l2 (n,), success (n,) and
    amplification (n, layers), NaN where the attack changed nothing.
    """
    started = time.perf_counter()
    facts, network, reading = open_network(spec, context)
    start, stop = (int(str(part.parameters[name])) for name in ("start", "stop"))
    selected = spec.images.load(context, slice(start, stop), seed=spec.seed, shape=facts.input_shape)
    original = torch.from_numpy(selected.images.astype(np.float32) / 255)
    adversarial = None
    if spec.measured == "attack":
        attack = context.step(ATTACK)
        adversarial = torch.from_numpy(adversarial_rows(attack, slice(start, stop)))
        success = attack.result.array("success", slice(start, stop))
    columns: dict[str, list[Tensor]] = {}
    for first in range(0, len(original), TILE):
        rows = slice(first, first + TILE)
        images = original[rows].to(context.device)
        measured = _near(network, images, torch.from_numpy(selected.label[rows]).to(context.device))
        if adversarial is not None:
            measured |= _amplified(reading, images, adversarial[rows].to(context.device))
        for name, column in measured.items():
            columns.setdefault(name, []).append(column.cpu())
        context.progress(min(first + TILE, len(original)), len(original), "gain near the images")
    arrays: dict[str, Array] = {name: torch.cat(tiles).numpy() for name, tiles in columns.items()}
    if adversarial is not None:
        arrays["success"] = success
    return Result(
        arrays={"index": selected.index, **arrays},
        summary={"images": stop - start, "seconds": time.perf_counter() - started},
    )


def _near(network: nn.Module, images: Tensor, given: Tensor) -> dict[str, Tensor]:
    """What the network does at and near each image; its own answer counts where no label is given."""
    with torch.no_grad():
        logits = network(images)
    prediction = logits.argmax(dim=1)
    label = torch.where(given < 0, prediction, given)
    return {
        "label": label,
        "prediction": prediction,
        "gain": jacobian_norms(network, images),
        "margin": margins(logits, label).double(),
    }


def _amplified(reading: Reading, images: Tensor, adversarial: Tensor) -> dict[str, Tensor]:
    """How far the change of each image has grown at every layer: ||h_k(x') - h_k(x)|| / ||x' - x||."""
    l2 = (adversarial.double() - images.double()).flatten(1).norm(dim=1)
    grown = [
        (after.double() - before.double()).flatten(1).norm(dim=1) / l2
        for before, after in zip(reading.outputs(images), reading.outputs(adversarial), strict=True)
    ]
    amplification = torch.stack(grown, dim=1)
    amplification[l2 == 0] = math.nan
    return {"l2": l2, "amplification": amplification}
