"""The places of an ONNX classifier whose units can be looked at."""

from typing import Any

import torch
from torch import Tensor, nn

from blindspots.science.onnx_graph import COPIES, OnnxClassifier

# Layers whose answers are not worth a look of their own: they only move numbers.
MOVES = frozenset(
    {
        "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Gather", "Expand",
        "Tile",        "Pad", "Cast", "Concat", "DepthToSpace", "SpaceToDepth", "Where",
    }
)  # fmt: skip


def layers(
    module: OnnxClassifier, input_shape: tuple[int, int, int]
) -> list[tuple[str, tuple[int, ...], str]]:
    """Name, shape of one image's answer and path of every operator worth a look, from the pixels on."""
    found: list[tuple[str, tuple[int, ...], str]] = []
    hooks = []

    def watch(path: str) -> Any:
        def hook(_: nn.Module, __: tuple[Tensor, ...], answer: Any) -> None:
            if isinstance(answer, Tensor) and answer.ndim in (2, 4) and answer.is_floating_point():
                number, operator = path.split("_", maxsplit=1)
                found.append((f"{number} {operator}", tuple(answer.shape[1:]), f"operators.{path}"))

        return hook

    for path, operator in module.operators.items():
        if path.split("_", maxsplit=1)[1] not in MOVES | COPIES:
            hooks.append(operator.register_forward_hook(watch(path)))
    try:
        with torch.no_grad():
            module(torch.zeros(1, *input_shape))
    finally:
        for hook in hooks:
            hook.remove()
    return found
