"""Layers that are functions of an image and of constants, as torch's operators have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from blindspots.science.spectrum.layers import Kind, Layer
from blindspots.science.spectrum.symbol import Array, Pair

LAYERS = frozenset({"convolution", "mm", "addmm", "linear"})
NORMALISATIONS = frozenset({"_native_batch_norm_legit_no_training", "native_batch_norm"})
NAMES = LAYERS | NORMALISATIONS


@dataclass(frozen=True)
class Moving:
    """An argument that depends on the image: only the shape of one image's value is known."""

    shape: tuple[int, ...]


def layer(name: str, arguments: Sequence[Any], options: Mapping[str, Any], *, number: int) -> Layer:
    """The layer of an operator with these arguments; `number` makes its name.

    Raises ValueError for anything but constant weights on an image's value.
    """
    if name == "convolution":
        return _convolution(arguments, number)
    if options:
        raise ValueError(f"{name} with a factor")
    if name == "addmm":
        arguments = arguments[1:]
    moving, weight = arguments[:2]
    if not isinstance(moving, Moving) or not isinstance(weight, Tensor) or len(moving.shape) != 1:
        raise ValueError(f"{name} of anything but a vector and a constant matrix")
    matrix = (weight if name == "linear" else weight.T).detach().cpu()
    return Layer(f"dense {number}", "dense", matrix.numpy(), moving.shape, (len(matrix),))


def _convolution(arguments: Sequence[Any], number: int) -> Layer:
    """convolution(image, weight, bias, stride, padding, dilation, transposed, output padding, groups)."""
    moving, weight, _, *sizes, groups = arguments
    if not isinstance(moving, Moving) or not isinstance(weight, Tensor) or weight.ndim != 4:
        raise ValueError("a convolution of anything but maps and constant weights")
    transposed = sizes.pop(3)
    kernel = _pair(weight.shape[2:])
    stride, padding, dilation, more = (_pair(each) for each in sizes)
    sides = []
    for side, k, s, p, d, extra in zip(
        moving.shape[1:], kernel, stride, padding, dilation, more, strict=True
    ):
        reach = d * (k - 1)
        whole = (side - 1) * s - 2 * p + reach + extra + 1
        sides.append(whole if transposed else (side + 2 * p - reach - 1) // s + 1)
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    kind: Kind = "transposed convolution" if transposed else "convolution"
    return Layer(
        f"{kind} {number}", kind, weight.detach().cpu().numpy(), moving.shape, (channels, *sides),
        kernel, stride, padding, dilation, groups,
    )  # fmt: skip


def scale(arguments: Sequence[Any]) -> Array:
    """What a batch normalisation in evaluation multiplies each channel with.

    arguments: values, weight, bias, mean, variance, ..., epsilon. Raises ValueError where they are none.
    """
    weight, variance, epsilon = arguments[1], arguments[4], arguments[-1]
    if not isinstance(variance, Tensor) or isinstance(weight, Moving):
        raise ValueError("batch normalisation without running statistics")
    found = (variance.double() + epsilon).rsqrt()
    scaled: Array = (found if weight is None else found * weight.double()).detach().cpu().numpy()
    return scaled


def _pair(value: Sequence[int] | torch.Size) -> Pair:
    """Torch's "one number or two", in a list, as two."""
    first, second = (value[0], value[0]) if len(value) == 1 else value
    return int(first), int(second)
