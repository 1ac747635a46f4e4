"""Directions in the space of a layer's codes: natural, random, principal and independent ones.

A direction is a column of a matrix (d, m) of unit vectors; the score of a code is its product with it. All in
float64 on the CPU.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

Array = np.ndarray[Any, Any]
FLOOR = 1e-6  # of the largest variance: smaller ones are taken for rounding, and not divided by
ICA_ITERATIONS = 500


def random_rotation(width: int, seed: int) -> Array:
    """A rotation (width, width), uniform among all: orthogonal, determinant 1.

    QR of a normal matrix with the signs of R's diagonal moved to Q: Mezzadri 2007, Notices of the AMS 54,
    592-604; where the determinant is -1 the last column changes its sign.
    """
    rotation = random_frame(width, width, seed)
    if np.linalg.det(rotation) < 0:
        rotation[:, -1] *= -1
    return rotation


def random_frame(width: int, count: int, seed: int) -> Array:
    """The first `count` columns of a uniformly random orthogonal matrix, (width, count).

    Raises ValueError unless 1 <= count <= width.
    """
    if not 1 <= count <= width:
        raise ValueError(f"expected 1 to {width} directions, got {count}")
    normal = np.random.default_rng([seed, 2]).standard_normal((width, count))
    orthogonal, upper = np.linalg.qr(normal)
    signs = np.where(np.diag(upper) < 0, -1.0, 1.0)
    columns: Array = orthogonal * signs
    return columns


def rotation_power(rotation: Array, share: float) -> Array:
    """The rotation carried out to a share: the identity at 0, the whole at 1.

    In the real Schur form R = Z T Z', T is block-diagonal: 1, rotations of a plane by an angle, and pairs of
    -1, which are planes turned by pi. Every angle is multiplied by the share. Golub & Van Loan 2013, 7.4.

    rotation: (d, d), orthogonal with determinant 1. Raises ValueError where it is not.
    """
    width = len(rotation)
    if not np.allclose(rotation.T @ rotation, np.eye(width), atol=1e-8) or np.linalg.det(rotation) < 0:
        raise ValueError("expected an orthogonal matrix of determinant 1")
    form, basis = scipy.linalg.schur(rotation, output="real")
    powered = np.eye(width)
    turned = []  # places of single -1
    place = 0
    while place < width:
        if place + 1 < width and abs(form[place + 1, place]) > 1e-10:
            angle = np.arctan2(form[place + 1, place], form[place, place])
            _turn(powered, place, place + 1, share * angle)
            place += 2
            continue
        if form[place, place] < 0:
            turned.append(place)
        place += 1
    for first, second in zip(turned[::2], turned[1::2], strict=True):
        _turn(powered, first, second, share * np.pi)
    result: Array = basis @ powered @ basis.T
    return result


def _turn(matrix: Array, first: int, second: int, angle: float) -> None:
    matrix[[first, second], [first, second]] = np.cos(angle)
    matrix[second, first] = np.sin(angle)
    matrix[first, second] = -np.sin(angle)


@dataclass(frozen=True)
class Whitening:
    """What takes a code phi to a code of mean 0 and, where `matrix` is not the identity, covariance 1."""

    mean: Array  # (d,)
    matrix: Array  # (d, d), symmetric


def whitening(codes: Array) -> Whitening:
    """Mean and inverse square root of the covariance of codes (n, d), n >= 2: the whitening that stays
    nearest to the natural basis (ZCA; Kessy, Lewin & Strimmer 2018, The American Statistician 72, 309-314).

    Variances below 1e-6 of the largest are left out: along them the whitened code is 0.
    """
    mean, variances, axes = _principal(codes)
    kept = variances > FLOOR * max(float(variances.max()), np.finfo(np.float64).tiny)
    scale = np.where(kept, 1 / np.sqrt(np.where(kept, variances, 1)), 0)
    return Whitening(mean, (axes * scale) @ axes.T)


def principal_directions(codes: Array, count: int) -> Array:
    """The `count` directions of largest variance of codes (n, d), (d, at most count), the largest first.

    Their sign is that of a positive third moment: the longer tail is the one that is looked at. Directions
    without variance are left out.
    """
    mean, variances, axes = _principal(codes)
    order = np.argsort(-variances, kind="stable")[:count]
    order = order[variances[order] > FLOOR * max(float(variances.max()), np.finfo(np.float64).tiny)]
    return _tail_first(axes[:, order], np.asarray(codes, np.float64) - mean)


def independent_directions(codes: Array, count: int, seed: int) -> tuple[Array, bool]:
    """Directions of independent components of codes (n, d), and whether the search for them converged.

    FastICA with the logarithm of cosh: Hyvaerinen & Oja 2000, Neural Networks 13, 411-430. Columns (d, at
    most count) of unit length, signed by a positive third moment.
    """
    from sklearn.decomposition import FastICA
    from sklearn.exceptions import ConvergenceWarning

    mean, variances, _ = _principal(codes)
    rank = int((variances > FLOOR * max(float(variances.max()), np.finfo(np.float64).tiny)).sum())
    if rank == 0:
        return np.zeros((codes.shape[1], 0)), True
    search = FastICA(
        min(count, rank), whiten="unit-variance", random_state=seed, max_iter=ICA_ITERATIONS, tol=1e-3
    )
    centred = np.asarray(codes, np.float64) - mean
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(centred)
    converged = not any(issubclass(each.category, ConvergenceWarning) for each in caught)
    columns = search.components_.T
    return _tail_first(columns / np.linalg.norm(columns, axis=0), centred), converged


def _principal(codes: Array) -> tuple[Array, Array, Array]:
    """Mean (d,), variances (d,) and axes (d, d) in columns, of codes (n, d)."""
    values = np.asarray(codes, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"expected (n, d) codes, n >= 2, got {values.shape}")
    mean = values.mean(axis=0)
    centred = values - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / (len(values) - 1))
    return mean, np.maximum(variances, 0), axes


def _tail_first(columns: Array, centred: Array) -> Array:
    skew = ((centred @ columns) ** 3).sum(axis=0)
    signed: Array = columns * np.where(skew < 0, -1.0, 1.0)
    return signed
