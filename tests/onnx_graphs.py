"""ONNX files made here, their answers by onnxruntime, and ours."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors import numpy as safetensors
from torch import nn

from blindspots.zoo import onnx_files

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is the reference")
GENERATOR = np.random.default_rng(7)


def array(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def graph(nodes: list[Any], tensors: dict[str, np.ndarray], shape: tuple[int, ...], **options: Any) -> bytes:
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape[1:]])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    kept = [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    opset = helper.make_opsetid("", options.get("opset", 20))
    made = helper.make_graph(nodes, "g", [image], [output], initializer=kept)
    return helper.make_model(made, opset_imports=[opset], ir_version=9).SerializeToString()


def reference(file: bytes, images: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


IMAGE = (3, 4, 9, 8)


def classifier(file: bytes, shape: tuple[int, ...], **options: Any) -> nn.Module:
    """The module of a file that was read."""
    structure, arrays = onnx_files.read(file)
    mean, scale = options.pop("mean", [0.0] * shape[0]), options.pop("scale", [1.0] * shape[0])
    return onnx_files.build(
        structure,
        safetensors.load(arrays),
        shape,
        mean=mean,
        scale=scale,
        **options,  # type: ignore[arg-type]
    )


def rows(nodes: list[Any], output: str = "seen") -> list[Any]:
    """Nodes, and one that makes a row of numbers per image of what they found."""
    return [*nodes, helper.make_node("Flatten", [output], ["y"])]
