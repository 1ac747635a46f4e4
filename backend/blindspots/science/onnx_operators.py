"""ONNX operators as differentiable torch functions: a closed list.

Source: the ONNX operator reference, opsets 13 to 23.

Every function takes its node's inputs (tensors, None where left out) and attributes, and returns one tensor
or, for Split, several. The first dimension of the image stays free.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from blindspots.science.onnx_shapes import SHAPES

Inputs = Sequence[Tensor | None]
Attributes = Mapping[str, Any]
Operator = Callable[[Inputs, Attributes], "Tensor | tuple[Tensor, ...]"]


def given(inputs: Inputs, index: int) -> Tensor | None:
    """The optional input at that place."""
    return inputs[index] if index < len(inputs) else None


def automatic_pads(attributes: Attributes, kernel: Sequence[int], sides: Sequence[int]) -> list[int]:
    """Zeros before each spatial dimension, then after each, by `pads` or by `auto_pad`."""
    count = len(kernel)
    strides = attributes.get("strides") or [1] * count
    dilations = attributes.get("dilations") or [1] * count
    automatic = attributes.get("auto_pad", "NOTSET")
    if automatic not in ("SAME_UPPER", "SAME_LOWER"):
        return list(attributes.get("pads") or [0] * 2 * count)
    pads = [0] * 2 * count
    for axis, side in enumerate(sides):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        total = max(0, (math.ceil(side / strides[axis]) - 1) * strides[axis] + reach - side)
        less, more = total // 2, total - total // 2
        pads[axis], pads[axis + count] = (less, more) if automatic == "SAME_UPPER" else (more, less)
    return pads


def padded(images: Tensor, kernel: Sequence[int], attributes: Attributes, fill: float = 0.0) -> Tensor:
    """Images (n, c, *sides) with a convolution's or pooling's padding of constant `fill` around them."""
    sides = len(kernel)
    pads = automatic_pads(attributes, kernel, images.shape[2:])
    if not any(pads):
        return images
    order = [pads[axis + end * sides] for axis in reversed(range(sides)) for end in (0, 1)]
    return functional.pad(images, order, value=fill)


def convolution(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Conv in one to three spatial dimensions, strided, dilated, grouped."""
    images, weight = inputs[0], inputs[1]
    assert images is not None
    assert weight is not None
    kernel = weight.shape[2:]
    apply = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[len(kernel)]
    return apply(
        padded(images, kernel, attributes), weight, given(inputs, 2),
        stride=attributes.get("strides") or 1, dilation=attributes.get("dilations") or 1,
        groups=attributes.get("group", 1),
    )  # fmt: skip


