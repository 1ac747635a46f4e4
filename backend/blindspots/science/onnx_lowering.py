"""Operators that read the image, as torch modules with everything else about them fixed.

A weighted operator becomes torch's own layer, so that its norm, its multiply-adds and its units are found
where those of any network are. Source: the ONNX operator reference, opsets 7 to 23.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.science.onnx_operators import OPERATORS, automatic_pads
from blindspots.science.onnx_rearranging import REARRANGED

Attributes = Mapping[str, Any]
Constants = Sequence[Tensor | None]  # one per input: its value, or None where it depends on the image
Samples = Sequence[Tensor | None]  # one per input: what it is for two images; None where it is left out


class Operation(nn.Module):
    """A function of what depends on the image, between numbers that do not."""

    def __init__(self, apply: Callable[..., Any], constants: Constants, left_out: Sequence[bool]) -> None:
        super().__init__()
        self.apply_to, self.left_out = apply, tuple(left_out)
        self.fixed = tuple(constant is not None for constant in constants)
        for place, constant in enumerate(constants):
            if constant is not None:
                self.register_buffer(f"constant_{place}", constant.clone())

    def forward(self, *values: Tensor) -> Any:
        """The values in the order of the node's inputs."""
        coming = iter(values)
        merged = [
            self.get_buffer(f"constant_{place}") if fixed else None if self.left_out[place] else next(coming)
            for place, fixed in enumerate(self.fixed)
        ]
        return self.apply_to(*merged)


def lowered(operator: str, attributes: Attributes, constants: Constants, samples: Samples) -> nn.Module:
    """The module of one node. Raises ValueError where its attributes are not understood."""
    make = LAYERS.get(operator)
    if make is not None and samples[0] is not None and constants[0] is None:
        layer = make(attributes, constants, samples[0])
        if layer is not None:
            return layer
    left_out = [
        constant is None and sample is None for constant, sample in zip(constants, samples, strict=True)
    ]
    rearranged = REARRANGED.get(operator)
    if rearranged is not None:
        return Operation(rearranged(attributes, constants, samples), constants, left_out)
    function = OPERATORS[operator]
    return Operation(lambda *values: function(values, attributes), constants, left_out)


def _convolution(attributes: Attributes, constants: Constants, images: Tensor) -> nn.Module | None:
    weight, bias = constants[1], constants[2] if len(constants) > 2 else None
    if weight is None or weight.ndim not in (3, 4, 5):
        return None
    sides = weight.ndim - 2
    pads = automatic_pads(attributes, weight.shape[2:], images.shape[2:])
    even = pads[:sides] == pads[sides:]
    kind: Any = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[sides]
    groups = attributes.get("group", 1)
    layer = kind(
        weight.shape[1] * groups, weight.shape[0], tuple(weight.shape[2:]),
        stride=_sides(attributes, "strides", sides), padding=tuple(pads[:sides]) if even else 0,
        dilation=_sides(attributes, "dilations", sides), groups=groups, bias=bias is not None,
    )  # fmt: skip
    return _padded(_filled(layer, weight, bias), [0] * 2 * sides if even else pads)


def _transposed(attributes: Attributes, constants: Constants, images: Tensor) -> nn.Module | None:  # noqa: ARG001
    weight, bias = constants[1], constants[2] if len(constants) > 2 else None
    if weight is None or weight.ndim != 4 or attributes.get("auto_pad", "NOTSET") != "NOTSET":
        return None
    if attributes.get("output_shape"):
        raise ValueError("ConvTranspose is understood without output_shape")
    pads = list(attributes.get("pads") or [0, 0, 0, 0])
    if pads[:2] != pads[2:]:
        raise ValueError("ConvTranspose is understood with the same padding at both ends")
    groups = attributes.get("group", 1)
    layer = nn.ConvTranspose2d(
        weight.shape[0], weight.shape[1] * groups, (weight.shape[2], weight.shape[3]),
        stride=_sides(attributes, "strides", 2), padding=tuple(pads[:2]),
        output_padding=tuple(attributes.get("output_padding") or (0, 0)),
        dilation=_sides(attributes, "dilations", 2), groups=groups, bias=bias is not None,
    )  # fmt: skip
    return _filled(layer, weight, bias)


