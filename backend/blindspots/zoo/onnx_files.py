"""ONNX files that a user brings: read once, in a limited process, into a structure and plain arrays."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from blindspots.errors import InvalidInput
from blindspots.zoo.limited_process import parsed

if TYPE_CHECKING:
    from blindspots.science.onnx_graph import OnnxClassifier

PARSER = Path(__file__).with_name("onnx_parser.py")


def read(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The graph's structure, and its numbers as safetensors.

    structure: nodes [[operator, inputs, outputs, attributes]], image, output, sides (of the input, None where
    they are free), classes (None where the file does not say), opset. Raises InvalidInput (field "file").
    """
    answer = parsed(PARSER, data, kind="ONNX")
    header = int.from_bytes(answer[:8], "little")
    structure = json.loads(json.loads(answer[8 : 8 + header])["__metadata__"]["graph"])
    from blindspots.zoo.onnx_names import OPERATOR_NAMES

    unknown = sorted({node[0] for node in structure["nodes"]} - OPERATOR_NAMES)
    if unknown:
        raise InvalidInput(
            f"The graph uses operators that are not understood: {', '.join(unknown)}.", field="file"
        )
    return structure, answer


def facts(structure: Mapping[str, Any]) -> dict[str, Any]:
    """What a user is told of a graph: image_shape (channels, height, width), layout, classes, operators."""
    sides = structure["sides"][1:] if len(structure["sides"]) == 4 else None
    last = layout(structure) == "NHWC"
    shape = None if sides is None else [sides[2], sides[0], sides[1]] if last else list(sides)
    operators = Counter(node[0] for node in structure["nodes"])
    return {
        "image_shape": shape,
        "layout": layout(structure),
        "classes": structure["classes"],
        "operators": dict(operators.most_common()),
        "opset": structure["opset"],
    }


def layout(structure: Mapping[str, Any]) -> str:
    """NCHW, or NHWC where only the last side is one that channels have."""
    sides = structure["sides"]
    last = len(sides) == 4 and sides[3] in (1, 3, 4) and sides[1] not in (1, 3, 4)
    return "NHWC" if last else "NCHW"


def build(
    structure: Mapping[str, Any],
    tensors: Mapping[str, Any],
    input_shape: tuple[int, int, int],
    *,
    mean: Sequence[float] = (0.0,),
    scale: Sequence[float] = (1.0,),
    channels_last: bool = False,
) -> "OnnxClassifier":
    """The module, in evaluation mode. tensors: arrays by name; mean, scale: per channel.

    Raises ValueError for a graph that cannot be applied to such images.
    """
    import torch

    from blindspots.science.onnx_graph import Node, OnnxClassifier

    nodes = [Node(kind, tuple(into), tuple(out), given) for kind, into, out, given in structure["nodes"]]
    return OnnxClassifier(
        nodes,
        {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()},
        image=structure["image"],
        output=structure["output"],
        input_shape=input_shape,
        mean=mean,
        scale=scale,
        channels_last=channels_last,
    )
