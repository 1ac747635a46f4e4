"""The exact smallest distortion for a linear classifier: the oracle that the searches are measured against.

For class j, g = w_j - w_y and b = b_j - b_y. The nearest point of the box where g.x + b >= 0 is clip(x + mu
g, 0, 1) at the root mu >= 0 of a monotone function of one variable. A given target must beat all other
classes: the dual of that quadratic programme has one variable mu_j >= 0 per other class. Float64 inside.
"""

import numpy as np
import torch
from torch import Tensor

BISECTIONS = 60
OVERSHOOT = 2e-7  # of the margin's scale: the float32 image must lie on the far side of the boundary


def exact_linear(
    weight: Tensor, bias: Tensor, images: Tensor, labels: Tensor, *, targets: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The nearest images in [0, 1] that logits = images @ weight.T + bias answers differently.

    weight: (classes, d); bias: (classes,); images: (n, c, h, w) or (n, d) in [0, 1]; labels: (n,) int64;
    targets: (n,) int64, the class to reach, or None for any but the label. Returns adversarial images like
    `images`, float32, and their distortion (RMS), (n,) float64; infinite where no image of the box is
    answered so, the image unchanged.
    """
    w, b = weight.detach().cpu().double().numpy(), bias.detach().cpu().double().numpy()
    x = images.detach().cpu().double().flatten(1).numpy()
    if w.shape[1] != x.shape[1]:
        raise ValueError(f"weight is for {w.shape[1]} pixel values, the images have {x.shape[1]}")
    y = labels.cpu().numpy()
    if targets is None:
        found = _nearest(w, b, x, y)
    else:
        found = np.stack([_targeted(w, b, *row) for row in zip(x, targets.cpu().numpy(), strict=True)])
    distance = np.sqrt(np.mean((found - x) ** 2, axis=1))
    adversarial = np.where(np.isfinite(found), found, x)
    shaped = torch.from_numpy(adversarial.astype(np.float32)).reshape(images.shape)
    return shaped, torch.from_numpy(np.where(np.isfinite(distance), distance, np.inf))


def _nearest(w: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The shortest over all classes j; rows that are wrong already stay as they are."""
    best = np.full_like(x, np.inf)
    shortest = np.full(len(x), np.inf)
    for j in range(len(w)):
        moved = _half_space(x, w[j] - w[y], b[j] - b[y])
        length = np.where(y == j, np.inf, np.sum((moved - x) ** 2, axis=1))
        closer = length < shortest
        best[closer], shortest[closer] = moved[closer], length[closer]
    wrong = np.argmax(x @ w.T + b, axis=1) != y
    best[wrong] = x[wrong]
    return best


def _half_space(x: np.ndarray, g: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Project each row of x onto {u in the box: g.u + b >= 0}, (n, d); infinite rows where that is empty."""
    scale = OVERSHOOT * (np.abs(g).sum(axis=1) + np.abs(b))
    low, high = np.zeros(len(x)), np.ones(len(x))

    def reaches(mu: np.ndarray) -> np.ndarray:
        return np.einsum("nd,nd->n", g, np.clip(x + mu[:, None] * g, 0, 1)) + b >= scale

    for _ in range(80):  # every pixel that matters is at its bound when mu |g| >= 1
        if (done := reaches(high)).all():
            break
        high = np.where(done, high, 4 * high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        inside = reaches(middle)
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    moved = np.clip(x + high[:, None] * g, 0, 1)
    moved[~reaches(high)] = np.inf
    return moved


def _targeted(w: np.ndarray, b: np.ndarray, x: np.ndarray, target: int) -> np.ndarray:
    """min ||u - x|| with u in the box and class `target` above all others, by its dual; infinite if
    impossible.

    The dual of min 1/2 ||u - x||^2 s.t. G u + h >= 0: maximise 1/2 ||u(mu) - x||^2 - mu.(G u(mu) + h) over mu
    >= 0, u(mu) = clip(x + G^T mu).
    """
    from scipy.optimize import minimize

    rest = np.arange(len(w)) != target
    g, h = w[target] - w[rest], b[target] - b[rest]
    h = h - OVERSHOOT * (np.abs(g).sum(axis=1) + np.abs(h))
    if (g @ x + h >= 0).all():
        return x
    scale = np.square(g).sum(axis=1).mean()

    def negative_dual(mu: np.ndarray) -> tuple[float, np.ndarray]:
        u = np.clip(x + (mu / scale) @ g, 0, 1)
        slack = g @ u + h
        return -0.5 * float(np.sum((u - x) ** 2)) + float(mu @ slack) / scale, slack / scale

    bounds = [(0.0, None)] * len(g)
    options = {"maxiter": 2000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-12, "maxcor": 20}
    start = np.zeros(len(g))
    mu = minimize(negative_dual, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options).x / scale
    mu = _newton(g, h, x, mu)
    u = np.clip(x + mu @ g, 0, 1)
    tolerance = OVERSHOOT * np.abs(g).sum(axis=1)  # what h was moved by
    return u if (g @ u + h >= -tolerance).all() else np.full_like(x, np.inf)


def _newton(g: np.ndarray, h: np.ndarray, x: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """The last digits: Newton's method on the constraints that bind, where the box leaves pixels free."""
    for _ in range(10):
        free = x + mu @ g
        slack = g @ np.clip(free, 0, 1) + h
        binding = (mu > 0) | (slack < 0)
        inside = g[binding][:, (free > 0) & (free < 1)]
        if not binding.any():
            break
        step = np.linalg.lstsq(inside @ inside.T, -slack[binding], rcond=1e-12)[0]
        trial = mu.copy()
        trial[binding] = np.maximum(mu[binding] + step, 0)
        better = g @ np.clip(x + trial @ g, 0, 1) + h
        if np.abs(better[trial > 0]).max(initial=0) >= np.abs(slack[mu > 0]).max(initial=0):
            break
        mu = trial
    return mu
