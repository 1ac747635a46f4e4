"""What one round of adversarial training minimises: clean images, the pools of every layer, weight decay.

    mean CE over the clean images + sum_k w_k * mean CE of g_k over pool k + decay

Szegedy et al. 2013, section 4. An example of pool k adds to the gradient of the layers above k only. Dropout
(Hinton et al. 2012) and projected gradient steps (Madry et al. 2018) change the clean images instead.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from blindspots.science.adversarial_layers import Layers
from blindspots.science.adversarial_pools import (
    Pool,
    PoolSettings,
    empty_pool,
    generate,
    refreshed,
    wanted_count,
)
from blindspots.science.training import do_nothing

CHUNK = 2048  # images per pass over all of them
# Streams of random numbers, each drawn anew in every round: a resumed training needs no generator's state.
ORDER, EXAMPLES, SLOTS, POOL_ORDER, MASKS, STARTS = range(6)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """What is done beside weight decay. layers: those that have a pool, 0 are the pixels."""

    layers: tuple[int, ...] = ()
    noise: bool = False  # the pools hold random changes of the same norm
    dropout: bool = False
    pgd: bool = False  # every clean image is replaced by the worst one found nearby


@dataclass(frozen=True, kw_only=True)
class MixtureSettings:
    """dropout: share of pixels, and of hidden units, that are silenced. radius, steps: of the L2 ball and the
    projected gradient ascent within it."""

    pools: PoolSettings = field(default_factory=PoolSettings)
    dropout: tuple[float, float] = (0.2, 0.5)
    radius: float = 1.0
    steps: int = 5


class Mixture:
    """The examples of one network's training, in the round that was begun last.

    images: (n, pixels) float32 in [0, 1]; labels: (n,) int64. fixed: dropout masks and attacked images stay
    the same for the whole round, as an optimiser needs that compares values.
    """

    def __init__(
        self,
        layers: Layers,
        images: Tensor,
        labels: Tensor,
        *,
        arm: Arm,
        settings: MixtureSettings,
        seed: int,
        fixed: bool,
        interrupt: Callable[[], None] = do_nothing,
    ) -> None:
        if any(layer > layers.hidden for layer in arm.layers):
            raise ValueError(f"expected layers 0 to {layers.hidden}, got {arm.layers}")
        self.layers, self.images, self.labels = layers, images, labels
        self.arm, self.settings, self.seed, self.fixed = arm, settings, seed, fixed
        self.interrupt = interrupt
        self.pools = {layer: empty_pool(layers, layer) for layer in arm.layers}
        self.distortion = dict.fromkeys(arm.layers, float("nan"))  # mean, of what this round added
        self.round = 0
        self._shown = images
        self._mask_seed = self._start_seed = 0
        self._orders: dict[int, Tensor] = {}

    def random(self, stream: int, *more: int) -> np.random.Generator:
        """Random numbers of this round."""
        return np.random.default_rng([self.seed, stream, self.round, *more])

    def refresh(self) -> None:
        """Exchange a part of every pool for examples that fool the present weights.

        Not in the first round, for an untrained network has no answers that could be called wrong.
        """
        for layer, pool in self.pools.items() if self.round > 1 else ():
            fresh = generate(
                self.layers,
                layer,
                self.images,
                self.labels,
                count=wanted_count(pool, self.settings.pools),
                settings=self.settings.pools,
                noise=self.arm.noise,
                random=self.random(EXAMPLES, layer),
                progress=lambda *_: self.interrupt(),
            )
            self.pools[layer] = refreshed(pool, fresh, self.settings.pools, self.random(SLOTS, layer))
            self.distortion[layer] = fresh.distortion

    def begin(self, number: int) -> None:
        """Draw the order of the pools, the masks and, where they are fixed, the attacked images."""
        self.round = number
        self._mask_seed = int(self.random(MASKS).integers(2**62))
        self._start_seed = int(self.random(STARTS).integers(2**62))

    def arrange(self) -> None:
        """After the pools were refreshed or restored, for the weights that the round begins with."""
        self._orders = {
            layer: torch.from_numpy(self.random(POOL_ORDER, layer).permutation(len(pool))).to(
                self.images.device
            )
            for layer, pool in self.pools.items()
        }
        if self.arm.pgd and self.fixed:
            pieces = [
                self._attacked(self.images[start : start + CHUNK], self.labels[start : start + CHUNK], place)
                for place, start in enumerate(range(0, len(self.images), CHUNK))
            ]
            self._shown = torch.cat(pieces)

    def add(self, rows: Tensor | slice, place: int, of: int, *, clean: float, pooled: float) -> list[float]:
        """Add gradients of batch `place` of `of`: clean images `rows`, and that part of every pool.

        clean: share of each image's cross-entropy; pooled: of each pool's mean, beside its own weight.
        Answers the weighted loss, the wrong answers to clean images, and those to each pool.
        """
        self.interrupt()
        images, labels = self._shown[rows], self.labels[rows]
        if self.arm.pgd and not self.fixed:
            images = self._attacked(images, labels, place)
        masks = self._masks(len(images), place) if self.arm.dropout else None
        loss, wrong = self.layers.add_gradient(images, labels, layer=0, share=clean, masks=masks)
        answer = [clean * loss, float(wrong)]
        for layer, pool in self.pools.items():
            share = pooled * self.settings.pools.weight(layer) / max(1, len(pool))
            loss, wrong = self._add_pool(pool, place, of, share)
            answer[0] += share * loss
            answer.append(float(wrong))
        return answer

    def _add_pool(self, pool: Pool, place: int, of: int, share: float) -> tuple[float, int]:
        rows = self._orders[pool.layer][place * len(pool) // of : (place + 1) * len(pool) // of]
        if len(rows) == 0:
            return 0.0, 0
        codes = pool.codes(self.layers, self.images, rows, self.settings.pools.staleness)
        labels = self.labels[pool.source[rows]]
        return self.layers.add_gradient(codes, labels, layer=pool.layer, share=share)

    def _masks(self, count: int, place: int) -> list[Tensor]:
        """Zero for a silenced unit, 1 / (1 - share) for the others, so that sums keep their mean."""
        random = np.random.default_rng(self._mask_seed + place)
        masks = []
        for layer, size in enumerate(self.layers.sizes[:-1]):
            share = self.settings.dropout[min(layer, 1)]
            drawn = random.integers(0, 1 << 16, (count, size), dtype=np.uint16)
            kept = (drawn >= round(share * (1 << 16))).astype(np.float32)
            masks.append(torch.from_numpy(kept).mul_(1 / (1 - share)).to(self.images.device))
        return masks

    def _attacked(self, images: Tensor, labels: Tensor, place: int) -> Tensor:
        self.interrupt()
        generator = torch.Generator().manual_seed(self._start_seed + place)
        radius, steps = self.settings.radius, self.settings.steps
        return projected_ascent(self.layers, images, labels, radius=radius, steps=steps, generator=generator)


def projected_ascent(
    layers: Layers,
    images: Tensor,
    labels: Tensor,
    *,
    radius: float,
    steps: int,
    generator: torch.Generator,
) -> Tensor:
    """Images (n, pixels) in [0, 1] within `radius` (L2) of the given ones whose loss is large.

    Madry et al. 2018: from a random start, `steps` normalised gradient steps of 2.5 * radius / steps, each
    projected onto the ball and the box.
    """
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    lengths = torch.rand(len(images), 1, generator=generator).to(images.device)
    change = normalize(noise, dim=1).mul_(radius * lengths)
    point = (images + change).clamp_(0, 1)
    for _ in range(steps):
        slope = layers.slope(point, labels)
        change = normalize(slope, dim=1).mul_(2.5 * radius / steps).add_(point).sub_(images)
        change *= (radius / change.norm(dim=1, keepdim=True).clamp_(min=1e-12)).clamp_(max=1)
        point = change.add_(images).clamp_(0, 1)
    return point
