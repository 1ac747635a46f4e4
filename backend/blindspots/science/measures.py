"""How far, and did it work: the one place that measures stored images. No attack is its own judge.

Szegedy et al. 2013, section 4.1: distortion is sqrt(sum_i (x'_i - x_i)^2 / n), the root mean square per pixel
value. All measures are taken in float64 on the float32 images that are stored.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from blindspots.science.tiles import forward_tile

Classifier = Callable[[Tensor], Tensor]
JUDGE_TILE = 512  # images per forward pass, where they are small


def distortion(original: Tensor, adversarial: Tensor) -> Tensor:
    """Root mean square change per pixel value, (n,) float64. Both images: (n, c, h, w) or (n, d)."""
    return norms(original, adversarial)["rms"]


def norms(original: Tensor, adversarial: Tensor) -> dict[str, Tensor]:
    """l0 (pixel values changed at all), l1, l2, linf and rms of the change, each (n,) float64.

    original, adversarial: (n, c, h, w) or (n, d), same shape. Raises ValueError if the shapes differ.
    """
    if original.shape != adversarial.shape or original.ndim < 2:
        raise ValueError(f"expected two batches of one shape, got {original.shape} and {adversarial.shape}")
    change = (adversarial.double() - original.double()).flatten(1)
    size = change.abs()
    square = change.square().sum(dim=1)
    return {
        "l0": (size > 0).sum(dim=1).double(),
        "l1": size.sum(dim=1),
        "l2": square.sqrt(),
        "linf": size.amax(dim=1) if change.shape[1] else square,
        "rms": (square / change.shape[1]).sqrt(),
    }


def round_to_8_bits(images: Tensor) -> Tensor:
    """The images as a PNG would keep them: 256 levels, (n, c, h, w) float32 in [0, 1]."""
    return (images.clamp(0, 1) * 255).round() / 255


@torch.no_grad()
def probabilities(model: Classifier, images: Tensor, *, tile: int | None = None) -> Tensor:
    """Softmax of the model's logits, (n, classes) float32, computed `tile` images at a time."""
    tile = tile or _tile(images)
    return torch.cat(
        [model(images[i : i + tile]).float().softmax(dim=1) for i in range(0, len(images), tile)]
    )


@torch.no_grad()
def predictions(model: Classifier, images: Tensor, *, tile: int | None = None) -> Tensor:
    """Argmax of the logits, (n,) int64; -1 where a logit is not finite."""
    tile = tile or _tile(images)
    answers = []
    for start in range(0, len(images), tile):
        logits = model(images[start : start + tile])
        answers.append(torch.where(logits.isfinite().all(dim=1), logits.argmax(dim=1), -1))
    return torch.cat(answers)


def _tile(images: Tensor) -> int:
    return forward_tile(images[0].numel() if len(images) else 1, most=JUDGE_TILE)


@dataclass(frozen=True)
class Verdict:
    """What the model says of stored images. Rows as given.

    reached, reached_8bit: (n,) int64, answers on the float32 images and on those rounded to 8 bits.
    success, success_8bit: (n,) bool, whether those answers are what was wanted.
    probabilities: (n, classes) float32 on the float32 images.
    """

    reached: Tensor
    reached_8bit: Tensor
    success: Tensor
    success_8bit: Tensor
    probabilities: Tensor


def judge(
    model: Classifier, adversarial: Tensor, *, labels: Tensor, targets: Tensor, tile: int | None = None
) -> Verdict:
    """Decide the success of stored images: the answer is `targets`, or, where that is -1, is not `labels`.

    adversarial: (n, c, h, w) float32, in [0, 1] but for unclipped noise; labels, targets: (n,) int64. Raises
    ValueError on other types: such an image cannot have been stored by us.
    """
    if adversarial.dtype != torch.float32:
        raise ValueError(f"stored images are float32, got {adversarial.dtype}")
    answers = probabilities(model, adversarial, tile=tile)
    reached = torch.where(answers.isfinite().all(dim=1), answers.argmax(dim=1), -1)
    reached_8bit = predictions(model, round_to_8_bits(adversarial), tile=tile)
    return Verdict(
        reached=reached,
        reached_8bit=reached_8bit,
        success=wanted(reached, labels=labels, targets=targets),
        success_8bit=wanted(reached_8bit, labels=labels, targets=targets),
        probabilities=answers,
    )


def wanted(answers: Tensor, *, labels: Tensor, targets: Tensor) -> Tensor:
    """(n,) bool: is the answer the target, or, where that is -1, any class but the label? All (n,) int64."""
    return torch.where(targets >= 0, answers == targets, (answers != labels) & (answers >= 0))


def gaussian_noise(images: Tensor, *, sigma: float, clip: bool, generator: torch.Generator) -> Tensor:
    """The images plus independent normal noise of standard deviation `sigma`; `clip` cuts it to [0, 1].

    The paper's noise rows (tables 2 and 4) are unclipped: then the result leaves the box.
    """
    if not sigma >= 0:
        raise ValueError(f"sigma must not be negative, got {sigma}")
    noise = torch.randn(images.shape, generator=generator, device=generator.device, dtype=torch.float32)
    noisy = images + sigma * noise.to(images.device)
    return noisy.clamp(0, 1) if clip else noisy
