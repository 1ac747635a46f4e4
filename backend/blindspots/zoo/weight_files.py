"""Files of weights that a user brings: what they are, and whether they can be read safely."""

from typing import Literal

from safetensors import numpy as safetensors

from blindspots.errors import InvalidInput


def recognise(data: bytes) -> Literal["onnx", "safetensors"]:
    """By the first bytes."""
    return "safetensors" if data[8:9] == b"{" else "onnx"


def read(data: bytes) -> None:
    """Raises InvalidInput."""
    try:
        safetensors.load(data)
    except Exception as error:
        raise InvalidInput("The file cannot be read as safetensors.", field="file") from error
