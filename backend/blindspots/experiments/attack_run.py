"""One part of an attack: attack the images, then measure what will be stored. Imports torch: import it in
`run`."""

import numpy as np
import torch
from torch import Tensor, nn

from blindspots.experiments.attack_exact import exact_distortion
from blindspots.experiments.attack_method import AttackMethod
from blindspots.experiments.base import Context
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array
from blindspots.experiments.selection import Selected
from blindspots.science import measures
from blindspots.science.attacks.result import AttackResult

TILE = 128  # images whose norms are computed at a time
SEARCH_COLUMNS = (
    "target", "reason", "weight", "forwards", "backwards",
    "trace_weight", "trace_distortion", "trace_loss", "trace_success",
)  # fmt: skip


def attack_images(
    network: nn.Module,
    facts: ModelFacts,
    selected: Selected,
    method: AttackMethod,
    *,
    seed: int,
    context: Context,
) -> dict[str, Array]:
    """Columns (n, ...) of a part, and `adversarial` (n, c, h, w) float32, all in the order of `selected`.

    Norms, answers and success are measured here, on the float32 images that will be stored: the attack is
    not its own judge. Where the network is linear, `exact_rms` is the distortion of the exact optimum of the
    same task.
    """
    images = torch.from_numpy(selected.images.astype(np.float32) / 255).to(context.device)
    before = measures.probabilities(network, images)
    prediction = before.argmax(dim=1)
    given = torch.from_numpy(selected.label).to(context.device)
    label = torch.where(given < 0, prediction, given)

    def progress(done: int, total: int) -> None:
        context.progress(done, total, f"{done} of {total} images attacked")

    found = method.attack(network, images, label, seeds=image_seeds(seed, selected.index), progress=progress)
    context.check_cancelled()
    columns = {"label": label, "prediction": prediction, "already_wrong": prediction != label}
    columns |= {"confidence_before": before.amax(dim=1), "probabilities_before": before}
    columns |= _judged(network, images, label, found)
    if facts.linear:
        targets = None if method.any_wrong_answer() else found.target
        columns["exact_rms"] = exact_distortion(
            network, images, label, targets=targets, check=context.check_cancelled
        )
    arrays = {name: value.cpu().numpy() for name, value in columns.items()}
    classes = {name: arrays[name].astype(np.int32) for name in ("label", "prediction", "target", "reached")}
    return {"index": selected.index, **arrays, **classes}


def _judged(network: nn.Module, images: Tensor, label: Tensor, found: AttackResult) -> dict[str, Tensor]:
    """What the network says of the images that were found, how far they are, and how the search went."""
    adversarial = found.adversarial.to(images.device)
    assert adversarial.shape == images.shape
    verdict = measures.judge(network, adversarial, labels=label, targets=found.target.to(images.device))
    return {
        "adversarial": adversarial,
        "reached": verdict.reached,
        "success": verdict.success,
        "success_8bit": verdict.success_8bit,
        "confidence_after": verdict.probabilities.amax(dim=1),
        "probabilities_after": verdict.probabilities,
        **_norms(images, adversarial),
        **{name: getattr(found, name) for name in SEARCH_COLUMNS},
    }


def _norms(original: Tensor, adversarial: Tensor) -> dict[str, Tensor]:
    """All norms of the change, (n,) float32 each; tile by tile, because they are computed in float64."""
    tiles = [
        measures.norms(original[start : start + TILE], adversarial[start : start + TILE])
        for start in range(0, len(original), TILE)
    ]
    return {name: torch.cat([tile[name] for tile in tiles]).float() for name in tiles[0]}


def image_seeds(seed: int, index: Array) -> Array:
    """(n,) uint64: a seed per image from the job's seed and the image's absolute index, by SplitMix64's
    mixing.

    Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators", figure 17.
    """
    with np.errstate(over="ignore"):
        state = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + index.astype(np.uint64)
        state = (state + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
