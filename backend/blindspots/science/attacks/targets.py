"""Which wrong class to aim at. The paper does not say; its numbers fit targets drawn at random."""

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from blindspots.science.measures import Classifier

TargetRule = Literal["random", "nearest", "second", "least_likely", "given", "untargeted"]
TARGET_RULES: tuple[str, ...] = get_args(TargetRule)


def choose_targets(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    rule: TargetRule,
    given: Tensor | None,
    seeds: np.ndarray | None,
    logits: Tensor,
) -> Tensor:
    """(n,) int64 targets, -1 for any class but the label.

    random: uniform over the classes other than the label, from the image's own seed. second, least_likely:
    the most and least likely class other than the label. nearest: the class whose linearised boundary is
    closest. given: as told. logits: (n, classes) of the clean images.
    """
    if rule == "untargeted":
        return torch.full_like(labels, -1)
    if rule == "given":
        assert given is not None
        return given.to(device=labels.device, dtype=torch.int64)
    if rule == "random":
        assert seeds is not None
        return random_targets(labels, classes=logits.shape[1], seeds=seeds)
    others = logits.scatter(1, labels[:, None], float("-inf"))
    if rule == "second":
        return others.argmax(dim=1)
    if rule == "least_likely":
        return logits.scatter(1, labels[:, None], float("inf")).argmin(dim=1)
    if rule == "nearest":
        candidates = min(logits.shape[1] - 1, 9)
        return likely_targets(model, images, labels, logits=logits, candidates=candidates, keep=1)[:, 0]
    raise ValueError(f"target_rule is one of {', '.join(TARGET_RULES)}; got {rule!r}")


def random_targets(labels: Tensor, *, classes: int, seeds: np.ndarray) -> Tensor:
    """A wrong class per image, uniform over the others, from one seed per image (SplitMix64's mixing)."""
    with np.errstate(over="ignore"):
        mixed = np.asarray(seeds).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    shift = torch.from_numpy((mixed % np.uint64(classes - 1)).astype(np.int64)).to(labels.device)
    return (labels + 1 + shift) % classes


def likely_targets(
    model: Classifier, images: Tensor, labels: Tensor, *, logits: Tensor, candidates: int, keep: int
) -> Tensor:
    """The `keep` classes with the closest linearised boundary, nearest first: (n, keep) int64.

    The distance to class j is estimated as (z_y - z_j) / ||grad (z_y - z_j)||, for the `candidates` classes
    of highest logit; one backward pass each. Moosavi-Dezfooli et al. 2016, equation 8 (DeepFool).
    """
    others = logits.detach().scatter(1, labels[:, None], float("-inf"))
    ranked = others.topk(candidates, dim=1).indices
    with torch.enable_grad():
        point = images.detach().clone().requires_grad_(True)
        answers = model(point)
        distance = torch.empty(ranked.shape, device=images.device)
        for place in range(candidates):
            goal = ranked[:, place : place + 1]
            margin = answers.gather(1, labels[:, None]) - answers.gather(1, goal)
            last = place == candidates - 1
            (gradient,) = torch.autograd.grad(margin.sum(), point, retain_graph=not last)
            steepness = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)
            distance[:, place] = margin.detach()[:, 0] / steepness
    return ranked.gather(1, distance.argsort(dim=1, stable=True)[:, :keep])
