"""The norm of a convolution between two bounds that are proven.

Lower: the largest singular value at a frequency found by ascent. Every value of a symbol is a lower bound of
its supremum, which is the norm of the layer on infinite maps.

Upper: let D_j be the largest offset along axis j and m_j = D_j / 2. For unit vectors u, v the function
f(t) = Re(u* A(theta + t delta) v), shifted to the middle of its offsets, is a real trigonometric sum whose
frequencies are at most s = m_1 |delta_1| + m_2 |delta_2|, and |f| is at most M = sup ||A||. Such a function
that attains M at t = 0 stays above M cos(s t) for s t <= pi (M. Riesz 1914 for polynomials; Duffin and
Schaeffer 1938, Bernstein's class of entire functions of exponential type). With u, v the singular vectors at
a frequency theta* where the norm is attained,

    ||A(theta* + delta)|| >= M cos(m_1 |delta_1| + m_2 |delta_2|).

So a cell around theta_c within which that sum is at most r cannot hold theta* if ||A(theta_c)|| < U cos(r)
and M >= U. Cells that are not excluded are cut into four and asked again. When none is left, M < U. Whether
||A|| < tau is decided by a Cholesky factorisation of tau^2 - G(theta).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from scipy.sparse.linalg import eigsh

from blindspots.science.spectrum.gram import Gram, gram
from blindspots.science.spectrum.singular_values import DOUBLE_SIZE, Spectrum
from blindspots.science.spectrum.symbol import Array, Pair, Symbol, half_grid

TOLERANCE = 1e-3  # relative width that is aimed at
EFFORT = 3e10  # multiply-adds of Cholesky factorisations, a second or two; then the interval stays wider
WIDEST, NARROWEST = 0.3, 0.1  # radius of the first cells, as r above
MOST_LEFT = (
    0.75  # share of the first cells that may stay: above it, it is cheaper to begin with their quarters
)
STARTS = 3  # frequencies of the grid from which the norm is climbed
EXACT_SIZE = 64  # up to here eigenvalues are computed whole and in complex128, else by Lanczos and complex64


@dataclass(frozen=True)
class NormInterval:
    """lower <= norm of the layer on infinite maps <= upper; with zero padding the norm is at most `upper`."""

    lower: float
    upper: float


def norm_interval(
    symbol: Symbol,
    found: Spectrum,
    *,
    tolerance: float = TOLERANCE,
    effort: float = EFFORT,
    report: Callable[[float], None] = lambda _: None,
) -> NormInterval:
    """Proven bounds of the norm, from the singular values `found` on any grid of this symbol.

    They are `tolerance` apart, relatively, or further where `effort` does not suffice: a symbol that is
    almost flat needs the most. `report` is told the share that is done, and may raise.
    Raises ValueError where the tolerance is not positive.
    """
    if tolerance <= 0:
        raise ValueError(f"expected a positive tolerance, got {tolerance}")
    norms = found.values[:, :, -1]
    if symbol.degree == (0, 0) or norms.max() == 0:
        largest, error = float(norms.max()), _constant_error(symbol)
        return NormInterval(largest * (1 - error), largest * (1 + error))
    search = _Search(symbol.reduced(), tolerance, effort)
    speed = np.gcd.reduce(symbol.offsets, axis=0)
    for flat in np.argsort(-norms, axis=None, kind="stable")[:STARTS]:
        index, group = np.unravel_index(flat, norms.shape)
        search.climb(int(group), found.theta[index] * speed)
    for group in np.argsort(-norms.max(axis=0), kind="stable"):
        search.exclude(int(group), norms[:, group])
        report(min(1.0, search.spent / effort))
    return search.interval()


def _constant_error(symbol: Symbol) -> float:
    """Relative rounding error of one decomposition, as `singular_values` computes it."""
    dtype = np.float64 if symbol.size <= DOUBLE_SIZE else np.float32
    return symbol.size * float(np.finfo(dtype).eps)


class _Search:
    """The best frequency so far, and the upper bound that every excluded cell obeys."""

    def __init__(self, symbol: Symbol, tolerance: float, effort: float) -> None:
        self.symbol, self.tolerance, self.effort = symbol, tolerance, effort
        self.square = self.upper = self.spent = 0.0
        self.polynomials: dict[int, Gram] = {}
        self.precise = symbol.size <= EXACT_SIZE
        self.rounding = symbol.size * float(np.finfo(np.float64 if self.precise else np.float32).eps)

    def interval(self) -> NormInterval:
        """What is proven, rounding included."""
        exact = self.symbol.size * float(np.finfo(np.float64).eps)
        return NormInterval(math.sqrt(self.square) * (1 - exact), self.upper * (1 + self.rounding))

    def polynomial(self, group: int) -> Gram:
        if group not in self.polynomials:
            self.polynomials = {group: gram(self.symbol, group)}  # one at a time: they can be large
        return self.polynomials[group]

    def climb(self, group: int, theta: Array) -> None:
        """Raise the lower bound by ascent from a frequency."""
        polynomial = self.polynomial(group)
        start: npt.NDArray[np.complex128] | None = None

        def descent(place: Array) -> tuple[float, Array]:
            nonlocal start
            square, start = _largest(polynomial, place, start)
            self.square = max(self.square, square)
            return -square, -polynomial.slope(place, start)

        minimize(descent, theta, jac=True, method="L-BFGS-B", options={"maxiter": 60})
        self.upper = max(self.upper, math.sqrt(self.square) * (1 + self.tolerance))

    def exclude(self, group: int, seen: Array) -> None:
        """Raise the upper bound until no cell of this group can hold a larger norm.

        seen: norms at some frequencies, from which is guessed what the first cells would exclude.
        """
        polynomial, degree = self.polynomial(group), self.symbol.degree
        polynomial = polynomial if self.precise else polynomial.single()
        widest = WIDEST
        while widest > NARROWEST and (seen >= self.upper * math.cos(widest)).mean() > MOST_LEFT:
            widest /= 2
        theta, scale = _first_cells(degree, widest)
        radius = max(m * s for m, s in zip(degree, scale, strict=True)) / 4  # m_j is half the degree
        share = 0.5  # of `scale`: how far a cell reaches
        step = self.tolerance / 4  # by which the bound is raised where the cells cannot be cut further
        while len(theta):
            theta = theta[~self._below(polynomial, theta, self.upper * math.cos(radius))]
            if len(theta) == 0:
                return
            before, resolved = self.upper, self._resolved(radius)
            if resolved:
                self.climb(group, theta[0])
            if resolved or self.spent > self.effort:
                self.upper = max(self.upper, before * (1 + step))
                step *= 2
                continue
            steps = [share / 2 * s * sign * unit for s, unit in zip(scale, np.eye(2), strict=True)
                     for sign in (-1, 1) if s > 0]  # fmt: skip
            theta = np.concatenate([theta + step for step in steps])
            share, radius = share / 2, radius / 2

    def _resolved(self, radius: float) -> bool:
        """Whether the cells are so small that one which is left must hold a norm above the lower bound."""
        return (1 + self.tolerance) * math.cos(radius) > 1 + self.tolerance / 2

    def _below(self, polynomial: Gram, theta: Array, level: float) -> npt.NDArray[np.bool_]:
        """Whether ||A(theta)|| < level: level^2 - G has a Cholesky factor then."""
        tile = polynomial.tile
        found = []
        for start in range(0, len(theta), tile):
            matrices = polynomial.at(theta[start : start + tile]).neg_()
            matrices.diagonal(dim1=1, dim2=2).add_(level**2)
            found.append(torch.linalg.cholesky_ex(matrices).info == 0)
        self.spent += len(theta) * polynomial.size**3 / 3
        return torch.cat(found).numpy()


def _first_cells(degree: Pair, widest: float) -> tuple[Array, Array]:
    """Centres of cells that cover half the plane of frequencies, and the lattice constant of each axis.

    A cell is |delta_1| / scale_1 + |delta_2| / scale_2 <= 1/2: these diamonds, on two interleaved grids,
    cover the plane without overlap. An axis along which nothing changes has scale 0. The other half of the
    plane holds the conjugate matrices.
    """
    counts = [math.ceil(math.pi * d / 2 / widest) for d in degree]
    scale = np.array([2 * np.pi / count if count else 0.0 for count in counts])
    if 0 in counts:
        first, second = (max(1, count) for count in counts)
        return half_grid((first, second))[0], scale
    theta, _ = half_grid((2 * counts[0], 2 * counts[1]))
    place = np.rint(theta / (scale / 2)).astype(np.int64)
    return theta[(place[:, 0] - place[:, 1]) % 2 == 0], scale


def _largest(
    polynomial: Gram, theta: Array, start: npt.NDArray[np.complex128] | None
) -> tuple[float, npt.NDArray[np.complex128]]:
    """Largest eigenvalue of G(theta) and its unit vector; `start` is one of a near frequency."""
    matrix = polynomial.at(theta[None])[0].numpy()
    if polynomial.size <= EXACT_SIZE:
        values, vectors = np.linalg.eigh(matrix)
        return float(values[-1]), vectors[:, -1]
    if start is None:
        start = np.random.default_rng(0).standard_normal(polynomial.size).astype(np.complex128)
    _, vectors = eigsh(matrix, k=1, which="LA", v0=start)
    vector = vectors[:, 0]
    return float((vector.conj() @ matrix @ vector).real), vector  # Rayleigh: never above the eigenvalue
