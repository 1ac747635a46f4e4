"""ONNX operators that move, choose or sum up numbers, as torch functions.

Source: the ONNX operator reference.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Inputs = Sequence[Any]
Attributes = Mapping[str, Any]


MOST_NUMBERS = 1 << 27  # of one array that a graph makes out of a few: half a gigabyte


def listed(inputs: Inputs, attributes: Attributes, place: int, name: str) -> list[int] | None:
    """Whole numbers from the input at that place or, in older opsets, from the attribute."""
    if len(inputs) > place and inputs[place] is not None:
        return [int(number) for number in inputs[place].reshape(-1).tolist()]
    return attributes.get(name)


def counted(sizes: Sequence[float]) -> list[int]:
    """The sizes of an array that is to be made. Raises ValueError where it would fill the memory."""
    whole = [int(size) for size in sizes]
    if math.prod(max(1, size) for size in whole) > MOST_NUMBERS:
        raise ValueError(f"it would make more than {MOST_NUMBERS} numbers")
    return whole


def expanded(inputs: Inputs, attributes: Attributes) -> Tensor:  # noqa: ARG001
    """Expand: broadcasting in both directions."""
    sizes = counted(inputs[1].tolist())
    return inputs[0] * torch.ones(sizes, dtype=inputs[0].dtype, device=inputs[0].device)


def tiled(inputs: Inputs, attributes: Attributes) -> Tensor:  # noqa: ARG001
    """Tile."""
    times = inputs[1].tolist()
    counted([side * time for side, time in zip(inputs[0].shape, times, strict=True)])
    return inputs[0].repeat(times)


def ranged(inputs: Inputs, attributes: Attributes) -> Tensor:  # noqa: ARG001
    """Range."""
    start, limit, delta = (each.item() for each in inputs)
    if not delta or not math.isfinite(steps := abs((limit - start) / delta)):
        raise ValueError("it would never end")
    counted([steps])
    return torch.arange(start, limit, delta)


def reshape(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Reshape; 0 keeps the dimension unless allowzero."""
    values = inputs[0]
    wanted = listed(inputs, attributes, 1, "shape") or []
    if not attributes.get("allowzero", 0):
        wanted = [values.shape[place] if side == 0 else side for place, side in enumerate(wanted)]
    return values.reshape(wanted)