def general_product(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Gemm: alpha a b + beta c."""
    left, right, offset = inputs[0], inputs[1], given(inputs, 2)
    assert left is not None
    assert right is not None
    left = left.mT if attributes.get("transA", 0) else left
    right = right.mT if attributes.get("transB", 0) else right
    product = attributes.get("alpha", 1.0) * (left @ right)
    return product if offset is None else product + attributes.get("beta", 1.0) * offset


def batch_normalisation(inputs: Inputs, attributes: Attributes) -> Tensor:
    """BatchNormalization with the stored means and variances."""
    images, scale, offset, mean, variance = (value for value in inputs[:5] if value is not None)
    return functional.batch_norm(images, mean, variance, scale, offset, eps=attributes.get("epsilon", 1e-5))


def layer_normalisation(inputs: Inputs, attributes: Attributes) -> Tensor:
    """LayerNormalization over the dimensions from `axis` on."""
    values, scale = inputs[0], inputs[1]
    assert values is not None
    shape = values.shape[attributes.get("axis", -1) :]
    plain = functional.layer_norm(values, shape, eps=attributes.get("epsilon", 1e-5))
    offset = given(inputs, 2)
    scaled = plain if scale is None else plain * scale
    return scaled if offset is None else scaled + offset


def max_pool(inputs: Inputs, attributes: Attributes) -> Tensor:
    """MaxPool in two spatial dimensions."""
    images, kernel = inputs[0], attributes["kernel_shape"]
    assert images is not None
    return functional.max_pool2d(
        padded(images, kernel, attributes, -math.inf), kernel, stride=attributes.get("strides") or 1,
        dilation=attributes.get("dilations") or 1, ceil_mode=bool(attributes.get("ceil_mode", 0)),
    )  # fmt: skip


def average_pool(inputs: Inputs, attributes: Attributes) -> Tensor:
    """AveragePool in two spatial dimensions; padding counts only where count_include_pad says so."""
    images, kernel = inputs[0], attributes["kernel_shape"]
    assert images is not None
    strides = attributes.get("strides") or 1
    if attributes.get("ceil_mode", 0) or any(each != 1 for each in attributes.get("dilations") or []):
        raise ValueError("AveragePool is understood without ceil_mode and dilations")
    sums = functional.avg_pool2d(padded(images, kernel, attributes), kernel, stride=strides)
    if attributes.get("count_include_pad", 0):
        return sums
    inside = padded(torch.ones_like(images[:1, :1]), kernel, attributes)
    return sums / functional.avg_pool2d(inside, kernel, stride=strides)


def spatial(function: Callable[..., Tensor], inputs: Inputs, attributes: Attributes) -> Tensor:  # noqa: ARG001
    """GlobalAveragePool and GlobalMaxPool: one number per channel, other dimensions of size 1."""
    images = inputs[0]
    assert images is not None
    return function(images, dim=tuple(range(2, images.ndim)), keepdim=True)


def clip(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Clip between two optional bounds."""
    values = inputs[0]
    assert values is not None
    low, high = given(inputs, 1), given(inputs, 2)
    low = low if low is not None or "min" not in attributes else torch.tensor(attributes["min"])
    high = high if high is not None or "max" not in attributes else torch.tensor(attributes["max"])
    return torch.clamp(values, low, high)


def local_response(inputs: Inputs, attributes: Attributes) -> Tensor:
    """LRN across channels. Krizhevsky et al. 2012, section 3.3; alpha is divided by the size."""
    images = inputs[0]
    assert images is not None
    size = attributes["size"]
    squares = functional.pad(images.square(), (0, 0) * (images.ndim - 2) + ((size - 1) // 2, size // 2))
    sums = squares.unfold(1, size, 1).sum(-1)
    scale = attributes.get("bias", 1.0) + attributes.get("alpha", 1e-4) / size * sums
    return images / scale ** attributes.get("beta", 0.75)


def softmax(function: Callable[..., Tensor], inputs: Inputs, attributes: Attributes) -> Tensor:
    """Softmax and LogSoftmax; before opset 13 over all dimensions from the axis on."""
    values = _one(inputs)
    if "legacy" not in attributes:
        return function(values, attributes.get("axis", -1))
    axis = attributes.get("axis", 1)
    last = axis in (-1, values.ndim - 1)
    return function(values, -1) if last else function(values.flatten(axis), -1).reshape_as(values)


def instance_normalisation(inputs: Inputs, attributes: Attributes) -> Tensor:
    """InstanceNormalization: every channel of every image by its own mean and variance."""
    images, scale, offset = inputs[:3]
    assert images is not None
    return functional.instance_norm(images, weight=scale, bias=offset, eps=attributes.get("epsilon", 1e-5))


def group_normalisation(inputs: Inputs, attributes: Attributes) -> Tensor:
    """GroupNormalization; scale and offset per channel or, before opset 21, per group."""
    images, scale, offset = inputs[:3]
    assert images is not None
    assert scale is not None
    assert offset is not None
    groups = attributes["num_groups"]
    plain = functional.group_norm(images, groups, eps=attributes.get("epsilon", 1e-5))
    if len(scale) == groups:
        times = plain.shape[1] // groups
        scale, offset = scale.repeat_interleave(times), offset.repeat_interleave(times)
    shape = (-1, *(1,) * (images.ndim - 2))
    return plain * scale.reshape(shape) + offset.reshape(shape)


def lp_normalisation(inputs: Inputs, attributes: Attributes) -> Tensor:
    """LpNormalization along one axis."""
    values = _one(inputs)
    return functional.normalize(values, p=attributes.get("p", 2), dim=attributes.get("axis", -1))


def mean(inputs: Inputs, attributes: Attributes) -> Tensor:  # noqa: ARG001
    """Mean of several tensors, number by number."""
    first, *others = (value for value in inputs if value is not None)
    return functools.reduce(torch.add, others, first) / len(inputs)


def gelu(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Gelu, exact or by tanh."""
    return functional.gelu(_one(inputs), approximate=attributes.get("approximate", "none"))


def _one(inputs: Inputs) -> Tensor:
    value = inputs[0]
    if value is None:
        raise ValueError("an operator lacks its first input")
    return value


def _elementwise(function: Callable[[Tensor], Tensor]) -> Operator:
    return lambda inputs, attributes: function(_one(inputs))  # noqa: ARG005


def _arithmetic(function: Callable[..., Tensor]) -> Operator:
    return lambda inputs, attributes: functools.reduce(function, inputs)  # type: ignore[return-value]  # noqa: ARG005


def divided(left: Tensor, right: Tensor) -> Tensor:
    """Div: whole numbers are cut towards zero, as in C."""
    return torch.div(left, right, rounding_mode=None if left.is_floating_point() else "trunc")


def not_of_constants(inputs: Inputs, attributes: Attributes) -> Tensor:  # noqa: ARG001
    """An operator that is understood on what depends on the image only."""
    raise ValueError("an operator of images is applied to constants")


OPERATORS: dict[str, Operator] = {
    **SHAPES,
    "Conv": convolution, "Gemm": general_product, "BatchNormalization": batch_normalisation,
    "LayerNormalization": layer_normalisation, "MaxPool": max_pool, "AveragePool": average_pool,
    "GlobalAveragePool": functools.partial(spatial, torch.mean),
    "GlobalMaxPool": functools.partial(spatial, torch.amax),
    "Clip": clip, "LRN": local_response, "Gelu": gelu,
    "MatMul": _arithmetic(torch.matmul), "Add": _arithmetic(torch.add), "Sub": _arithmetic(torch.sub),
    "Mul": _arithmetic(torch.mul), "Div": _arithmetic(divided), "Pow": _arithmetic(torch.pow),
    "Max": _arithmetic(torch.maximum), "Min": _arithmetic(torch.minimum), "Sum": _arithmetic(torch.add),
    "Relu": _elementwise(torch.relu), "Sigmoid": _elementwise(torch.sigmoid),
    "Tanh": _elementwise(torch.tanh),
    "Erf": _elementwise(torch.erf), "Sqrt": _elementwise(torch.sqrt), "Exp": _elementwise(torch.exp),
    "Log": _elementwise(torch.log), "Neg": _elementwise(torch.neg), "Abs": _elementwise(torch.abs),
    "Reciprocal": _elementwise(torch.reciprocal), "Softplus": _elementwise(functional.softplus),
    "HardSwish": _elementwise(functional.hardswish),
    "LeakyRelu": lambda i, a: functional.leaky_relu(_one(i), a.get("alpha", 0.01)),
    "Elu": lambda i, a: functional.elu(_one(i), a.get("alpha", 1.0)),
    "HardSigmoid": lambda i, a: torch.clamp(a.get("alpha", 0.2) * _one(i) + a.get("beta", 0.5), 0, 1),
    "PRelu": lambda i, a: torch.where(_one(i) < 0, _one(i) * i[1], _one(i)),  # type: ignore[operator]  # noqa: ARG005
    "Softmax": functools.partial(softmax, torch.softmax),
    "LogSoftmax": functools.partial(softmax, torch.log_softmax),
    "InstanceNormalization": instance_normalisation, "GroupNormalization": group_normalisation,
    "LpNormalization": lp_normalisation,
    "ConvTranspose": not_of_constants, "Resize": not_of_constants, "Upsample": not_of_constants,
    "DepthToSpace": not_of_constants, "SpaceToDepth": not_of_constants, "Einsum": not_of_constants,
    "Mean": mean,
    "Selu": _elementwise(functional.selu), "Celu": lambda i, a: functional.celu(_one(i), a.get("alpha", 1.0)),
    "Softsign": _elementwise(functional.softsign), "Mish": _elementwise(functional.mish),
    "Swish": lambda i, a: _one(i) * torch.sigmoid(a.get("alpha", 1.0) * _one(i)),
    "Sin": _elementwise(torch.sin), "Cos": _elementwise(torch.cos),
    "Sign": _elementwise(torch.sign), "Floor": _elementwise(torch.floor), "Ceil": _elementwise(torch.ceil),
    "Round": _elementwise(torch.round), "Not": _elementwise(torch.logical_not),
    "Equal": _arithmetic(torch.eq), "Greater": _arithmetic(torch.gt), "Less": _arithmetic(torch.lt),
    "GreaterOrEqual": _arithmetic(torch.ge), "LessOrEqual": _arithmetic(torch.le),
    "And": _arithmetic(torch.logical_and), "Or": _arithmetic(torch.logical_or),
    "Where": lambda i, a: torch.where(i[0], i[1], i[2]),  # type: ignore[arg-type]  # noqa: ARG005
}  # fmt: skip
