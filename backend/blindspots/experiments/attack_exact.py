"""The exact optimum of linear networks, as a method of its own and as the reference of every other one."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from blindspots.experiments.parameters import Array
from blindspots.science.attacks.exact_linear import exact_linear
from blindspots.science.attacks.result import AttackResult, without_search
from blindspots.science.attacks.targets import random_targets
from blindspots.science.measures import predictions, wanted

TILE = 64  # images per call: progress is told and cancellation heard between two calls


def attack_exactly(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    rule: Literal["untargeted", "random", "given"],
    target_class: int | None,
    seeds: Array,
    progress: Callable[[int, int], None],
) -> AttackResult:
    """The nearest images in the box that a linear network answers as wanted; unchanged where there is
    none."""
    targets = torch.full_like(labels, -1)
    if rule == "random":
        targets = random_targets(labels, classes=network(images[:1]).shape[1], seeds=seeds)
    elif target_class is not None:
        targets = torch.full_like(labels, target_class)
    tiles: list[Tensor] = []

    def keep(done: int, adversarial: Tensor, distances: Tensor) -> None:  # noqa: ARG001
        tiles.append(adversarial)
        progress(done, len(images))

    _by_tiles(network, images, labels, None if rule == "untargeted" else targets, keep)
    adversarial = torch.cat(tiles).to(images.device)
    return without_search(
        adversarial,
        target=targets,
        success=wanted(predictions(network, adversarial), labels=labels, targets=targets),
        already_wrong=predictions(network, images) != labels,
        passes=2,
    )


def exact_distortion(
    network: nn.Module, images: Tensor, labels: Tensor, *, targets: Tensor | None, check: Callable[[], None]
) -> Tensor:
    """(n,) float32 distortion of the exact optimum; infinite where no image of the box is answered as wanted.

    targets: (n,) int64, or None where any answer but the label will do. check: called between tiles.
    """
    tiles: list[Tensor] = []

    def keep(done: int, adversarial: Tensor, distances: Tensor) -> None:  # noqa: ARG001
        tiles.append(distances)
        check()

    _by_tiles(network, images, labels, targets, keep)
    return torch.cat(tiles).float()


def _by_tiles(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    targets: Tensor | None,
    keep: Callable[[int, Tensor, Tensor], None],
) -> None:
    weight, bias = affine_map(network, images.shape[1:])
    for start in range(0, len(images), TILE):
        tile = slice(start, start + TILE)
        goal = None if targets is None else targets[tile]
        adversarial, distances = exact_linear(weight, bias, images[tile], labels[tile], targets=goal)
        keep(min(start + TILE, len(images)), adversarial, distances)


def affine_map(network: nn.Module, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Weight (classes, d) and bias (classes,) of a network whose logits are affine in the pixels.

    Taken from the network as a function, so that every spelling of a linear network will do: the bias is its
    answer to the zero image, the weight its derivative there.
    """
    parameter = next(network.parameters())
    origin = torch.zeros(1, *shape, device=parameter.device, dtype=parameter.dtype, requires_grad=True)
    logits = network(origin)[0]
    rows = [torch.autograd.grad(logit, origin, retain_graph=True)[0].flatten() for logit in logits]
    return torch.stack(rows), logits.detach()