def flatten(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Flatten into two dimensions, cut at `axis`."""
    values, axis = inputs[0], attributes.get("axis", 1)
    rows = 1
    for side in values.shape[:axis]:
        rows *= side
    return values.reshape(rows, -1)


def transpose(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Transpose; reverses all dimensions where no order is given."""
    values = inputs[0]
    return values.permute(attributes.get("perm") or list(reversed(range(values.ndim))))


def squeeze(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Squeeze the named axes, or all of size 1."""
    axes = listed(inputs, attributes, 1, "axes")
    return inputs[0].squeeze() if axes is None else inputs[0].squeeze(tuple(axes))


def unsqueeze(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Unsqueeze: the axes count in the result."""
    values = inputs[0]
    axes = listed(inputs, attributes, 1, "axes") or []
    ranks = values.ndim + len(axes)
    for axis in sorted(axis % ranks for axis in axes):
        values = values.unsqueeze(axis)
    return values


def cut(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Slice with steps of either sign."""
    values = inputs[0]
    starts = listed(inputs, attributes, 1, "starts") or []
    ends = listed(inputs, attributes, 2, "ends") or []
    axes = listed(inputs, attributes, 3, "axes") or list(range(len(starts)))
    steps = listed(inputs, attributes, 4, "steps") or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        side = values.shape[axis]
        last = None if step < 0 and end < -side else end  # backwards to the very start
        chosen = range(side)[start:last:step]
        values = values.index_select(axis, torch.tensor(list(chosen), device=values.device, dtype=torch.long))
    return values


def split(inputs: Inputs, attributes: Attributes) -> tuple[Tensor, ...]:
    """Split into the given sizes, or num_outputs parts of which the last may be smaller."""
    values, axis = inputs[0], attributes.get("axis", 0)
    sizes = listed(inputs, attributes, 1, "split")
    if sizes is None:
        count = attributes.get("num_outputs") or attributes["outputs"]
        return values.split(-(-values.shape[axis] // count), axis)
    return values.split(sizes, axis)


def gather(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Gather along one axis; negative places count from the end."""
    values, places = inputs[0], inputs[1].long()
    axis = attributes.get("axis", 0) % values.ndim
    flat = values.index_select(axis, (places % values.shape[axis]).reshape(-1))
    return flat.reshape(*values.shape[:axis], *places.shape, *values.shape[axis + 1 :])


def reduced(function: Callable[..., Tensor]) -> Callable[[Inputs, Attributes], Tensor]:
    """Reduce*: over the named axes, or all of them."""

    def apply(inputs: Inputs, attributes: Attributes) -> Tensor:
        axes = listed(inputs, attributes, 1, "axes")
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return inputs[0]
        return function(
            inputs[0], dim=tuple(axes or range(inputs[0].ndim)), keepdim=bool(attributes.get("keepdims", 1))
        )

    return apply


def product(values: Tensor, *, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    """Of the numbers along some axes."""
    for axis in sorted((axis % values.ndim for axis in dim), reverse=True):
        values = values.prod(axis, keepdim=keepdim)
    return values


def pad(inputs: Inputs, attributes: Attributes) -> Tensor:
    """Pad with a constant. Raises ValueError for another mode or for named axes."""
    if attributes.get("mode", "constant") != "constant" or (len(inputs) > 3 and inputs[3] is not None):
        raise ValueError("Pad is understood with mode constant and without axes")
    amounts = listed(inputs, attributes, 1, "pads") or []
    ranks = inputs[0].ndim
    order = [amounts[axis + end * ranks] for axis in reversed(range(ranks)) for end in (0, 1)]
    fill = float(inputs[2]) if len(inputs) > 2 and inputs[2] is not None else 0.0
    return torch.nn.functional.pad(inputs[0], order, value=fill)


# ONNX's numbers of types -> ours: real numbers are kept in single precision.
CAST = {
    1: torch.float32, 10: torch.float32, 11: torch.float32, 16: torch.float32, 9: torch.bool,
    2: torch.uint8, 3: torch.int8, 6: torch.int32, 7: torch.int64,
}  # fmt: skip

SHAPES: dict[str, Callable[[Inputs, Attributes], Any]] = {
    "Reshape": reshape, "Flatten": flatten, "Transpose": transpose, "Squeeze": squeeze,
    "Unsqueeze": unsqueeze, "Slice": cut, "Split": split, "Gather": gather, "Pad": pad,
    "ReduceMean": reduced(torch.mean), "ReduceSum": reduced(torch.sum), "ReduceMax": reduced(torch.amax),
    "ReduceMin": reduced(torch.amin), "ReduceProd": reduced(product),
    "ReduceL2": reduced(torch.linalg.vector_norm),
    "ReduceL1": reduced(lambda values, **how: torch.linalg.vector_norm(values, 1, **how)),
    "ReduceSumSquare": reduced(lambda values, **how: values.square().sum(**how)),
    "ReduceLogSumExp": reduced(torch.logsumexp),
    "Size": lambda inputs, attributes: torch.tensor(inputs[0].numel()),  # noqa: ARG005
    "Range": ranged,
    "Tile": tiled,
    "Identity": lambda inputs, attributes: inputs[0],  # noqa: ARG005
    "Dropout": lambda inputs, attributes: inputs[0],  # noqa: ARG005
    "Concat": lambda inputs, attributes: torch.cat(list(inputs), attributes["axis"]),
    "Shape": lambda inputs, attributes: torch.tensor(inputs[0].shape[attributes.get("start", 0):
                                                                     attributes.get("end")]),
    "Expand": expanded,
    "ConstantOfShape": lambda inputs, attributes: torch.full(
        counted(inputs[0].tolist()), attributes["value"], dtype=CAST[attributes["to"]]),
    "Cast": lambda inputs, attributes: inputs[0].to(CAST[attributes["to"]]),
}  # fmt: skip
