"""The symbol of a convolution: one small matrix per frequency, whose singular values are the layer's.

A convolution with stride S takes x_c to y_f[p] = sum_{c,u} w_{f,c}[u] x_c[S p + D u] (dilation D). Cut every
input map into its S^2 polyphase components x_{c,r}[q] = x_c[S q + r], which keeps norms. What is left has
stride 1, so the Fourier transform makes it a multiplication, at every frequency theta, by the matrix

    A(theta)_{f,(c,r)} = sum over u with D u = r mod S of w_{f,c}[u] exp(i theta . (D u - r) / S)

of F rows and C S^2 columns. The singular values of the layer on infinite maps are those of all A(theta); on
periodic maps of n x n pixels they are those of the (n/S)^2 frequencies 2 pi k / (n/S). It is the aliased
matrix S^-1 (w_hat(omega + 2 pi l / S))_l of Szegedy et al. 2013, section 4.3, up to a unitary factor: with
angular frequencies the offsets are 2 pi l / S and the factor is S^-1 in two dimensions, which neither edition
prints. Stride 1 is Sedghi, Gupta and Long 2019.

A layer that pads with zeros, or keeps only some positions, is this operator between a restriction of its
input and a restriction of its output: its norm is not larger.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Symbol:
    """A(theta) = sum_t taps[:, t] exp(i theta . offsets[t]), one matrix for each group of channels."""

    taps: npt.NDArray[np.floating]  # (groups, t, rows, columns), float64 but of a large dense layer
    offsets: npt.NDArray[np.int64]  # (t, 2), at least 0, as small as shifts of the input allow

    @property
    def degree(self) -> Pair:
        """Largest offset along each axis. No entry oscillates faster than half of it after a shift."""
        return int(self.offsets[:, 0].max()), int(self.offsets[:, 1].max())

    @property
    def size(self) -> int:
        """Singular values per frequency and group."""
        return min(self.taps.shape[2:])

    def reduced(self) -> "Symbol":
        """The same matrices at slower frequencies: offsets that are all multiples of a number, as those of a
        dilated convolution, divided by it. The supremum over all frequencies is the same."""
        steps = np.maximum(np.gcd.reduce(self.offsets, axis=0), 1)
        return Symbol(self.taps, self.offsets // steps)

    def at(self, theta: Array) -> npt.NDArray[np.complex128]:
        """A(theta) at frequencies (n, 2): (n, groups, rows, columns)."""
        groups, count, rows, columns = self.taps.shape
        phase = np.exp(1j * (theta @ self.offsets.T))
        flat = self.taps.transpose(1, 0, 2, 3).reshape(count, -1)
        matrices = (phase.real @ flat) + 1j * (phase.imag @ flat)
        return matrices.reshape(len(theta), groups, rows, columns)


def dense(weight: npt.NDArray[np.floating]) -> Symbol:
    """The symbol of a matrix (rows, columns): it has no frequencies. Its numbers are not copied."""
    return Symbol(np.asarray(weight)[None, None], np.zeros((1, 2), np.int64))


def convolution(
    weight: npt.NDArray[np.floating], *, stride: Pair = (1, 1), dilation: Pair = (1, 1), groups: int = 1
) -> Symbol:
    """The symbol of a convolution, also of the transposed one with the same weights.

    weight: (F, C / groups, height, width), in torch's order. The transposed convolution is the adjoint
    operator; torch stores its weights as those of the convolution that it transposes, so that its singular
    values are these. Raises ValueError where F is no multiple of `groups`.
    """
    filters, channels, *kernel = weight.shape
    if filters % groups:
        raise ValueError(f"expected filters in {groups} equal groups, got {filters}")
    axes = [_axis(*numbers) for numbers in zip(kernel, stride, dilation, strict=True)]
    offsets = sorted({(a, b) for _, a in axes[0] for _, b in axes[1]})
    place = {offset: index for index, offset in enumerate(offsets)}
    taps = np.zeros((len(offsets), filters, channels, *stride))
    for (row, (r1, m1)), (column, (r2, m2)) in itertools.product(enumerate(axes[0]), enumerate(axes[1])):
        taps[place[m1, m2], :, :, r1, r2] = weight[:, :, row, column]
    grouped = taps.reshape(len(offsets), groups, filters // groups, -1)
    return Symbol(grouped.transpose(1, 0, 2, 3).copy(), np.array(offsets, np.int64))


def _axis(kernel: int, stride: int, dilation: int) -> list[Pair]:
    """Along one axis, for each tap: the polyphase component it reads, and its offset there.

    Every component may be shifted by itself, a unitary change of its input: each one's offsets begin at 0.
    """
    places = [(tap * dilation % stride, tap * dilation // stride) for tap in range(kernel)]
    first = {phase: min(m for other, m in places if other == phase) for phase, _ in places}
    return [(phase, m - first[phase]) for phase, m in places]


def half_grid(size: Pair) -> tuple[Array, npt.NDArray[np.int64]]:
    """Frequencies 2 pi k / size, one of each pair +-theta, and how many of the grid each stands for.

    Real weights give conjugate matrices at theta and -theta, which have the same singular values.
    Returns (n, 2) and (n,), in the order of the grid.
    """
    first, second = np.indices(size).reshape(2, -1)
    mirrored = (-first % size[0]) * size[1] + (-second % size[1])
    index = np.arange(len(first))
    kept = index <= mirrored
    theta = 2 * np.pi * np.stack([first / size[0], second / size[1]], axis=1)
    return theta[kept], np.where(index == mirrored, 1, 2)[kept].astype(np.int64)
