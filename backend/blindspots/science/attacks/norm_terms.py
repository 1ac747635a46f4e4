"""The norm terms N(r) of c N(r) + loss: squared L2, L2 and L1, the last two smoothed at zero."""

from typing import Literal

from torch import Tensor

Norm = Literal["sq_l2", "l2", "l1"]
SMOOTH_L2 = 1e-12  # ||r|| is sqrt(||r||^2 + SMOOTH_L2)
SMOOTH_L1 = 1e-6  # |r_i| is sqrt(r_i^2 + SMOOTH_L1)
SOFT_L2 = 0.1  # the curvature of ||r|| is taken at no smaller ||r||
SOFT_L1 = 1e-2  # the curvature of |r_i| is taken at no smaller |r_i|


def norm_value(x: Tensor, original: Tensor, norm: Norm) -> Tensor:
    """N(x - original), (n,). x, original: (n, d)."""
    change = x - original
    if norm == "l1":
        return ((change.square() + SMOOTH_L1).sqrt() - SMOOTH_L1**0.5).sum(dim=1)
    square = change.square().sum(dim=1)
    return square if norm == "sq_l2" else (square + SMOOTH_L2).sqrt()


def norm_term(change: Tensor, c: Tensor, norm: Norm) -> tuple[Tensor, Tensor]:
    """The gradient of c N(r) as a factor of r, and the curvature to assume, each (n, 1) or (n, d).

    change: r, (n, d); c: (n,). The curvature of the two that are not smooth is that of the parabola that
    touches N at r from above (reweighted least squares), softened near zero where it would forbid any step.
    """
    weight = c[:, None]
    if norm == "sq_l2":
        return 2 * weight, 2 * weight
    if norm == "l2":
        length = change.square().sum(dim=1, keepdim=True)
        return weight / (length + SMOOTH_L2).sqrt(), weight / length.sqrt().clamp(min=SOFT_L2)
    size = change.square()
    return weight / (size + SMOOTH_L1).sqrt(), weight / size.sqrt().clamp(min=SOFT_L1)
