"""A classifier from another framework answers here as it does there; a bad file is refused with a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from blindspots.errors import InvalidInput
from blindspots.zoo import onnx_files

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is the reference")
MOBILENET = Path(__file__).parents[2] / "shared" / "data" / "mobilenet" / "animal_or_object.onnx"
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
CASES: list[tuple[str, list[np.ndarray], dict[str, Any]]] = [
    ("Conv", [array(6, 4, 3, 3), array(6)], {"strides": [2, 1], "pads": [1, 0, 2, 1]}),
    ("Conv", [array(4, 1, 3, 2)], {"group": 4, "dilations": [2, 1], "auto_pad": "VALID"}),
    ("Conv", [array(2, 4, 4, 3)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("Conv", [array(2, 4, 4, 3)], {"auto_pad": "SAME_LOWER"}),
    ("BatchNormalization", [array(4), array(4), array(4), np.abs(array(4)) + 1], {"epsilon": 1e-3}),
    ("LayerNormalization", [array(8), array(8)], {"axis": -1}),
    ("MaxPool", [], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}),
    ("AveragePool", [], {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}),
    ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("GlobalAveragePool", [], {}), ("GlobalMaxPool", [], {}),
    ("LRN", [], {"size": 3, "alpha": 0.5, "beta": 0.7, "bias": 2.0}),
    ("Clip", [np.float32(-0.5), np.float32(0.5)], {}),
    ("MatMul", [array(8, 5)], {}), ("Add", [array(4, 1, 8)], {}), ("Sub", [array(8)], {}),
    ("Mul", [array(1, 4, 1, 1)], {}), ("Div", [array(8)], {}), ("Max", [array(8)], {}),
    ("Min", [array(8)], {}),
    *[(name, [], {}) for name in ("Relu", "Sigmoid", "Tanh", "Erf", "Exp", "Neg", "Abs", "Softplus",
                                  "HardSwish", "LeakyRelu", "Elu", "HardSigmoid", "Gelu", "Identity")],
    ("Gelu", [], {"approximate": "tanh"}), ("PRelu", [array(4, 1, 1)], {}),
    ("Reshape", [whole(0, -1, 4)], {}), ("Flatten", [], {"axis": 2}),
    ("Transpose", [], {"perm": [0, 2, 3, 1]}),
    ("Unsqueeze", [whole(-1, 1)], {}),
    ("Slice", [whole(1, -1), whole(99, -99), whole(2, 3), whole(2, -2)], {}),
    ("Gather", [whole(3, -1, 0)], {"axis": 1}), ("Pad", [whole(0, 1, 2, 0, 0, 0, 1, 3), np.float32(0.3)], {}),
    ("ReduceMean", [whole(2, 3)], {"keepdims": 0}), ("ReduceSum", [whole(-1)], {}),
    ("ReduceMax", [whole(1)], {}),
    ("ReduceMin", [whole(1)], {}), ("Concat", [array(3, 2, 9, 8)], {"axis": 1}),
    ("Expand", [whole(1, 4, 1, 8)], {}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{place}-{case[0]}" for place, case in enumerate(CASES)])
def test_an_operator_answers_as_onnxruntime_does(case: tuple[str, list[np.ndarray], dict[str, Any]]) -> None:
    operator, values, attributes = case
    tensors = {f"t{place}": np.asarray(value) for place, value in enumerate(values)}
    file = graph([helper.make_node(operator, ["x", *tensors], ["y"], **attributes)], tensors, IMAGE)
    images = array(*IMAGE)
    module = onnx_files.build(*onnx_files.read(file))
    np.testing.assert_allclose(
        module(torch.from_numpy(images)), reference(file, images), rtol=1e-4, atol=2e-5
    )


def test_the_photograph_classifier_answers_as_onnxruntime_does() -> None:
    if not MOBILENET.exists():
        pytest.skip("the photograph classifier is not on this machine")
    file = MOBILENET.read_bytes()
    images = np.random.default_rng(3).random((2, 3, 224, 224), dtype=np.float32)
    module = onnx_files.build(*onnx_files.read(file))
    pixels = torch.from_numpy(images).requires_grad_()
    logits = module(pixels)
    np.testing.assert_allclose(logits.detach(), reference(file, images), atol=1e-4)
    logits[:, 0].sum().backward()  # the two logits move in opposite directions, so their sum does not
    assert pixels.grad is not None
    assert pixels.grad.abs().max() > 0


def test_a_softmax_at_the_end_is_left_away_and_preprocessing_is_part_of_the_model() -> None:
    weight = array(12, 5)
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"]),
    ]
    file = graph(nodes, {"w": weight}, (1, 2, 2, 3))
    module = onnx_files.build(
        *onnx_files.read(file), mean=(0.5, 0.4, 0.3), scale=(0.2, 0.2, 0.1), channels_last=True
    )
    images = np.random.default_rng(0).random((4, 3, 2, 2), dtype=np.float32)
    seen = ((images.transpose(0, 2, 3, 1) - [0.5, 0.4, 0.3]) / [0.2, 0.2, 0.1]).reshape(4, -1)
    np.testing.assert_allclose(module(torch.from_numpy(images)), seen @ weight, rtol=1e-4, atol=1e-4)


def test_unknown_operators_are_named() -> None:
    nodes = [helper.make_node("Sin", ["x"], ["s"]), helper.make_node("Cos", ["s"], ["y"])]
    with pytest.raises(InvalidInput, match="Cos, Sin"):
        onnx_files.build(*onnx_files.read(graph(nodes, {}, IMAGE)))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"\x80\x04\x95pickle.", "damaged"),
        (graph([helper.make_node("Relu", ["x"], ["y"])], {}, IMAGE, opset=9), "opset"),
        (graph([helper.make_node("Add", ["x", "t"], ["y"])], {"t": np.float32([np.nan])}, IMAGE), "NaN"),
        (graph([helper.make_node("Add", ["x", "y"], ["y"])], {}, IMAGE), "nothing before it writes"),
        (graph([helper.make_node("Relu", ["x"], ["y"])] * 10_001, {}, IMAGE), "10001 nodes"),
    ],
    ids=["pickle", "old", "nan", "cycle", "huge"],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_reason(file: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as caught:
        onnx_files.build(*onnx_files.read(file))
    assert caught.value.field == "file"


def test_weights_outside_the_file_are_never_opened() -> None:
    tensor = numpy_helper.from_array(array(8), "t")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    made = helper.make_graph(
        [helper.make_node("Add", ["x", "t"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(IMAGE))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], initializer=[tensor],
    )  # fmt: skip
    file = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString()
    with pytest.raises(InvalidInput, match="outside the file"):
        onnx_files.read(file)
