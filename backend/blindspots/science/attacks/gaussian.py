"""Gaussian noise as an attack: the paper's control. Szegedy et al. 2013, tables 2 and 4, bottom rows."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from blindspots.science.attacks.result import AttackResult, without_search
from blindspots.science.measures import Classifier, gaussian_noise, predictions


def gaussian(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    sigma: float,
    clip: bool,
    seeds: np.ndarray,
    progress: Callable[[int, int], None] | None = None,
) -> AttackResult:
    """Add noise of standard deviation `sigma` (in pixel units, the range of a pixel is 1) to each image.

    images: (n, c, h, w) float32 in [0, 1]; labels: (n,) int64; seeds: (n,) uint64, one per image, so that the
    noise of an image does not depend on its neighbours. Without `clip` the result leaves [0, 1], as in the
    paper.
    """
    if len(seeds) != len(images):
        raise ValueError(f"expected one seed per image, got {len(seeds)} seeds for {len(images)} images")
    noisy = torch.empty_like(images, device="cpu")
    generator = torch.Generator()
    for row, seed in enumerate(seeds):
        generator.manual_seed(int(seed) & (2**63 - 1))
        noisy[row] = gaussian_noise(images[row].cpu(), sigma=sigma, clip=clip, generator=generator)
    already_wrong = predictions(model, images) != labels
    success = predictions(model, noisy.to(images.device)) != labels
    if progress is not None:
        progress(len(images), len(images))
    target = torch.full_like(labels, -1)
    return without_search(noisy, target=target, success=success, already_wrong=already_wrong, passes=2)
