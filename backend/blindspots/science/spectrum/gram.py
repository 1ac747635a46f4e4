"""Gram matrices of a symbol at many frequencies, as one product of two real matrices.

G(theta) = A A* (or A* A, whichever is smaller) is itself a trigonometric polynomial,

    G(theta) = R_0 + sum over d > 0 of (R_d + R_d^T) cos(theta . d) + i (R_d - R_d^T) sin(theta . d),

with real R_d = sum of T_t T_t'^T over the taps with offset difference t - t' = d. Its coefficients are found
once; at n frequencies it then costs two products (n, d) x (d, size^2), far less than n products A A*.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from blindspots.science.spectrum.symbol import Array, Symbol

TILE_BYTES = 12 << 20  # of matrices at once


@dataclass(frozen=True)
class Gram:
    """One group's Gram matrix as a trigonometric polynomial, in float64 or float32."""

    even: Tensor  # (d, size^2): coefficients of cos; the first belongs to d = 0
    odd: Tensor  # (d, size^2): of sin
    differences: npt.NDArray[np.int64]  # (d, 2)
    size: int

    def single(self) -> "Gram":
        """The same in float32."""
        return Gram(self.even.float(), self.odd.float(), self.differences, self.size)

    def at(self, theta: Array) -> Tensor:
        """G(theta) at frequencies (n, 2): (n, size, size) complex, Hermitian and not negative."""
        angle = torch.from_numpy(theta @ self.differences.T)
        parts = [
            wave.to(coefficients.dtype) @ coefficients
            for wave, coefficients in ((angle.cos(), self.even), (angle.sin(), self.odd))
        ]
        return torch.complex(*parts).view(len(theta), self.size, self.size)

    def slope(self, theta: Array, vector: npt.NDArray[np.complex128]) -> Array:
        """Derivative (2,) of v* G(theta) v for a fixed v (size,)."""
        pair = torch.from_numpy(np.outer(vector.conj(), vector).reshape(-1))
        even = (self.even @ pair.real).numpy()  # v* (R_d + R_d^T) v, which is real
        odd = -(self.odd @ pair.imag).numpy()  # i v* (R_d - R_d^T) v, real too
        angle = self.differences @ theta
        change: Array = (odd * np.cos(angle) - even * np.sin(angle)) @ self.differences
        return change

    @property
    def tile(self) -> int:
        """How many matrices fit into the memory that is taken at once."""
        return max(1, TILE_BYTES // (6 * self.size**2 * self.even.element_size()))


def gram(symbol: Symbol, group: int) -> Gram:
    """The Gram matrix of one group of a symbol, on its smaller side."""
    taps = torch.from_numpy(symbol.taps[group])
    if taps.shape[1] > taps.shape[2]:
        taps = taps.transpose(1, 2)
    pairs = [
        (i, j) for i, first in enumerate(symbol.offsets) for j, second in enumerate(symbol.offsets)
        if tuple(first) >= tuple(second)
    ]  # fmt: skip
    apart = [(int(d[0]), int(d[1])) for d in (symbol.offsets[i] - symbol.offsets[j] for i, j in pairs)]
    differences = sorted(set(apart))
    assert differences[0] == (0, 0)
    even = torch.zeros(len(differences), taps.shape[1], taps.shape[1], dtype=torch.float64)
    for (i, j), difference in zip(pairs, apart, strict=True):
        even[differences.index(difference)].addmm_(taps[i], taps[j].T)
    even[0] /= 2  # which is symmetric: the sum with its transpose gives it back
    odd = even - even.transpose(1, 2)
    even += even.transpose(1, 2).clone()
    return Gram(even.flatten(1), odd.flatten(1), np.array(differences), taps.shape[1])
