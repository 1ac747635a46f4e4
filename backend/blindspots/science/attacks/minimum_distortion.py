"""The smallest change of an image that makes a model answer something else. Szegedy et al. 2013, section 4.1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from blindspots.science.attacks.result import AttackResult, Reason
from blindspots.science.attacks.targets import TARGET_RULES, TargetRule, choose_targets
from blindspots.science.measures import Classifier, wanted

Mode = Literal["paper", "tight", "nearest"]
Norm = Literal["sq_l2", "l2", "l1"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Search:
    """How hard to look. All in units where pixels lie in [0, 1] and the norm term is c * norm(r).

    initial_c: first weight of the norm term in mode paper (its inverse weighs the loss: 1/c = 1e-3).
    growth: factor by which c falls until the attack succeeds (mode paper), > 1.
    bisections: refinements of c after the first success in mode paper; 0 is the paper's coarse search.
    max_growths: weights tried at most in mode paper.
    max_iterations: of one inner solve in mode paper.
    max_ticks: passes (forward and backward) per image and target in modes tight and nearest.
    polish_ticks: further passes for the polish.
    candidates: targets tried per image in mode nearest.
    """

    initial_c: float = 1000.0
    growth: float = 2.0
    bisections: int = 0
    max_growths: int = 40
    max_iterations: int = 100
    max_ticks: int = 40
    polish_ticks: int = 10
    candidates: int = 3


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
) -> AttackResult:
    """Smallest box-constrained distortion that makes `model` answer the targets. Szegedy et al. 2013, section 4.1.

    Minimises c * norm(x' - x) + loss(x', target) over x' in the box and searches the largest c whose minimiser is
    answered as wanted (the paper's "minimum c" is printed backwards: a larger c can only shrink the change).

    images: (n, c, h, w) float32 in [0, 1]; labels: (n,) int64; model: maps such images to (n, classes) logits, each
    row on its own (no batch statistics).
    mode: paper (inner solves from r = 0, c falling by `search.growth`), tight (c bisected, any shorter adversarial
    trial is kept), nearest (any class but the label: the best of the `search.candidates` likeliest targets;
    `target_rule` is not used).
    given: (n,) int64 for the rule "given"; seeds: (n,) uint64, one per image, for the rule "random".
    polish: then walk along the decision boundary to its nearest point (not the paper's objective, and shorter).
    batch_size: images at a time, None to choose; results do not depend on it beyond float rounding.
    progress: called with (images done, images in all); what it raises ends the attack.
    Images that already give the wanted answer come back unchanged. Raises ValueError on misuse.
    """
    _check(images, labels, mode=mode, target_rule=target_rule, given=given, norm=norm, seeds=seeds)
    search = search or Search()
    rule: TargetRule = "untargeted" if mode == "nearest" else target_rule
    with torch.no_grad():
        logits = model(images)
    targets = choose_targets(model, images, labels, rule=rule, given=given, seeds=seeds, logits=logits)
    return _slow(model, images, labels, targets, logits, search, progress)


def _check(
    images: Tensor,
    labels: Tensor,
    *,
    mode: str,
    target_rule: str,
    given: Tensor | None,
    norm: str,
    seeds: np.ndarray | None,
) -> None:
    if images.ndim != 4 or images.dtype != torch.float32:
        raise ValueError(f"expected (n, c, h, w) float32 images, got {tuple(images.shape)} {images.dtype}")
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected {len(images)} labels, got {tuple(labels.shape)}")
    if len(images) and not bool(((images >= 0) & (images <= 1)).all()):
        raise ValueError("images must lie in [0, 1]")
    if mode not in ("paper", "tight", "nearest"):
        raise ValueError(f"mode is paper, tight or nearest; got {mode!r}")
    if norm not in ("sq_l2", "l2", "l1"):
        raise ValueError(f"norm is sq_l2, l2 or l1; got {norm!r}")
    if target_rule not in TARGET_RULES:
        raise ValueError(f"target_rule is one of {', '.join(TARGET_RULES)}; got {target_rule!r}")
    if mode == "nearest":
        return
    if target_rule == "given" and (given is None or given.shape != labels.shape):
        raise ValueError("target_rule 'given' needs one target per image in `given`")
    if target_rule == "random" and (seeds is None or len(seeds) != len(labels)):
        raise ValueError("target_rule 'random' needs one seed per image in `seeds`")


def _slow(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    targets: Tensor,
    logits: Tensor,
    search: Search,
    progress: Progress | None,
) -> AttackResult:
    """Image after image with scipy's L-BFGS-B."""
    from scipy.optimize import minimize

    n = len(images)
    adversarial, success = images.clone(), wanted(logits.argmax(1), labels=labels, targets=targets)
    reason = torch.full((n,), int(Reason.ALREADY_THERE), dtype=torch.int8)
    weight, passes = torch.zeros(n), torch.zeros(n, dtype=torch.int32)
    for row in range(n):
        if success[row]:
            continue
        x, label, target = images[row : row + 1], labels[row : row + 1], targets[row : row + 1]
        c = search.initial_c
        for _ in range(search.max_growths):

            def objective(u: np.ndarray) -> tuple[float, np.ndarray]:
                point = torch.from_numpy(u).float().reshape(x.shape).requires_grad_(True)
                answers = model(point).log_softmax(dim=1)
                loss = -answers[0, target[0]] if target[0] >= 0 else -(-answers[0, label[0]].expm1()).log()
                (gradient,) = torch.autograd.grad(loss, point)
                change = u - x.flatten().numpy()
                passes[row] += 1
                return c * float(change @ change) + loss.item(), 2 * c * change + gradient.flatten().numpy()

            found = minimize(objective, x.flatten().double().numpy(), jac=True, method="L-BFGS-B",
                             bounds=[(0, 1)] * x[0].numel(), options={"maxiter": search.max_iterations})  # fmt: skip
            trial = torch.from_numpy(found.x).float().reshape(x.shape)
            weight[row] = c
            adversarial[row] = trial[0]
            with torch.no_grad():
                success[row] = wanted(model(trial).argmax(1), labels=label, targets=target)[0]
            if success[row]:
                break
            c /= search.growth
        reason[row] = int(Reason.FOUND if success[row] else Reason.NO_WEIGHT_SUFFICED)
        if progress is not None:
            progress(row + 1, n)
    empty = torch.empty(n, 0)
    return AttackResult(
        adversarial=adversarial, target=targets, success=success, reason=reason, weight=weight,
        forwards=passes, backwards=passes.clone(), already_wrong=logits.argmax(1) != labels,
        trace_weight=empty, trace_distortion=empty, trace_loss=empty, trace_success=empty.to(torch.int8),
    )  # fmt: skip
