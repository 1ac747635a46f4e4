"""All singular values of a layer on a grid of frequencies, in bounded memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from blindspots.science.spectrum.gram import TILE_BYTES, gram
from blindspots.science.spectrum.symbol import Array, Pair, Symbol, half_grid

DIRECT_SIZE = 64  # up to here the singular values are taken of A itself, in complex128
DOUBLE_SIZE = 2048  # dense matrices up to here are decomposed in float64
EXTREMES = 3  # frequencies at either end whose singular values are taken of A itself in any case


@dataclass(frozen=True)
class Spectrum:
    """Singular values at frequencies of a grid, one of each pair +-theta."""

    theta: Array  # (n, 2)
    multiplicity: npt.NDArray[np.int64]  # (n,) how many frequencies of the grid this one stands for
    values: Array  # (n, groups, size), ascending along the last axis

    def all_values(self) -> Array:
        """Every singular value on the whole grid, ascending."""
        repeated = np.repeat(self.values.reshape(len(self.values), -1), self.multiplicity, axis=0)
        return np.sort(repeated, axis=None)


def default_grid(degree: Pair) -> Pair:
    """Sixteen frequencies along each axis that a symbol of that degree changes along, more for very large
    kernels."""
    first, second = (1 if each == 0 else max(16, 2 * each + 2) for each in degree)
    return first, second


def spectrum(
    symbol: Symbol,
    grid: Pair | None = None,
    *,
    rows: slice = slice(None),
    report: Callable[[float], None] = lambda _: None,
) -> Spectrum:
    """Singular values on a grid; on periodic maps of (stride * grid) pixels these are all there are.

    rows: which frequencies of `half_grid`. Up to 64 singular values per frequency, A(theta) itself is
    decomposed in complex128. Larger ones come from the eigenvalues of the Gram matrix in complex64, whose
    squares are good to 1e-7 of the largest; at the three frequencies with the smallest and the three with the
    largest singular value they are then computed again from A(theta) in complex128.
    `report` is told the share that is done, and may raise.
    """
    theta, multiplicity = half_grid(grid or default_grid(symbol.degree))
    theta, multiplicity = theta[rows], multiplicity[rows]
    groups = symbol.taps.shape[0]
    if symbol.offsets.shape[0] == 1:
        values = np.broadcast_to(_constant(symbol), (len(theta), groups, symbol.size)).copy()
    elif symbol.size <= DIRECT_SIZE:
        values = _direct(symbol, theta, report)
    else:
        values = np.stack([_by_gram(symbol, group, theta, report) for group in range(groups)], axis=1)
        _refine(symbol, theta, values)
    return Spectrum(theta, multiplicity, values)


def _constant(symbol: Symbol) -> Array:
    """(groups, size) of a symbol without frequencies: a dense layer or a 1x1 convolution."""
    dtype = np.float64 if symbol.size <= DOUBLE_SIZE else np.float32
    return _decompose(symbol.taps[:, 0].astype(dtype, copy=False))


def _decompose(matrices: npt.NDArray[np.inexact]) -> Array:
    """Singular values in ascending order."""
    given = torch.from_numpy(np.ascontiguousarray(matrices))
    wide = given.shape[-2] < given.shape[-1]
    found = torch.linalg.svdvals(given.mT if wide else given)  # a tall one takes a fraction of the time
    ascending: Array = found.flip(-1).double().numpy()
    return ascending


def _direct(symbol: Symbol, theta: Array, report: Callable[[float], None]) -> Array:
    tile = max(1, TILE_BYTES // (4 * 16 * symbol.taps[:, 0].size))
    found = []
    for start in range(0, len(theta), tile):
        found.append(_decompose(symbol.at(theta[start : start + tile])))
        report(min(1.0, (start + tile) / len(theta)))
    return np.concatenate(found)


def _by_gram(symbol: Symbol, group: int, theta: Array, report: Callable[[float], None]) -> Array:
    polynomial = gram(symbol, group).single()
    tile = polynomial.tile
    found = []
    for start in range(0, len(theta), tile):
        squares = torch.linalg.eigvalsh(polynomial.at(theta[start : start + tile]))
        found.append(squares.clamp(min=0).sqrt().double().numpy())
        report((group + min(1.0, (start + tile) / len(theta))) / symbol.taps.shape[0])
    return np.concatenate(found)


def _refine(symbol: Symbol, theta: Array, values: Array) -> None:
    """Replace the values at the extreme frequencies by those of A(theta) in complex128."""
    lowest = np.argsort(values[:, :, 0].min(axis=1), kind="stable")[:EXTREMES]
    highest = np.argsort(-values[:, :, -1].max(axis=1), kind="stable")[:EXTREMES]
    for index in np.union1d(lowest, highest):
        values[index] = _decompose(symbol.at(theta[index : index + 1]))[0]
