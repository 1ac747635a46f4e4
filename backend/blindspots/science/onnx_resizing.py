"""ONNX operators that make images larger or smaller, or exchange sides for channels, as torch functions.

As in `onnx_rearranging`: attributes, constant inputs and a sample in, a function of the inputs out. Source:
the ONNX operator reference.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional

from blindspots.science.onnx_shapes import counted, listed

Attributes = Mapping[str, Any]
Given = Sequence[Tensor | None]
Rearranging = Callable[..., Any]


def _first(samples: Given) -> Tensor:
    sample = samples[0]
    if sample is None:
        raise ValueError("an operator lacks its first input")
    return sample


def resize(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:
    """Resize and Upsample of two spatial dimensions: nearest, linear, cubic in torch's coordinates."""
    sample = _first(samples)
    old = len(constants) < 3  # Upsample, and Resize of opset 10: scales come second
    scales = listed_numbers(constants[1] if old and len(constants) > 1 else _at(constants, 2), attributes)
    sizes = listed(constants, {}, 3, "") if len(constants) > 3 else None
    if sample.ndim != 4 or (scales is None) == (sizes is None):
        raise ValueError("Resize is understood for images, by scales or by sizes")
    mode = _interpolation(attributes, old=old)
    factors = [float(scale) for scale in scales or []]
    wanted = [side * factor for side, factor in zip(sample.shape, factors, strict=bool(factors))]
    counted([len(sample), *(sizes or wanted)[1:]])
    if sizes is not None:
        return lambda values, *_: functional.interpolate(values, size=sizes[2:], **mode)
    assert scales is not None
    return lambda values, *_: functional.interpolate(values, scale_factor=scales[2:], **mode)


def _at(constants: Given, place: int) -> Tensor | None:
    return constants[place] if len(constants) > place else None


def listed_numbers(constant: Tensor | None, attributes: Attributes) -> list[float] | None:
    """Scales from an input or, in older opsets, from the attribute; none where they are empty."""
    if constant is not None and constant.numel():
        return [float(number) for number in constant.reshape(-1).tolist()]
    return attributes.get("scales")


def _interpolation(attributes: Attributes, *, old: bool) -> dict[str, Any]:
    """Torch's words for how ONNX says it. Raises ValueError where torch has none."""
    mode = attributes.get("mode", "nearest")
    place = attributes.get("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    rounding = attributes.get("nearest_mode", "floor" if old else "round_prefer_floor")
    if mode == "nearest" and (place, rounding) == ("asymmetric", "floor"):
        return {"mode": "nearest"}
    if mode in ("linear", "bilinear") and place in ("half_pixel", "pytorch_half_pixel"):
        return {"mode": "bilinear", "align_corners": False}
    if mode in ("linear", "bilinear") and place == "align_corners":
        return {"mode": "bilinear", "align_corners": True}
    if mode == "cubic" and place in ("half_pixel", "pytorch_half_pixel"):
        return {"mode": "bicubic", "align_corners": False}
    raise ValueError(f"Resize is not understood with mode {mode}, {place} coordinates and {rounding}")


def depth_to_space(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:  # noqa: ARG001
    """DepthToSpace in both orders."""
    block = attributes["blocksize"]
    if attributes.get("mode", "DCR") == "CRD":
        return lambda values, *_: functional.pixel_shuffle(values, block)
    _, channels, height, width = _first(samples).shape
    kept = channels // block**2
    return lambda values, *_: (
        values.reshape(-1, block, block, kept, height, width)
        .permute(0, 3, 4, 1, 5, 2)
        .reshape(-1, kept, height * block, width * block)
    )


def space_to_depth(attributes: Attributes, constants: Given, samples: Given) -> Rearranging:  # noqa: ARG001
    """SpaceToDepth."""
    block = attributes["blocksize"]
    _, channels, height, width = _first(samples).shape
    return lambda values, *_: (
        values.reshape(-1, channels, height // block, block, width // block, block)
        .permute(0, 3, 5, 1, 2, 4)
        .reshape(-1, channels * block**2, height // block, width // block)
    )