def _gemm(attributes: Attributes, constants: Constants, rows: Tensor) -> nn.Module | None:
    weight, bias = constants[1], constants[2] if len(constants) > 2 else None
    if weight is None or attributes.get("transA", 0) or (len(constants) > 2 and bias is None):
        return None
    matrix = weight if attributes.get("transB", 0) else weight.mT
    matrix = attributes.get("alpha", 1.0) * matrix
    if bias is not None:
        if bias.numel() not in (1, len(matrix)):
            return None
        bias = attributes.get("beta", 1.0) * bias.reshape(-1).expand(len(matrix))
    layer = nn.Linear(rows.shape[-1], len(matrix), bias=bias is not None)
    return _filled(layer, matrix, bias)


def _product(attributes: Attributes, constants: Constants, rows: Tensor) -> nn.Module | None:  # noqa: ARG001
    weight = constants[1]
    if weight is None or weight.ndim != 2 or rows.ndim < 2:
        return None
    return _filled(nn.Linear(rows.shape[-1], weight.shape[1], bias=False), weight.mT, None)


def _batch_normalisation(attributes: Attributes, constants: Constants, images: Tensor) -> nn.Module | None:
    scale, offset, mean, variance = constants[1:5]
    if scale is None or offset is None or mean is None or variance is None:
        return None
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}.get(images.ndim)
    if kind is None:
        return None
    layer = kind(images.shape[1], eps=attributes.get("epsilon", 1e-5))
    state = {"weight": scale, "bias": offset, "running_mean": mean, "running_var": variance}
    layer.load_state_dict({**state, "num_batches_tracked": torch.tensor(0)})
    return layer


def _layer_normalisation(attributes: Attributes, constants: Constants, values: Tensor) -> nn.Module | None:
    scale, offset = constants[1], constants[2] if len(constants) > 2 else None
    shape = tuple(values.shape[attributes.get("axis", -1) :])
    if scale is None or scale.shape != shape or (offset is not None and offset.shape != shape):
        return None
    layer = nn.LayerNorm(shape, eps=attributes.get("epsilon", 1e-5), bias=offset is not None)
    return _filled(layer, scale, offset)


def _max_pool(attributes: Attributes, constants: Constants, images: Tensor) -> nn.Module | None:  # noqa: ARG001
    kernel = attributes["kernel_shape"]
    pads = automatic_pads(attributes, kernel, images.shape[2:])
    fits = pads[:2] == pads[2:] and all(2 * pad <= side for pad, side in zip(pads[:2], kernel, strict=True))
    if len(kernel) != 2 or not fits:
        return None
    return nn.MaxPool2d(
        tuple(kernel), stride=_sides(attributes, "strides", 2), padding=tuple(pads[:2]),
        dilation=_sides(attributes, "dilations", 2), ceil_mode=bool(attributes.get("ceil_mode", 0)),
    )  # fmt: skip


def _average_pool(attributes: Attributes, constants: Constants, images: Tensor) -> nn.Module | None:  # noqa: ARG001
    kernel = attributes["kernel_shape"]
    pads = automatic_pads(attributes, kernel, images.shape[2:])
    fits = pads[:2] == pads[2:] and all(2 * pad <= side for pad, side in zip(pads[:2], kernel, strict=True))
    dilated = any(each != 1 for each in attributes.get("dilations") or [])
    if len(kernel) != 2 or not fits or dilated or attributes.get("ceil_mode", 0):
        return None
    return nn.AvgPool2d(
        tuple(kernel), stride=_sides(attributes, "strides", 2), padding=(pads[0], pads[1]),
        count_include_pad=bool(attributes.get("count_include_pad", 0)),
    )  # fmt: skip


