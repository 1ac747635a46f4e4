"""The paper's attack as its words suggest: scipy's L-BFGS-B, one image at a time, the weight bisected.

Same objective, same targets and same box as ours. The weight a multiplies the cross-entropy (a = 1/c), is
doubled or halved until the target is just reached, then bisected on a log scale; the shortest successful
point of all solves is kept. Each solve starts at the image, as the paper's would, or (warm) at the last
solution, which is the fastest we could make scipy.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import Bounds, minimize
from torch import Tensor, nn
from torch.nn import functional

GROWTH = 2.0
LIMIT = 40  # doublings
HISTORY = 15
ITERATIONS = 100
GRADIENT_TOLERANCE = 1e-6
RELATIVE_DECREASE = 1e-6  # scipy's 2e-9 costs twice as much and finds nothing shorter


def first_weight(network: nn.Module, image: Tensor, target: int) -> float:
    """Where our own search starts too: c = 0.75 |grad margin|^2 / (4 margin), as a = 1/c.

    Starting at the paper's small weight instead costs scipy about ten more solves per image.
    """
    point = image.clone().requires_grad_(True)
    logits = network(point)[0]
    rival = logits.detach().clone()
    rival[target] = -math.inf
    margin = logits[int(rival.argmax())] - logits[target]
    (gradient,) = torch.autograd.grad(margin, point)
    c = 0.75 * float(gradient.square().sum()) / (4 * max(float(margin.detach()), 1e-6))
    return 1 / max(c, 1e-12)


def attack_image(network: nn.Module, image: Tensor, target: int, *, warm: bool, bisections: int) -> Tensor:
    """The shortest point found that the network calls `target`; the image itself where none is.

    image: (1, c, h, w) float32 in [0, 1]. warm: a solve starts where the last one ended, not at the image.
    """
    original = image.flatten().double().numpy()
    label = torch.tensor([target])

    def objective(u: np.ndarray, a: float) -> tuple[float, np.ndarray]:
        point = torch.from_numpy(u.astype(np.float32)).view_as(image).requires_grad_(True)
        loss = functional.cross_entropy(network(point), label)
        (gradient,) = torch.autograd.grad(loss, point)
        r = u - original
        value = float(r @ r) + a * float(loss.detach())
        return value, 2 * r + a * gradient.flatten().double().numpy()

    def solve(a: float) -> tuple[float, Tensor] | None:
        nonlocal start
        options = {
            "maxcor": HISTORY,
            "maxiter": ITERATIONS,
            "gtol": GRADIENT_TOLERANCE,
            "ftol": RELATIVE_DECREASE,
        }
        found = minimize(
            objective, start, args=(a,), jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        start = found.x if warm else original
        point = torch.from_numpy(found.x.astype(np.float32)).view_as(image)
        with torch.no_grad():
            reached = int(network(point).argmax())
        return (float(np.linalg.norm(found.x - original)), point) if reached == target else None

    start = original
    bounds = Bounds(np.zeros_like(original), np.ones_like(original))
    a = first_weight(network, image, target)
    low, high, best = 0.0, math.inf, None
    for _ in range(LIMIT + bisections):
        found = solve(a)
        if found is None:
            low = a
        else:
            high = a
            best = found if best is None or found[0] < best[0] else best
        if math.isinf(high):
            a *= GROWTH
        elif low == 0.0:
            a /= GROWTH
        elif bisections == 0:
            break
        else:
            a, bisections = math.sqrt(low * high), bisections - 1
    return image if best is None else best[1]


def scipy_attack(
    network: nn.Module, images: Tensor, targets: Tensor, *, warm: bool, bisections: int
) -> Tensor:
    """`attack_image` for every image, in turn. images (n, c, h, w), targets (n,) -> (n, c, h, w)."""
    found = [
        attack_image(network, image[None], int(target), warm=warm, bisections=bisections)
        for image, target in zip(images, targets, strict=True)
    ]
    return torch.cat(found)
