"""Operators that move, choose or join what depends on the image, with everything fixed but the batch.

Each entry of `REARRANGED` takes a node's attributes, its constant inputs and a sample of the others (for two
images), and returns a function of the node's inputs that asks for no shape but that of the batch: so it can
be traced, and holds for any number of images. Source: the ONNX operator reference.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from blindspots.science.onnx_resizing import depth_to_space, resize, space_to_depth
from blindspots.science.onnx_shapes import CAST, counted, listed

Attributes = Mapping[str, Any]
Given = Sequence[Tensor | None]
Rearranging = Callable[..., Any]
BATCH = -(1 << 40)  # in a list of sizes: as many as there are images


def _first(samples: Given) -> Tensor:
    sample = samples[0]
    if sample is None:
        raise ValueError("an operator lacks its first input")
    return sample


def reshape(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Reshape. A first size of 1 in a file that was written for one image means the batch."""
    sample = _first(samples)
    sizes = listed(constants, attributes, 1, "shape") or []
    if not attributes.get("allowzero", 0):
        sizes = [_kept(sample, place) if size == 0 else size for place, size in enumerate(sizes)]
    each = sample.numel() // len(sample)
    known = math.prod(size for size in sizes if size not in (-1, BATCH))
    if BATCH not in sizes and len(sizes) > 1 and sizes[0] == 1 and (-1 in sizes or known == each):
        sizes = [BATCH, *sizes[1:]]
    if BATCH in sizes and -1 not in sizes:
        sizes = [-1 if size == BATCH else size for size in sizes]
    if BATCH not in sizes:
        return lambda values, *_: values.reshape(sizes)
    return lambda values, *_: values.reshape([values.shape[0] if size == BATCH else size for size in sizes])


def _kept(sample: Tensor, place: int) -> int:
    return BATCH if place == 0 else sample.shape[place]


