"""Preprocessing as part of a network, so that every attack stays on raw pixels in [0, 1]."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]


def folded(
    weights: Mapping[str, Array],
    layer: str,
    input_shape: tuple[int, int, int],
    *,
    mean: Sequence[float],
    scale: Sequence[float],
) -> dict[str, Array]:
    """The same weights for raw pixels x where they were learnt for (x - mean) / scale.

    layer: name of the first layer, dense (units, c * h * w) or convolutional (units, c, k, k) without padding
    and with a bias. mean, scale: one number per channel, scale not 0. The fold is exact:
    W (x - m) / s + b = (W / s) x + (b - W m / s). Computed in float64. Raises ValueError where the shapes do
    not fit.
    """
    matrix = np.asarray(weights[f"{layer}.weight"], dtype=np.float64)
    offset = np.asarray(weights[f"{layer}.bias"], dtype=np.float64)
    channels, pixels = input_shape[0], int(np.prod(input_shape))
    if matrix[0].size != pixels and matrix.shape[1] != channels:
        raise ValueError(
            f"expected a first layer that reads {input_shape}, got weights of shape {matrix.shape}"
        )
    if len(mean) != channels or len(scale) != channels:
        raise ValueError(f"expected {channels} means and scales, got {len(mean)} and {len(scale)}")
    by_channel = matrix.reshape(len(matrix), channels, -1)
    new = by_channel / np.asarray(scale, dtype=np.float64)[None, :, None]
    shift = new.sum(axis=2) @ np.asarray(mean, dtype=np.float64)
    kind = np.asarray(weights[f"{layer}.weight"]).dtype
    return {
        **weights,
        f"{layer}.weight": new.reshape(matrix.shape).astype(kind),
        f"{layer}.bias": (offset - shift).astype(kind),
    }
