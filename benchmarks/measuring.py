"""Attacks are not their own judges: every distance and success of a benchmark is measured here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

from blindspots.science import measures

JUDGING_TILE = 256


@dataclass
class Outcome:
    """What one attack did to one network. `distortion` is infinite where the attack failed."""

    name: str
    side: str  # "ours", "peer", "scipy" or "exact"
    network: str
    targeted: bool
    distortion: np.ndarray
    outside_box: float
    cpu_seconds: list[float] = field(default_factory=list)

    @property
    def images(self) -> int:
        return len(self.distortion)

    @property
    def success(self) -> float:
        return float(np.isfinite(self.distortion).mean())

    @property
    def mean(self) -> float:
        """Mean distortion over the images on which the attack succeeded."""
        found = self.distortion[np.isfinite(self.distortion)]
        return float(found.mean()) if len(found) else float("nan")

    @property
    def milliseconds(self) -> float:
        """Median processor milliseconds per image over the repeats."""
        return 1000 * median(self.cpu_seconds) / self.images

    def ratio(self, reference: np.ndarray) -> float:
        """Mean distortion over that of `reference` (images,), on the images on which both succeeded."""
        shared = min(self.images, len(reference))
        mine, reference = self.distortion[:shared], reference[:shared]
        both = np.isfinite(mine) & np.isfinite(reference)
        if not both.any():
            return float("nan")
        return float(mine[both].mean() / reference[both].mean())

    def worst_ratio(self, reference: np.ndarray) -> float:
        """The largest distortion ratio of a single image; infinite if one failed."""
        reference = reference[: self.images]
        return float((self.distortion / reference).max())


def judge(
    network: nn.Module, images: Tensor, labels: Tensor, found: Tensor, *, targets: Tensor | None
) -> tuple[np.ndarray, float]:
    """Distortion (n,) of the found images as float32 in the box, infinite where the network is not fooled;
    and how far the found images left the box before they were put back into it.
    """
    assert found.shape == images.shape
    stored = found.detach().float()
    outside = float(torch.maximum(-stored, stored - 1).clamp(min=0).max())
    stored = stored.clamp(0, 1)
    reached = measures.predictions(network, stored, tile=JUDGING_TILE)
    fooled = reached != labels if targets is None else reached == targets
    distances = measures.distortion(images, stored)
    return torch.where(fooled, distances, torch.inf).numpy(), outside


def pin_to_one_processor(processor: int | None = None) -> int | None:
    """One thread on one processor, subnormals as zero. Returns the processor, None where not pinned."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if not hasattr(os, "sched_setaffinity"):
        return None
    if processor is None:
        processor = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processor})
    return processor


def envelope(outcomes: list[Outcome], images: int) -> np.ndarray:
    """Least distortion (images,) over all attacks that were run on one network ("best of all")."""
    best = np.full(images, np.inf)
    for outcome in outcomes:
        best[: outcome.images] = np.minimum(best[: outcome.images], outcome.distortion)
    return best
