"""A network from an ONNX file, as a model of the service keeps it: the graph lies with the weights."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from blindspots.zoo import onnx_files
from blindspots.zoo.network import NetworkParameters, Shape

if TYPE_CHECKING:
    from torch import nn

    from blindspots.science.onnx_graph import OnnxClassifier

GRAPH = "graph"  # the array that holds the graph as JSON in UTF-8; ONNX tensors are called "tensor.<name>"
TENSOR = "tensor."
# Operators with kinks or jumps; all others that are understood have continuous derivatives.
KINKED = frozenset(
    {
        "Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Selu", "Elu", "Celu", "HardSigmoid", "HardSwish",
        "Clip", "Abs", "Max", "Min", "MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin", "ReduceL1",
        "LpPool", "Where", "Sign", "Floor", "Ceil", "Round", "Mod", "Greater", "Less", "Equal", "TopK",
        "Shrink",
    }
)  # fmt: skip


class KnownLayer(BaseModel):
    """A place of the network whose units can be looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    shape: list[int]  # of one image's code
    module: str


class OnnxNetwork(NetworkParameters):
    """A graph that was trained elsewhere, with its preprocessing."""

    name: Literal["onnx"] = "onnx"

    mean: list[float]
    """Subtracted from the pixels, per channel."""

    scale: list[float]
    """Then divided by, per channel."""

    channels_last: bool
    """Whether the graph reads n × h × w × c."""

    differentiable: bool
    """Whether all its operators have continuous derivatives."""

    known_layers: list[KnownLayer]
    """Found when it was added."""

    title = "Added from ONNX"
    source = "the file that was uploaded"

    @property
    def smooth(self) -> bool:
        return self.differentiable

    @property
    def short_name(self) -> str:
        return "onnx"

    def loaded(self, input_shape: Shape, classes: int, weights: Mapping[str, Any]) -> "nn.Module":  # noqa: ARG002
        """The module of the graph. Raises ValueError where it is not one that is understood."""
        return _module(weights, input_shape, self.mean, self.scale, channels_last=self.channels_last)


def described(
    weights: Mapping[str, Any],
    input_shape: Shape,
    *,
    mean: Sequence[float],
    scale: Sequence[float],
    channels_last: bool | None,
) -> OnnxNetwork:
    """What is kept of a graph beside its arrays. channels_last: None as the file says.

    Raises ValueError where the graph is not one that is understood.
    """
    from blindspots.science.onnx_layers import layers

    last = _structure(weights).get("layout") == "NHWC" if channels_last is None else channels_last
    module = _module(weights, input_shape, mean, scale, channels_last=last)
    known = [
        KnownLayer(name=name, shape=list(shape), module=path)
        for name, shape, path in layers(module, input_shape)
    ]
    return OnnxNetwork(
        mean=list(mean), scale=list(scale), channels_last=last,
        differentiable=smooth(_structure(weights)), known_layers=known,
    )  # fmt: skip


def smooth(structure: Mapping[str, Any]) -> bool:
    """Whether every operator of the graph has continuous derivatives."""
    return not {node[0] for node in structure["nodes"]} & KINKED


def _structure(weights: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(np.asarray(weights[GRAPH]).tobytes())
    return found


def _module(
    weights: Mapping[str, Any],
    input_shape: Shape,
    mean: Sequence[float],
    scale: Sequence[float],
    *,
    channels_last: bool,
) -> "OnnxClassifier":
    tensors = {name.removeprefix(TENSOR): array for name, array in weights.items() if name.startswith(TENSOR)}
    return onnx_files.build(
        _structure(weights), tensors, input_shape, mean=mean, scale=scale, channels_last=channels_last
    )
