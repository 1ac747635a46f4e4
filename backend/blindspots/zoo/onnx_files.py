"""ONNX files that a user brings: read once, in a limited process, into a structure and plain arrays."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blindspots.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from blindspots.science.onnx_graph import OnnxClassifier

MOST_BYTES = 1 << 30
PARSER_SECONDS = 120
PARSER = Path(__file__).with_name("onnx_parser.py")


def read(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The graph's structure, and its weights as safetensors.

    Raises TooLarge or InvalidInput (field "file")."""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"The file has {len(data)} bytes; at most {MOST_BYTES} are taken.", field="file")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PARSER)], input=data, capture_output=True, check=False,
            timeout=PARSER_SECONDS, env={"OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InvalidInput("The file takes too long to read.", field="file") from error
    if done.returncode == 3:
        raise InvalidInput(done.stderr.decode(errors="replace"), field="file")
    if done.returncode != 0:
        raise InvalidInput("The file cannot be read as ONNX within the limits.", field="file")
    header = int.from_bytes(done.stdout[:8], "little")
    return json.loads(json.loads(done.stdout[8 : 8 + header])["__metadata__"]["graph"]), done.stdout


def build(
    structure: dict[str, Any], weights: bytes, *, mean: Sequence[float] = (0.0,),
    scale: Sequence[float] = (1.0,), channels_last: bool = False,
) -> "OnnxClassifier":  # fmt: skip
    """The module, in evaluation mode. mean, scale: per channel.

    Raises InvalidInput for an unknown operator."""
    from safetensors.torch import load

    from blindspots.science.onnx_graph import Node, OnnxClassifier

    nodes = [Node(kind, tuple(into), tuple(out), given) for kind, into, out, given in structure["nodes"]]
    try:
        module = OnnxClassifier(
            nodes, load(weights), image=structure["image"], output=structure["output"],
            mean=mean, scale=scale, channels_last=channels_last,
        )  # fmt: skip
    except ValueError as error:
        raise InvalidInput(str(error), field="file") from error
    return module.eval()
