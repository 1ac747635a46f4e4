"""One batch of images through the weight search, the walk, or both: what the modes of the attack mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from blindspots.science.attacks.goals import Goals, goals
from blindspots.science.attacks.norm_terms import Norm
from blindspots.science.attacks.polish import Walk, start_walk, walk
from blindspots.science.attacks.targets import likely_targets
from blindspots.science.attacks.weight_search import Plan, State, search_weights
from blindspots.science.measures import Classifier

Mode = Literal["paper", "tight", "nearest"]
Tick = Callable[[], None]
FIRST_LOOK = 2  # candidates beyond `Search.candidates` that get one tick of the walk
PROBE = (4, 12)  # ticks, or the part of all, after which candidates far behind are dropped; at most a quarter
FAR_BEHIND = 1.1  # times the length of the best candidate's change


@dataclass(frozen=True, kw_only=True)
class Search:
    """How hard to look. Pixels lie in [0, 1]; c weighs the norm term: c * norm(r) + loss.

    initial_c: first weight of mode paper, > 0; its inverse weighs the loss (1e-3 in the literature).
    growth: factor > 1 by which c falls in mode paper until the attack succeeds.
    bisections: refinements of c after the first success in mode paper, >= 0; 0 is the paper's coarse search.
    max_growths: weights tried at most in mode paper, refinements included, >= 1.
    max_iterations: of one inner solve in mode paper, >= 1.
    max_ticks: passes (forward and backward) per image and target in modes tight and nearest, >= 2; three
    times as many for an image without success.
    polish_ticks: passes of the walk, >= 2; its schedule is stretched over them.
    candidates: targets followed per image in mode nearest, >= 1.
    restarts: further walks, of `polish_ticks` each, from random points as far from the nearest image found as
    that is from the original, >= 0: the boundary of a rectified network has many local minima.
    """

    initial_c: float = 1000.0
    growth: float = 2.0
    bisections: int = 0
    max_growths: int = 40
    max_iterations: int = 100
    max_ticks: int = 40
    polish_ticks: int = 40
    candidates: int = 4
    restarts: int = 0

    def __post_init__(self) -> None:
        least = {"max_growths": 1, "max_iterations": 1, "max_ticks": 2, "polish_ticks": 2, "candidates": 1}
        for name, bound in (least | {"bisections": 0, "restarts": 0}).items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} is at least {bound}, got {getattr(self, name)}")
        if not self.initial_c > 0 or not self.growth > 1:
            raise ValueError(f"initial_c > 0 and growth > 1, got {self.initial_c} and {self.growth}")


@dataclass(frozen=True, kw_only=True)
class Method:
    """The choices of one attack, for every batch the same."""

    mode: Mode
    norm: Norm
    polish: bool
    search: Search
    fused: bool

    def plan(self) -> Plan:
        """The weight search of this method."""
        search, paper = self.search, self.mode == "paper"
        inner = search.max_growths * (search.max_iterations + 2)
        return Plan(
            paper=paper,
            norm=self.norm,
            initial_c=search.initial_c,
            growth=search.growth,
            bisections=search.bisections,
            max_weights=search.max_growths if paper else 3 * search.max_ticks,
            max_inner=search.max_iterations,
            max_ticks=inner if paper else search.max_ticks,
        )


@dataclass
class Found:
    """Row i for image i: x (n, d) in the box, whether it reaches the goal, weight, passes and trace (n, T,
    4)."""

    x: Tensor
    success: Tensor
    weight: Tensor
    passes: Tensor
    trace: Tensor

    def put(self, index: Tensor, found: "Found") -> None:
        """Take over the rows found for the images `index`; passes add up."""
        self.x[index], self.success[index] = found.x, found.success
        self.weight[index] = found.weight
        self.passes[index] += found.passes
        longest = found.trace.shape[1] - self.trace.shape[1]
        if longest > 0:
            self.trace = torch.nn.functional.pad(self.trace, (0, 0, 0, longest), value=float("nan"))
        self.trace[index, : found.trace.shape[1]] = found.trace


def search_batch(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    targets: Tensor,
    *,
    logits: Tensor,
    seeds: np.ndarray | None,
    method: Method,
    tick: Tick,
) -> Found:
    """Search the images none of which reaches its goal yet. logits: (n, classes) of the images; seeds: (n,),
    for the restarts."""
    classes = logits.shape[1]
    aims = goals(labels, targets, classes=classes)
    if method.polish and method.mode == "nearest":
        found = _nearest_by_walk(model, images, labels, logits, method=method, tick=tick)
    elif method.polish and method.mode == "tight":
        found = _walked(_walk(model, images, images, aims, logits, method=method, tick=tick))
    elif method.mode == "nearest":
        found = _nearest_by_weights(model, images, labels, logits, method=method, tick=tick)
    else:
        found = _searched(search_weights(model, images, aims, method.plan(), fused=method.fused, tick=tick))
    if method.polish and method.mode == "paper":
        found = _polished(model, images, aims, logits, found=found, start=found.x, method=method, tick=tick)
    if method.polish and method.mode != "paper":
        lost = (~found.success).nonzero()[:, 0]
        if len(lost):  # the walk found no way: the weight search is slower and more patient
            found.put(
                lost, _rescue(model, images[lost], aims.rows(lost), logits[lost], method=method, tick=tick)
            )
    for turn in range(method.search.restarts if method.polish else 0):
        assert seeds is not None
        start = _thrown(images, found.x, seeds, turn)
        found = _polished(model, images, aims, logits, found=found, start=start, method=method, tick=tick)
    return found


def _thrown(images: Tensor, x: Tensor, seeds: np.ndarray, turn: int) -> Tensor:
    """Points of the box in random directions from x (n, d), as far from it as it is from its image."""
    length = (x - images.flatten(1)).norm(dim=1, keepdim=True)
    noise = [
        np.random.default_rng([int(seed), turn]).standard_normal(x.shape[1], dtype=np.float32)
        for seed in seeds
    ]
    direction = torch.nn.functional.normalize(torch.from_numpy(np.stack(noise)), dim=1).to(x.device)
    return (x + length * direction).clamp(0, 1)


def _rescue(
    model: Classifier, images: Tensor, aims: Goals, logits: Tensor, *, method: Method, tick: Tick
) -> Found:
    """The weight search, and the walk from where it ends."""
    found = _searched(search_weights(model, images, aims, method.plan(), fused=method.fused, tick=tick))
    return _polished(model, images, aims, logits, found=found, start=found.x, method=method, tick=tick)


def _searched(state: State) -> Found:
    success = state.best_size.isfinite()
    return Found(
        x=torch.where(success[:, None], state.best, state.x),
        success=success,
        weight=torch.where(success & (state.good_c > 0), state.good_c, state.c),
        passes=state.ticks,
        trace=state.trace,
    )


def _walked(rows: Walk) -> Found:
    success = rows.best_square.isfinite()
    return Found(
        x=torch.where(success[:, None], rows.best, rows.x),
        success=success,
        weight=rows.weight,
        passes=torch.full_like(rows.goals.labels, rows.ticks),
        trace=rows.trace,
    )


def _walk(
    model: Classifier,
    images: Tensor,
    start: Tensor,
    aims: Goals,
    logits: Tensor,
    *,
    method: Method,
    tick: Tick,
) -> Walk:
    ticks = method.search.polish_ticks
    rows = start_walk(images, start, aims, margin=aims.margin(logits), ticks=ticks, fused=method.fused)
    walk(model, rows, until=ticks, of=ticks, tick=tick)
    return rows


def _polished(
    model: Classifier,
    images: Tensor,
    aims: Goals,
    logits: Tensor,
    *,
    found: Found,
    start: Tensor,
    method: Method,
    tick: Tick,
) -> Found:
    """Walk from `start` (n, d); where that leads nearer than what was found, it is kept."""
    walked = _walked(
        _walk(model, images, start.reshape(images.shape), aims, logits, method=method, tick=tick)
    )
    original = images.flatten(1)
    before = (found.x - original).square().sum(dim=1)
    after = (walked.x - original).square().sum(dim=1)
    better = walked.success & ((after < before) | ~found.success)
    found.x = torch.where(better[:, None], walked.x, found.x)
    found.success |= better
    found.passes += walked.passes
    return found


def _pairs(labels: Tensor, rivals: Tensor, classes: int) -> Goals:
    """Goals for rows in the order image by image, candidate by candidate. rivals: (n, candidates)."""
    repeated = labels.repeat_interleave(rivals.shape[1])
    return goals(repeated, torch.full_like(repeated, -1), classes=classes, rivals=rivals.flatten())


def _nearest_by_weights(
    model: Classifier, images: Tensor, labels: Tensor, logits: Tensor, *, method: Method, tick: Tick
) -> Found:
    """The weight search for each of the likeliest rivals; the shortest is kept."""
    classes = logits.shape[1]
    keep = min(method.search.candidates, classes - 1)
    look = min(keep + FIRST_LOOK, classes - 1)
    rivals = likely_targets(model, images, labels, logits=logits, candidates=look, keep=keep)
    repeated = images.repeat_interleave(keep, dim=0)
    state = search_weights(
        model, repeated, _pairs(labels, rivals, classes), method.plan(), fused=method.fused, tick=tick
    )
    owner = torch.arange(len(images), device=images.device).repeat_interleave(keep)
    return _shortest(_searched(state), state.best_size, owner, len(images))


def _nearest_by_walk(
    model: Classifier, images: Tensor, labels: Tensor, logits: Tensor, *, method: Method, tick: Tick
) -> Found:
    """Walks towards several rivals at once, of which the hopeless are dropped.

    One tick for the likeliest by logit gives each one's distance to the linearised boundary within the box;
    the nearest `candidates` go on; after a few ticks those far behind the best are dropped.
    """
    n, classes, ticks = len(images), logits.shape[1], method.search.polish_ticks
    keep = min(method.search.candidates, classes - 1)
    look = min(keep + FIRST_LOOK, classes - 1)
    rivals = logits.scatter(1, labels[:, None], float("-inf")).topk(look, dim=1).indices
    owner = torch.arange(n, device=images.device).repeat_interleave(look)
    aims, repeated = _pairs(labels, rivals, classes), images[owner]
    margin = aims.margin(logits[owner])
    rows = start_walk(repeated, repeated, aims, margin=margin, ticks=ticks, fused=method.fused)
    passes = torch.zeros(n, dtype=torch.int64, device=images.device)

    def go_on(until: int) -> None:
        passes.index_add_(0, owner, torch.full_like(owner, until - rows.ticks))
        walk(model, rows, until=until, of=ticks, tick=tick)

    go_on(1)
    ahead = (rows.x - rows.original).square().sum(dim=1).reshape(n, look)
    chosen = (
        ahead.argsort(dim=1, stable=True)[:, :keep] + look * torch.arange(n, device=images.device)[:, None]
    )
    rows, owner = rows.rows(chosen.flatten()), owner[chosen.flatten()]
    go_on(min(max(PROBE[0], ticks // PROBE[1]), max(2, ticks // 4), ticks - 1))
    length = rows.size.reshape(n, keep)
    stay = (length <= FAR_BEHIND**2 * length.amin(dim=1, keepdim=True)).flatten().nonzero()[:, 0]
    rows, owner = rows.rows(stay), owner[stay]
    go_on(ticks)
    found = _shortest(_walked(rows), rows.best_square, owner, n)
    found.passes = passes
    return found


def _shortest(found: Found, size: Tensor, owner: Tensor, images: int) -> Found:
    """Of the rows of each image the one of least size; owner: (rows,) ascending, each image at least once."""
    order = size.nan_to_num(nan=float("inf")).argsort(stable=True)
    order = order[owner[order].argsort(stable=True)]
    counts = torch.bincount(owner, minlength=images)
    first = order[counts.cumsum(0) - counts]
    passes = torch.zeros(images, dtype=torch.int64, device=owner.device).index_add_(0, owner, found.passes)
    return Found(found.x[first], found.success[first], found.weight[first], passes, found.trace[first])
