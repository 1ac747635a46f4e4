"""The layers that hold weights, as linear operators: their symbol, their sizes, their norm at their size."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from blindspots.science.spectrum.symbol import Array, Pair, Symbol, convolution, dense

POWER_EFFORT = 1e10  # multiply-adds of the power iteration at a layer's own size
POWER_STEPS = (4, 60)  # at least, at most
Kind = Literal["convolution", "transposed convolution", "dense"]
Numbers = npt.NDArray[np.floating]
Weighted = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


@dataclass(frozen=True)
class Layer:
    """One linear layer of a network, a batch normalisation that follows it folded in."""

    name: str
    kind: Kind
    weight: Numbers  # in torch's order and precision; float64 where a batch normalisation scaled it
    inputs: tuple[int, ...]  # shape of one input
    outputs: tuple[int, ...]
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    circular: bool = False
    folded: bool = False  # whether a batch normalisation was folded in

    @property
    def degree(self) -> Pair:
        """Of its symbol, which need not be made to know it."""
        if self.kind == "dense":
            return 0, 0
        one = np.zeros((1, 1, *self.kernel))
        return convolution(one, stride=self.stride, dilation=self.dilation).degree

    @property
    def matrices(self) -> tuple[int, int, int]:
        """Groups, rows and columns of the matrices of its symbol."""
        if self.kind == "dense":
            return 1, *self.weight.shape
        return self.groups, len(self.weight) // self.groups, self.weight.shape[1] * math.prod(self.stride)

    def symbol(self) -> Symbol:
        """Its matrices, one per frequency."""
        if self.kind == "dense":
            return dense(self.weight)
        return convolution(self.weight, stride=self.stride, dilation=self.dilation, groups=self.groups)

    @property
    def multiply_adds(self) -> int:
        """Of one image; those of its transpose are as many."""
        positions = self.outputs if self.kind == "convolution" else self.inputs
        return self.weight.size * (math.prod(positions[1:]) if self.kind != "dense" else 1)

    @property
    def loses(self) -> bool:
        """Whether it has fewer outputs than inputs, and so takes some direction to nothing: its lower frame
        bound inf ||W x|| / ||x|| is 0."""
        _, rows, columns = self.matrices
        if self.kind == "transposed convolution":
            rows, columns = columns, rows
        return rows < columns or math.prod(self.outputs) < math.prod(self.inputs)


def weighted(module: Weighted, *, name: str, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> Layer:
    """The operator of a torch layer. Raises ValueError for padding that is neither zeros nor circular."""
    weight = module.weight.detach().cpu().numpy()
    if isinstance(module, nn.Linear):
        return Layer(name, "dense", weight, inputs, outputs)
    if module.padding_mode not in ("zeros", "circular"):
        raise ValueError(f"{name}: padding of the kind {module.padding_mode!r}")
    kernel, stride, dilation = (_pair(x) for x in (module.kernel_size, module.stride, module.dilation))
    if isinstance(module.padding, str):
        padding = (0, 0) if module.padding == "valid" else _same(kernel, dilation)
    else:
        padding = _pair(module.padding)
    kind: Kind = "transposed convolution" if isinstance(module, nn.ConvTranspose2d) else "convolution"
    circular = module.padding_mode == "circular"
    return Layer(
        name, kind, weight, inputs, outputs, kernel, stride, padding, dilation, module.groups, circular
    )


def scaled(layer: Layer, scale: Array) -> Layer:
    """The layer with each output channel multiplied by a number, (channels,)."""
    if layer.kind == "transposed convolution":
        shape = (layer.groups, -1, *layer.weight.shape[1:])
        weight = layer.weight.astype(np.float64).reshape(shape) * scale.reshape(layer.groups, 1, -1, 1, 1)
        weight = weight.reshape(layer.weight.shape)
    else:
        weight = layer.weight.astype(np.float64) * scale.reshape(-1, *[1] * (layer.weight.ndim - 1))
    return Layer(**{**vars(layer), "weight": weight, "folded": True})


def scale_of(normalisation: nn.BatchNorm1d | nn.BatchNorm2d) -> Array:
    """What a batch normalisation multiplies each channel with, after training."""
    if normalisation.running_var is None:
        raise ValueError("batch normalisation without running statistics")
    scale = (normalisation.running_var.double() + normalisation.eps).rsqrt()
    if normalisation.weight is not None:
        scale = scale * normalisation.weight.detach().double()
    found: Array = scale.cpu().numpy()
    return found


def padded_norm(layer: Layer, *, seed: int = 0) -> float:
    """Norm of a layer on inputs of its own size, its padding included, from below, by power iteration.

    It lies under the upper bound of the symbol, which is that of infinite maps: the difference is what the
    border takes away, and what the iteration has not reached. Szegedy et al. compute the latter only.
    """
    if layer.kind == "dense":
        return float(torch.linalg.matrix_norm(torch.from_numpy(layer.weight).float(), 2))
    least, most = POWER_STEPS
    steps = int(min(most, max(least, POWER_EFFORT / (2 * layer.multiply_adds))))
    weight = torch.from_numpy(layer.weight).float()
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(1, *layer.inputs, generator=generator).requires_grad_()
    found = 0.0
    for _ in range(steps):
        with torch.enable_grad():
            answer = _apply(layer, weight, image)
        found = float(answer.detach().norm() / image.detach().norm())
        (gradient,) = torch.autograd.grad(answer, image, answer.detach())
        length = float(gradient.norm())
        if length == 0:
            return 0.0
        image = (gradient / length).requires_grad_()
    return found


def _apply(layer: Layer, weight: Tensor, image: Tensor) -> Tensor:
    """The linear layer, at its own size."""
    if layer.kind == "transposed convolution":
        whole = nn.functional.conv_transpose2d(
            image, weight, stride=layer.stride, dilation=layer.dilation, groups=layer.groups
        )
        (top, left), (height, width) = layer.padding, layer.outputs[1:]
        missing = [max(0, top + height - whole.shape[2]), max(0, left + width - whole.shape[3])]
        whole = nn.functional.pad(whole, (0, missing[1], 0, missing[0]))
        return whole[:, :, top : top + height, left : left + width]
    if layer.circular:
        image = nn.functional.pad(image, np.repeat(layer.padding[::-1], 2).tolist(), mode="circular")
    padding = (0, 0) if layer.circular else layer.padding
    return nn.functional.conv2d(
        image, weight, stride=layer.stride, padding=padding, dilation=layer.dilation, groups=layer.groups
    )


def _pair(value: tuple[int, ...]) -> Pair:
    first, second = value
    return first, second


def _same(kernel: Pair, dilation: Pair) -> Pair:
    """Padding on the smaller side that keeps the size at stride 1."""
    first, second = (d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    return first, second
