"""Pools of adversarial examples for the layers of a network, refreshed while it learns.

Szegedy et al. 2013, section 4: one pool for each layer, a random subset of which is replaced all the time.
For the code h_k of a training image x with label y, look for the least ||r_k||_2 with h_k + r_k in [0, 1]^d
that makes g_k answer a random class other than y. The paper gives no size, share or stopping rule.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from blindspots.science.adversarial_layers import Layers
from blindspots.science.attacks.minimum_distortion import Progress, Search, minimum_distortion
from blindspots.science.measures import distortion

Staleness = Literal["recompute", "stale"]
BISECTIONS = 25  # of the length of a random direction
WIDEST = 1e6  # as long as a random direction is stretched until every unit stands at a bound


@dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """How pools are made. weights: one per layer from the pixels on, or one for all."""

    size: int = 10_000
    refresh: float = 0.1  # q, the share that is replaced each round
    weights: tuple[float, ...] = (0.1,)
    staleness: Staleness = "recompute"
    target: Literal["random", "nearest"] = "random"  # class that an example shall be taken for
    mode: Literal["tight", "paper"] = "tight"
    search: Search = field(default_factory=lambda: Search(max_ticks=10))

    def weight(self, layer: int) -> float:
        """w_k."""
        return self.weights[layer if len(self.weights) > 1 else 0]


@dataclass(frozen=True)
class Pool:
    """Examples for one layer. All of them fooled the network when they were made.

    source: (m,) int64 rows of the training set. values: (m, d) float32: the change r_k where codes are
    recomputed, or the code h_k + r_k itself where they are kept as they were.
    """

    layer: int
    source: Tensor
    values: Tensor

    def __len__(self) -> int:
        return len(self.source)

    def codes(self, layers: Layers, images: Tensor, rows: Tensor, staleness: Staleness) -> Tensor:
        """The codes (n, d) in [0, 1] of some rows for the present weights; no gradient reaches below."""
        if staleness == "stale":
            return self.values[rows]
        below = layers.codes(images[self.source[rows]], self.layer)
        return (below + self.values[rows]).clamp_(0, 1)


@dataclass(frozen=True)
class Fresh:
    """New examples of one layer, as they were made: codes before and after (n, d), in [0, 1]."""

    source: Tensor
    before: Tensor
    after: Tensor
    fooled: int  # of those tried
    distortion: float  # mean root-mean-square change per unit


def empty_pool(layers: Layers, layer: int) -> Pool:
    """A pool without examples."""
    device = layers.point.device
    return Pool(
        layer,
        torch.zeros(0, dtype=torch.int64, device=device),
        torch.zeros(0, layers.sizes[layer], device=device),
    )


def generate(
    layers: Layers,
    layer: int,
    images: Tensor,
    labels: Tensor,
    *,
    count: int,
    settings: PoolSettings,
    noise: bool,
    random: np.random.Generator,
    progress: Progress | None = None,
) -> Fresh:
    """Adversarial codes of `count` random training images for the present weights; failures are left out.

    images: (n, pixels) float32 in [0, 1]; labels: (n,) int64. With `noise` each change is then exchanged for
    one of the same norm in a random direction.
    """
    rows = torch.from_numpy(random.permutation(len(images))[:count]).to(images.device)
    seeds = random.integers(0, 2**63, size=count, dtype=np.uint64)
    before = layers.codes(images[rows], layer).clamp(0, 1)
    found = minimum_distortion(
        layers.above(layer),
        before.reshape(count, 1, 1, -1),
        labels[rows],
        mode=settings.mode,
        target_rule=settings.target,
        seeds=seeds,
        search=settings.search,
        progress=progress,
    )
    fooled = found.success.to(images.device)
    before, after = before[fooled], found.adversarial.flatten(1).to(images.device)[fooled]
    if noise:
        after = equal_norm(before, (after - before).norm(dim=1), random)
    mean = float(distortion(before, after).mean()) if len(before) else float("nan")
    return Fresh(rows[fooled], before, after, int(fooled.sum()), mean)


def equal_norm(codes: Tensor, norms: Tensor, random: np.random.Generator) -> Tensor:
    """Codes (n, d) moved in a random direction within [0, 1], each by the given Euclidean norm (n,).

    The direction is normal noise; where it would leave the box it is cut off, and it is stretched until what
    is left has the norm. Where the box is too small in that direction, every unit goes towards its farther
    bound instead: then any norm is reached that a change within the box can have.
    """
    direction = torch.from_numpy(random.standard_normal(codes.shape, dtype=np.float32)).to(codes.device)
    direction = torch.nn.functional.normalize(direction, dim=1)

    def moved(lengths: Tensor) -> Tensor:
        return (codes + lengths[:, None] * direction).clamp_(0, 1)

    def short(lengths: Tensor) -> Tensor:
        return (moved(lengths) - codes).norm(dim=1) < norms

    inward = direction.abs() * torch.where(codes <= 0.5, 1.0, -1.0)
    direction = torch.where(short(torch.full_like(norms, WIDEST))[:, None], inward, direction)
    low, high = torch.zeros_like(norms), norms.clone()
    while bool((wider := short(high) & (high < WIDEST)).any()):
        high = torch.where(wider, 2 * high, high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = short(middle)
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return moved(high)


def refreshed(pool: Pool, fresh: Fresh, settings: PoolSettings, random: np.random.Generator) -> Pool:
    """The pool with the fresh examples in the place of random old ones; at most `settings.size` in all."""
    stay = random.permutation(len(pool))[: settings.size - len(fresh.source)]
    rows = torch.from_numpy(stay).to(pool.source.device)
    values = fresh.after if settings.staleness == "stale" else fresh.after - fresh.before
    return Pool(
        pool.layer,
        torch.cat([pool.source[rows], fresh.source]),
        torch.cat([pool.values[rows], values]),
    )


def wanted_count(pool: Pool, settings: PoolSettings) -> int:
    """How many examples to make this round: all of them for an empty pool, otherwise the share q of it."""
    return settings.size if len(pool) == 0 else max(1, round(settings.refresh * settings.size))
