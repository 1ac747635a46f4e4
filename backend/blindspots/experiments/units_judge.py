"""Whether the top images of a row are alike to another network: torch is imported here."""

from typing import TYPE_CHECKING

import numpy as np
import torch

from blindspots.experiments.base import Context
from blindspots.experiments.parameters import Array
from blindspots.science import unit_scores
from blindspots.science.activations import CHUNK, codes_of
from blindspots.science.tiles import forward_tile
from blindspots.zoo import architectures
from blindspots.zoo.layers import last_hidden, layers_of

if TYPE_CHECKING:
    from blindspots.experiments.units import Units


def judged(spec: "Units", context: Context, arms: dict[str, dict[str, Array]]) -> None:
    """Add `likeness` to the columns of every arm: nan where no judge was named.

    Every image is given to the judging network once, however many rows it is in.
    """
    if spec.judge is None:
        for columns in arms.values():
            columns["likeness"] = np.full(len(columns["unit"]), np.nan)
        return
    shown = np.unique(np.concatenate([columns["image_index"].ravel() for columns in arms.values()]))
    codes = _codes(spec, context, shown)
    for columns in arms.values():
        places = np.searchsorted(shown, columns["image_index"])
        columns["likeness"] = np.array([unit_scores.likeness(codes[row]) for row in places])


def _codes(spec: "Units", context: Context, shown: Array) -> Array:
    """Codes (n, d) of these images in the last hidden layer of the judging network."""
    assert spec.judge is not None
    facts, weights = context.model(spec.judge)
    network = architectures.load(facts, weights).to(context.device)
    known = layers_of(facts.network, facts.parameters, facts.input_shape, len(facts.class_names))
    layer = last_hidden(known)
    pixels, _ = context.dataset(spec.images.dataset, spec.images.split)
    step = forward_tile(int(np.prod(facts.input_shape)), most=CHUNK)
    found = []
    for start in range(0, len(shown), step):
        images = np.asarray(pixels[shown[start : start + step]], dtype=np.float32) / 255
        tensor = torch.from_numpy(images).to(context.device)
        found += [
            codes.cpu().numpy()
            for codes in codes_of(network, tensor, layer.module, call=layer.call, spatial=spec.spatial)
        ]
        context.progress(start, len(shown), "images shown to the judging network")
    return np.concatenate(found)