def _global_average(attributes: Attributes, constants: Constants, images: Tensor) -> nn.Module | None:  # noqa: ARG001
    return nn.AdaptiveAvgPool2d(1) if images.ndim == 4 else None


def _local_response(attributes: Attributes, constants: Constants, images: Tensor) -> nn.Module | None:  # noqa: ARG001
    if attributes["size"] % 2 == 0:
        return None  # torch centres an even window elsewhere
    return nn.LocalResponseNorm(
        attributes["size"],
        attributes.get("alpha", 1e-4),
        attributes.get("beta", 0.75),
        attributes.get("bias", 1.0),
    )


def _clip(attributes: Attributes, constants: Constants, values: Tensor) -> nn.Module | None:  # noqa: ARG001
    bounds: list[Any] = [attributes.get("min"), attributes.get("max")]  # before opset 11
    for place, constant in enumerate(constants[1:3]):
        bounds[place] = None if constant is None else float(constant)
    if any(bound is None for bound in bounds):
        return None
    return nn.ReLU6() if bounds == [0.0, 6.0] else nn.Hardtanh(*bounds)


def _sides(attributes: Attributes, name: str, sides: int) -> Any:
    return tuple(attributes.get(name) or [1] * sides)


@torch.no_grad()
def _filled(layer: nn.Module, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """The layer with these numbers. Raises ValueError where they do not fit."""
    for name, given in (("weight", weight), ("bias", bias)):
        if given is None:
            continue
        held = layer.get_parameter(name)
        if held.shape != given.shape:
            raise ValueError(f"weights of shape {tuple(given.shape)} where {tuple(held.shape)} are due")
        setattr(layer, name, nn.Parameter(given.float().clone(), requires_grad=False))
    return layer


def _padded(layer: nn.Module, pads: Sequence[int]) -> nn.Module:
    """The layer after zeros around its images, where there are any."""
    if not any(pads):
        return layer
    sides = len(pads) // 2
    order = tuple(pads[axis + end * sides] for axis in reversed(range(sides)) for end in (0, 1))
    zeros = {1: nn.ConstantPad1d, 2: nn.ZeroPad2d, 3: nn.ConstantPad3d}[sides]
    return nn.Sequential(zeros(order) if sides == 2 else zeros(order, 0.0), layer)


def _plain(module: Callable[[Attributes], nn.Module]) -> Callable[[Attributes, Constants, Tensor], nn.Module]:
    return lambda attributes, constants, sample: module(attributes)  # noqa: ARG005


LAYERS: dict[str, Callable[[Attributes, Constants, Tensor], nn.Module | None]] = {
    "Conv": _convolution, "ConvTranspose": _transposed, "Gemm": _gemm, "MatMul": _product,
    "BatchNormalization": _batch_normalisation, "LayerNormalization": _layer_normalisation,
    "MaxPool": _max_pool, "AveragePool": _average_pool, "LRN": _local_response, "Clip": _clip,
    "GlobalAveragePool": _global_average,
    "Relu": _plain(lambda _: nn.ReLU()), "Sigmoid": _plain(lambda _: nn.Sigmoid()),
    "Tanh": _plain(lambda _: nn.Tanh()), "HardSwish": _plain(lambda _: nn.Hardswish()),
    "LeakyRelu": _plain(lambda given: nn.LeakyReLU(given.get("alpha", 0.01))),
    "Elu": _plain(lambda given: nn.ELU(given.get("alpha", 1.0))), "Selu": _plain(lambda _: nn.SELU()),
    "Celu": _plain(lambda given: nn.CELU(given.get("alpha", 1.0))),
    "Softplus": _plain(lambda _: nn.Softplus()), "Softsign": _plain(lambda _: nn.Softsign()),
    "Mish": _plain(lambda _: nn.Mish()),
    "Gelu": _plain(lambda given: nn.GELU(approximate=given.get("approximate", "none"))),
}  # fmt: skip