def flatten(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:  # noqa: ARG001
    """Flatten into two dimensions, cut at `axis`."""
    sample = _first(samples)
    axis = attributes.get("axis", 1)
    axis = axis + sample.ndim if axis < 0 else axis
    if axis == 1:
        return lambda values, *_: values.flatten(1)
    if axis == 0:
        raise ValueError("Flatten from axis 0 would mix the images of a batch")
    columns = math.prod(sample.shape[axis:])
    return lambda values, *_: values.reshape(-1, columns)


def transpose(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:  # noqa: ARG001
    """Transpose; reverses all dimensions where no order is given."""
    order = attributes.get("perm") or list(reversed(range(_first(samples).ndim)))
    return lambda values, *_: values.permute(order)


def squeeze(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Squeeze the named axes, or all of size 1."""
    sample = _first(samples)
    axes = listed(constants, attributes, 1, "axes")
    chosen = [axis for axis in range(1, sample.ndim) if sample.shape[axis] == 1] if axes is None else axes
    return lambda values, *_: values.squeeze(tuple(chosen))


def unsqueeze(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Unsqueeze: the axes count in the result."""
    axes = listed(constants, attributes, 1, "axes") or []
    ranks = _first(samples).ndim + len(axes)
    places = sorted(axis % ranks for axis in axes)

    def apply(values: Tensor, *_: Tensor) -> Tensor:
        for place in places:
            values = values.unsqueeze(place)
        return values

    return apply


def cut(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Slice with steps of either sign."""
    sample = _first(samples)
    starts = listed(constants, attributes, 1, "starts") or []
    ends = listed(constants, attributes, 2, "ends") or []
    axes = listed(constants, attributes, 3, "axes") or list(range(len(starts)))
    steps = listed(constants, attributes, 4, "steps") or [1] * len(starts)
    pieces: dict[int, slice] = {}
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        side = sample.shape[axis]
        last = None if step < 0 and end < -side else end  # backwards to the very start
        if axis % sample.ndim == 0 and (start, step) != (0, 1):
            raise ValueError("Slice would choose among the images of a batch")
        pieces[axis % sample.ndim] = slice(start, last, step)
    pieces.pop(0, None)
    plain = tuple(pieces.get(axis, slice(None)) for axis in range(sample.ndim))
    if all(piece.step is None or piece.step > 0 for piece in plain):
        return lambda values, *_: values[plain]
    chosen = {axis: list(range(sample.shape[axis]))[piece] for axis, piece in pieces.items()}

    def apply(values: Tensor, *_: Tensor) -> Tensor:
        for axis, rows in chosen.items():
            values = values.index_select(axis, torch.tensor(rows, device=values.device))
        return values

    return apply


def split(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Split into the given sizes, or num_outputs parts of which the last may be smaller."""
    sample, axis = _first(samples), attributes.get("axis", 0)
    sizes = listed(constants, attributes, 1, "split")
    if axis % sample.ndim == 0:
        raise ValueError("Split would divide the images of a batch")
    if sizes is None:
        count = attributes.get("num_outputs") or attributes["outputs"]
        size = -(-sample.shape[axis] // count)
        return lambda values, *_: values.split(size, axis)
    return lambda values, *_: values.split(sizes, axis)


def gather(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Gather along one axis; negative places count from the end."""
    places, sample = constants[1], samples[0]
    if places is None or sample is None:
        raise ValueError("Gather is understood with fixed places only")
    axis = attributes.get("axis", 0) % sample.ndim
    if axis == 0:
        raise ValueError("Gather would choose among the images of a batch")
    wanted = places.long() % sample.shape[axis]
    if wanted.ndim == 0:
        place = int(wanted)
        return lambda values, *_: values.select(axis, place)
    flat, shape = wanted.reshape(-1).tolist(), tuple(wanted.shape)

    def apply(values: Tensor, *_: Tensor) -> Tensor:
        chosen = values.index_select(axis, torch.tensor(flat, device=values.device))
        return chosen if len(shape) == 1 else chosen.reshape(cut_into(chosen, axis, shape))

    return apply


def cut_into(values: Tensor, axis: int, shape: tuple[int, ...]) -> list[int]:
    """Sizes of the values where one axis becomes several."""
    return [*values.shape[:axis], *shape, *values.shape[axis + 1 :]]


def concatenate(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:  # noqa: ARG001
    """Concat."""
    axis = attributes["axis"]
    return lambda *values: torch.cat(values, axis)


def reduced(function: Callable[..., Tensor]) -> Callable[[Attributes, Given, Given], Rearranging]:
    """Reduce*: over the named axes, or all of them but the batch's."""

    def make(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
        sample = _first(samples)
        axes = listed(constants, attributes, 1, "axes")
        if not axes and attributes.get("noop_with_empty_axes", 0):
            return lambda values, *_: values
        places = tuple(axis % sample.ndim for axis in axes or range(sample.ndim))
        if 0 in places:
            raise ValueError("a reduction would mix the images of a batch")
        keep = bool(attributes.get("keepdims", 1))
        return lambda values, *_: function(values, dim=places, keepdim=keep)

    return make


def expand(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Expand: broadcasting in both directions."""
    sample = _first(samples)
    asked = [1 if size == BATCH else size for size in listed(constants, attributes, 1, "shape") or []]
    sizes = list((sample + torch.zeros(counted(asked))).shape)
    if sizes[0] != len(sample):
        raise ValueError("Expand would repeat the images of a batch")
    return lambda values, *_: values.expand([-1, *sizes[1:]])


def tile(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Tile."""
    times = listed(constants, attributes, 1, "repeats") or []
    if times and times[0] != 1:
        raise ValueError("Tile would repeat the images of a batch")
    counted([side * time for side, time in zip(_first(samples).shape, times, strict=True)])
    return lambda values, *_: values.repeat(times)


def pad(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Pad with a constant, the edge or the reflection, on the named axes or all."""
    sample = _first(samples)
    amounts = listed(constants, attributes, 1, "pads") or []
    axes = listed(constants, attributes, 3, "axes") or list(range(sample.ndim))
    ends = {
        axis % sample.ndim: (amounts[place], amounts[place + len(axes)]) for place, axis in enumerate(axes)
    }
    counted([side + sum(ends.get(axis, (0, 0))) for axis, side in enumerate(sample.shape)])
    order = [end for axis in reversed(range(sample.ndim)) for end in ends.get(axis, (0, 0))]
    while order and order[-2:] == [0, 0]:
        order = order[:-2]
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}.get(
        attributes.get("mode", "constant")
    )
    if mode is None:
        raise ValueError(f"Pad is not understood with mode {attributes['mode']}")
    fill = constants[2] if len(constants) > 2 else None
    value = float(fill) if fill is not None else float(attributes.get("value", 0.0))
    if mode == "constant":
        return lambda values, *_: functional.pad(values, order, value=value)
    return lambda values, *_: functional.pad(values, order, mode=mode)


def cast(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:  # noqa: ARG001
    """Cast. From one kind of real number to another it changes nothing here: the network stays in its own."""
    wanted = CAST.get(attributes["to"])
    if wanted is None:
        raise ValueError(f"Cast to the type number {attributes['to']} is not understood")
    if wanted.is_floating_point and _first(samples).is_floating_point():
        return lambda values, *_: values
    return lambda values, *_: values.to(wanted)


def einsum(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:  # noqa: ARG001
    """Einsum."""
    equation = attributes["equation"]
    return lambda *values: torch.einsum(equation, *values)


REARRANGED: dict[str, Callable[[Attributes, Given, Given], Rearranging]] = {
    "Reshape": reshape, "Flatten": flatten, "Transpose": transpose, "Squeeze": squeeze,
    "Unsqueeze": unsqueeze, "Slice": cut, "Split": split, "Gather": gather, "Concat": concatenate,
    "ReduceMean": reduced(torch.mean), "ReduceSum": reduced(torch.sum), "ReduceMax": reduced(torch.amax),
    "ReduceMin": reduced(torch.amin),
    "ReduceL2": reduced(torch.linalg.vector_norm),
    "ReduceL1": reduced(lambda values, **how: torch.linalg.vector_norm(values, 1, **how)),
    "ReduceSumSquare": reduced(lambda values, **how: values.square().sum(**how)),
    "ReduceLogSumExp": reduced(torch.logsumexp),
    "Expand": expand, "Tile": tile, "Pad": pad, "Cast": cast, "Resize": resize, "Upsample": resize,
    "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth, "Einsum": einsum,
}  # fmt: skip
