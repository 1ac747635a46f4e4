"""A classifier from an ONNX graph read elsewhere: plain structure and tensors in, a torch module out.

Nothing here reads a file. `zoo.onnx_parser` does, in a process of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from blindspots.science.onnx_operators import OPERATORS

MOST_NODES = 10_000


@dataclass(frozen=True)
class Node:
    """One operator of the graph; "" stands for an input that is left out."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


def without_softmax(nodes: Sequence[Node], output: str) -> tuple[list[Node], str]:
    """The graph up to its logits: a Softmax or LogSoftmax, and an Identity, at the end are left away."""
    kept = list(nodes)
    while True:
        last = next((node for node in kept if output in node.outputs), None)
        if last is None or last.operator not in ("Softmax", "LogSoftmax", "Identity"):
            return kept, output
        kept.remove(last)
        output = last.inputs[0]


def unknown_operators(nodes: Sequence[Node]) -> list[str]:
    """Names of the operators outside the closed list, sorted."""
    return sorted({node.operator for node in nodes} - set(OPERATORS))


class OnnxClassifier(nn.Module):
    """Images (n, c, h, w) in [0, 1] to logits (n, classes).

    mean, scale: one number per channel; the graph sees (images - mean) / scale, as (n, h, w, c) where
    channels_last. tensors: the graph's stored numbers, by name. Raises ValueError for a graph with an unknown
    operator, too many nodes, or a node that reads what no earlier node wrote (so no cycle can be made).
    """

    def __init__(
        self, nodes: Sequence[Node], tensors: Mapping[str, Tensor], *, image: str, output: str,
        mean: Sequence[float], scale: Sequence[float], channels_last: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if unknown := unknown_operators(nodes):
            raise ValueError(f"The graph uses operators that are not understood: {', '.join(unknown)}.")
        if len(nodes) > MOST_NODES:
            raise ValueError(f"The graph has {len(nodes)} nodes; at most {MOST_NODES} are taken.")
        self.nodes, self.output = without_softmax(nodes, output)
        self.image, self.channels_last = image, channels_last
        self.places = {name: f"tensor_{place}" for place, name in enumerate(sorted(tensors))}
        for name, place in self.places.items():
            self.register_buffer(place, tensors[name].clone())
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).reshape(-1, 1, 1))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32).reshape(-1, 1, 1))
        _check_order(self.nodes, {image, *tensors}, self.output)

    def forward(self, images: Tensor) -> Tensor:
        pixels = (images - self.get_buffer("mean")) / self.get_buffer("scale")
        known = {name: self.get_buffer(place) for name, place in self.places.items()}
        known[self.image] = pixels.permute(0, 2, 3, 1) if self.channels_last else pixels
        for node in self.nodes:
            values = [known[name] if name else None for name in node.inputs]
            answer = OPERATORS[node.operator](values, node.attributes)
            answers = answer if isinstance(answer, tuple) else (answer,)
            known.update(zip(node.outputs, answers, strict=False))  # Dropout's mask is never read
        return known[self.output]


def _check_order(nodes: Sequence[Node], known: set[str], output: str) -> None:
    for node in nodes:
        if missing := [name for name in node.inputs if name and name not in known]:
            raise ValueError(f"{node.operator} reads {missing[0]!r}, which nothing before it writes.")
        known.update(node.outputs)
    if output not in known:
        raise ValueError(f"Nothing writes the output {output!r}.")
