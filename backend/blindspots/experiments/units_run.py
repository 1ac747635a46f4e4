"""One part of a units job: the directions of all arms, and one forward pass of a block of images."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from blindspots.experiments.base import Context, Part, Result
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array
from blindspots.experiments.selection import Selected
from blindspots.experiments.units_arms import WIDEST_ROTATION, rotation_stops
from blindspots.science import directions
from blindspots.science.activations import CHUNK, Watch, codes_of
from blindspots.science.networks import initialise
from blindspots.zoo import architectures
from blindspots.zoo.layers import Layer

if TYPE_CHECKING:
    from blindspots.experiments.units import Units

FITTED_IMAGES = 5000  # of the selection, evenly spread, to which principal directions and the like are fitted
LOADED = 16 * CHUNK  # images read at a time


def watch_block(spec: "Units", part: Part, context: Context) -> Result:
    """Top images, class sums and directions of every arm of one network, on one block of images."""
    facts, weights = context.model(spec.model)
    layer = spec.find_layer(facts)
    untrained = bool(part.parameters["untrained"])
    network = architectures.load(facts, weights)
    if untrained:
        initialise(network, torch.Generator().manual_seed(spec.seed))
    block = _Block(spec, facts, layer, network.to(context.device).eval(), context)
    arms, converged = _arms(block, untrained)
    columns = np.concatenate([columns for _, columns in arms.values()], axis=1)
    start, stop = int(str(part.parameters["start"])), int(str(part.parameters["stop"]))
    classes = len(facts.class_names) if block.load(slice(start, start + 1)).label[0] >= 0 else 1
    watch = Watch(*_scored(block, columns), k=spec.k, classes=classes)
    index, label = [], []
    for first in range(start, stop, LOADED):
        selected = block.load(slice(first, min(first + LOADED, stop)))
        index.append(np.array(selected.index))  # a copy: the view would keep the whole selection
        label.append(selected.label)
        rows = torch.arange(first, first + len(selected.index), device=context.device)
        labels = torch.from_numpy(np.maximum(selected.label, 0)).to(context.device)  # one class of no labels
        for number, codes in enumerate(block.codes(selected)):
            here = slice(number * CHUNK, number * CHUNK + len(codes))
            watch.add(codes, labels[here], rows[here])
        done = min(first + LOADED, stop) - start
        context.progress(done, stop - start, f"{done} of {stop - start} images seen")
    found = watch.found()
    arrays = {
        "score": found.score, "row": found.row, "class_sum": found.class_sum,
        "class_count": found.class_count, "square_sum": found.square_sum, "least": found.least,
    }  # fmt: skip
    stored = {name: value.cpu().numpy() for name, value in arrays.items()}
    stored["index"], stored["label"] = np.concatenate(index), np.concatenate(label)
    stored["unit"] = np.concatenate([units for units, _ in arms.values()])
    stored["direction"] = columns.T.astype(np.float32)
    stored["arm_size"] = np.array([len(units) for units, _ in arms.values()])
    return Result(arrays=stored, summary={"arms": list(arms), "ica_converged": converged})


class _Block:
    """What all arms of one network share."""

    def __init__(
        self, spec: "Units", facts: ModelFacts, layer: Layer, network: nn.Module, context: Context
    ) -> None:
        self.spec, self.facts, self.layer, self.network = spec, facts, layer, network
        self.context = context
        self._sample: Array | None = None

    def load(self, rows: slice) -> Selected:
        shape = self.facts.input_shape
        return self.spec.images.load(self.context, rows, seed=self.spec.seed, shape=shape)

    def codes(self, selected: Selected) -> list[Tensor]:
        """Codes of the images, in chunks."""
        found: list[Tensor] = []
        for start in range(0, len(selected.images), CHUNK):
            pixels = selected.images[start : start + CHUNK].astype(np.float32) / 255
            images = torch.from_numpy(pixels).to(self.context.device)
            module, call = self.layer.module, self.layer.call
            found += codes_of(self.network, images, module, call=call, spatial=self.spec.spatial)
            self.context.check_cancelled()
        return found

    def sample(self) -> Array:
        """Codes (n, d) of images that are spread evenly over the selection; the same for every block."""
        if self._sample is None:
            total = self.spec.images.count_rows()
            step = -(-total // FITTED_IMAGES)
            pieces = [
                torch.cat(self.codes(self.load(slice(start, min(start + step * LOADED, total), step))))
                for start in range(0, total, step * LOADED)
            ]
            self._sample = torch.cat(pieces).double().cpu().numpy()
        return self._sample

    def whitened(self, columns: Array) -> Array:
        """Columns (d, m) for codes as they are, that score as the given ones do on whitened codes."""
        if not self.spec.whiten:
            return columns
        found: Array = directions.whitening(self.sample()).matrix @ columns
        return found


def _scored(block: _Block, columns: Array) -> tuple[Tensor, Tensor]:
    """The matrix and offset of the scores, on the device of the network."""
    spec, device = block.spec, block.context.device
    offset = np.zeros(columns.shape[1])
    if spec.centre or spec.whiten:
        offset = -(block.sample().mean(axis=0) @ columns)
    matrix, shift = (torch.from_numpy(each.astype(np.float32)).to(device) for each in (columns, offset))
    return matrix, shift


def _arms(block: _Block, untrained: bool) -> tuple[dict[str, tuple[Array, Array]], bool | None]:
    """Arm -> numbers (m,) of its directions and their columns (d, m); and whether ICA converged."""
    spec, width = block.spec, block.layer.units
    units = np.random.default_rng([spec.seed, 1]).permutation(width)[: min(spec.units, width)]
    natural = np.zeros((width, len(units)))
    natural[units, np.arange(len(units))] = 1
    if untrained:
        return {"untrained": (units, block.whitened(natural))}, None
    found: dict[str, tuple[Array, Array]] = {}
    if "natural" in spec.arms:
        found["natural"] = (units, block.whitened(natural))
    if "random" in spec.arms and width <= WIDEST_ROTATION:
        rotation = directions.random_rotation(width, spec.seed)
        for name, share in rotation_stops(spec.rotation_steps):
            columns = directions.rotation_power(rotation, share)[:, units]
            found[name] = (units, block.whitened(columns))
        found["random"] = (units, block.whitened(rotation[:, units]))
    elif "random" in spec.arms:
        columns = directions.random_frame(width, len(units), spec.seed)
        found["random"] = (np.arange(len(units)), block.whitened(columns))
    # Whitening would not change these two: it only rescales each direction.
    if "pca" in spec.arms:
        columns = directions.principal_directions(block.sample(), len(units))
        found["pca"] = (np.arange(columns.shape[1]), columns)
    converged = None
    if "ica" in spec.arms:
        columns, converged = directions.independent_directions(block.sample(), len(units), spec.seed)
        found["ica"] = (np.arange(columns.shape[1]), columns)
    return found, converged
