"""The smallest change of an image that makes a model answer something else. Szegedy et al. 2013, section 4.1.

The paper minimises c |r| + loss(x + r, l) over the box by L-BFGS and searches c; `weight_search` does that
for many images at once. A cross-entropy is not a distance: for a random target the nearest image of class l
is some percent nearer than the paper's optimum. `polish` finds that point by a walk along the decision
boundary.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from blindspots.science.attacks.batches import in_batches, rows_at_once
from blindspots.science.attacks.norm_terms import Norm
from blindspots.science.attacks.result import AttackResult, Reason, join, trace_columns
from blindspots.science.attacks.search_batch import Found, Method, Mode, Search, search_batch
from blindspots.science.attacks.targets import TARGET_RULES, TargetRule, choose_targets
from blindspots.science.measures import Classifier, predictions, wanted

__all__ = ["Mode", "Norm", "Progress", "Search", "TargetRule", "minimum_distortion"]

Progress = Callable[[int, int], None]
HEARTBEAT = 0.5  # seconds between calls of `progress` within a batch, so that a job can be cancelled


def minimum_distortion(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    *,
    mode: Mode = "tight",
    target_rule: TargetRule = "random",
    given: Tensor | None = None,
    norm: Norm = "sq_l2",
    polish: bool = False,
    seeds: np.ndarray | None = None,
    search: Search | None = None,
    batch_size: int | None = None,
    progress: Progress | None = None,
    compiled: bool | None = None,
) -> AttackResult:
    """Smallest box-constrained distortion that makes `model` answer the targets.

    Szegedy et al. 2013, section 4.1.

    Minimises c * norm(x' - x) + loss(x', target) over x' in the box and searches the largest c whose
    minimiser is answered as wanted (the paper's "minimum c" is printed backwards: a larger c can only shrink
    the change).

    images: (n, c, h, w) float32 in [0, 1]; labels: (n,) int64; model: maps such images to (n, classes)
    logits, each row on its own (no batch statistics).
    mode: paper (inner solves from r = 0 to convergence, c falling by `search.growth`, their ends count),
    tight (c bisected, any shorter adversarial trial is kept), nearest (any class but the label: the best of
    the `search.candidates` likeliest; `target_rule` is not used).
    given: (n,) int64 for the rule "given", -1 for any class but the label; seeds: (n,) integers, one per
    image, for the rule "random" and for `search.restarts`.
    polish: end at the nearest point of the decision boundary (Euclidean; not with norm l1). Mode paper walks
    on from its result; the others walk from the original, and search the weight only where that fails.
    batch_size: images at a time, None to choose; results depend on it by float rounding only.
    progress: called with (images done, images in all) at least every half second; what it raises ends the
    attack.
    compiled: True for the fused CPU kernels, False for torch, None to choose by device.
    Images that already give the wanted answer come back unchanged. Raises ValueError on misuse.
    """
    _check_images(images, labels)
    fused = images.device.type == "cpu" if compiled is None else compiled
    method = Method(mode=mode, norm=norm, polish=polish, search=search or Search(), fused=fused)
    _check_choice(labels, method=method, target_rule=target_rule, given=given, seeds=seeds)
    rule: TargetRule = "untargeted" if mode == "nearest" else target_rule
    results: list[AttackResult] = []

    def attack(rows: slice) -> None:
        x, y = images[rows], labels[rows]
        with torch.no_grad():
            logits = model(x).float()
        told, drawn = None if given is None else given[rows], None if seeds is None else seeds[rows]
        aims = choose_targets(model, x, y, rule=rule, given=told, seeds=drawn, logits=logits)
        tick = _heartbeat(progress, rows.start, len(images))
        results.append(_attack(model, x, y, aims, logits=logits, seeds=drawn, method=method, tick=tick))
        if progress is not None:
            progress(rows.stop, len(images))

    in_batches(len(images), batch_size or rows_at_once(images), attack)
    return join(results)


def _attack(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    targets: Tensor,
    *,
    logits: Tensor,
    seeds: np.ndarray | None,
    method: Method,
    tick: Callable[[], None],
) -> AttackResult:
    """One batch: leave alone what needs no search, and judge the images as they will be stored."""
    there = wanted(logits.argmax(dim=1), labels=labels, targets=targets)
    found = _unchanged(images, there)
    todo = (~there & logits.isfinite().all(dim=1)).nonzero()[:, 0]
    if len(todo):
        rows = [column[todo] for column in (images, labels, targets)]
        chosen = None if seeds is None else seeds[todo.cpu().numpy()]
        searched = search_batch(model, *rows, logits=logits[todo], seeds=chosen, method=method, tick=tick)
        found.put(todo, searched)
    finite = found.x.isfinite()
    stored = torch.where(finite, found.x, images.flatten(1)).clamp(0, 1).reshape(images.shape)
    held = wanted(predictions(model, stored), labels=labels, targets=targets)
    unfound = Reason.NO_WEIGHT_SUFFICED if method.mode == "paper" else Reason.OUT_OF_TICKS
    reason = torch.full_like(labels, int(unfound))
    reason[found.success & ~held] = int(Reason.LOST_ON_STORING)
    reason[~finite.all(dim=1) | ~logits.isfinite().all(dim=1)] = int(Reason.NOT_FINITE)
    reason[held] = int(Reason.FOUND)
    reason[there] = int(Reason.ALREADY_THERE)
    passes = found.passes.to(torch.int32).cpu()
    return AttackResult(
        adversarial=stored.cpu(),
        target=targets.cpu(),
        success=(held | there).cpu(),
        reason=reason.to(torch.int8).cpu(),
        weight=found.weight.float().cpu(),
        forwards=passes + 2,
        backwards=passes,
        already_wrong=(logits.argmax(dim=1) != labels).cpu(),
        **trace_columns(found.trace),
    )


def _unchanged(images: Tensor, success: Tensor) -> Found:
    n, device = len(images), images.device
    return Found(
        x=images.flatten(1).clone(),
        success=success.clone(),
        weight=torch.zeros(n, device=device),
        passes=torch.zeros(n, dtype=torch.int64, device=device),
        trace=torch.full((n, 0, 4), float("nan"), device=device),
    )


def _heartbeat(progress: Progress | None, done: int, total: int) -> Callable[[], None]:
    """Called every tick; tells `progress` now and then that the batch is still alive."""
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        if progress is not None and time.monotonic() - last > HEARTBEAT:
            progress(done, total)
            last = time.monotonic()

    return tick


def _check_images(images: Tensor, labels: Tensor) -> None:
    if images.ndim != 4 or images.dtype != torch.float32:
        raise ValueError(f"expected (n, c, h, w) float32 images, got {tuple(images.shape)} {images.dtype}")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected {len(images)} labels, got {tuple(labels.shape)}")
    if len(images) == 0:
        raise ValueError("there are no images to attack")
    if not bool(((images >= 0) & (images <= 1)).all()):
        raise ValueError("images must lie in [0, 1]")


def _check_choice(
    labels: Tensor,
    *,
    method: Method,
    target_rule: str,
    given: Tensor | None,
    seeds: np.ndarray | None,
) -> None:
    mode, norm = method.mode, method.norm
    if mode not in ("paper", "tight", "nearest"):
        raise ValueError(f"mode is paper, tight or nearest; got {mode!r}")
    if norm not in ("sq_l2", "l2", "l1"):
        raise ValueError(f"norm is sq_l2, l2 or l1; got {norm!r}")
    if method.polish and norm == "l1":
        raise ValueError(
            "polish finds the nearest point in the Euclidean norm; choose norm sq_l2 or l2, or no polish"
        )
    if target_rule not in TARGET_RULES:
        raise ValueError(f"target_rule is one of {', '.join(TARGET_RULES)}; got {target_rule!r}")
    if method.search.restarts and (seeds is None or len(seeds) != len(labels)):
        raise ValueError("restarts need one seed per image in `seeds`")
    if mode == "nearest":
        return
    if target_rule == "given" and (given is None or given.shape != labels.shape):
        raise ValueError("target_rule 'given' needs one target per image in `given`")
    if target_rule == "random" and (seeds is None or len(seeds) != len(labels)):
        raise ValueError("target_rule 'random' needs one seed per image in `seeds`")
