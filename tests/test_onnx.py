"""Every operator answers here as it does in onnxruntime."""

from typing import Any

import numpy as np
import pytest
import torch
from onnx import helper

from onnx_graphs import IMAGE, array, classifier, graph, reference, rows, whole

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
    ("Reshape", [whole(0, -1, 4)], {}), ("Flatten", [], {"axis": 1}),
    ("Transpose", [], {"perm": [0, 2, 3, 1]}),
    ("Unsqueeze", [whole(-1, 1)], {}),
    ("Slice", [whole(1, -1), whole(99, -99), whole(2, 3), whole(2, -2)], {}),
    ("Gather", [whole(3, -1, 0)], {"axis": 1}), ("Pad", [whole(0, 1, 2, 0, 0, 0, 1, 3), np.float32(0.3)], {}),
    ("ReduceMean", [whole(2, 3)], {"keepdims": 0}), ("ReduceSum", [whole(-1)], {}),
    ("ReduceMax", [whole(1)], {}),
    ("ReduceMin", [whole(1)], {}),
    ("Expand", [whole(1, 4, 1, 8)], {}),
    ("ConvTranspose", [array(4, 3, 3, 2), array(3)], {"strides": [2, 1], "pads": [1, 0, 1, 0]}),
    ("ConvTranspose", [array(4, 2, 3, 3)], {"group": 2, "strides": [2, 2], "output_padding": [1, 1]}),
    ("InstanceNormalization", [array(4), array(4)], {}),
    ("GroupNormalization", [array(4), array(4)], {"num_groups": 2, "opset": 21}),
    ("LpNormalization", [], {"axis": 1}), ("LRN", [], {"size": 5, "alpha": 0.5}),
    ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", [], {"kernel_shape": [2, 2], "dilations": [2, 2]}),
    ("MaxPool", [], {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("Clip", [np.float32(0), np.float32(6)], {}), ("Clip", [np.float32(0.1)], {}),
    *[(name, [], {}) for name in ("Selu", "Celu", "Softsign", "Mish", "Sqrt", "Log", "Sin", "Cos", "Sign",
                                  "Floor",
                                  "Ceil", "Round", "Reciprocal")],
    ("Softmax", [], {"axis": 1}), ("LogSoftmax", [], {"axis": -1}), ("Softmax", [], {"axis": 1, "opset": 11}),
    ("Pow", [np.float32(2)], {}), ("Mean", [array(8)], {}), ("Sum", [array(8)], {}),
    ("Tile", [whole(1, 2, 1, 1)], {}),
    ("Gather", [np.array(2)], {"axis": 2}), ("Gather", [np.array([[0, 1], [2, 3]])], {"axis": 1}),
    ("Slice", [whole(1), whole(3), whole(1)], {}),
    ("Slice", [], {"starts": [1], "ends": [3], "axes": [2], "opset": 9}),
    ("Pad", [whole(0, 0, 1, 1, 0, 0, 1, 2)], {"mode": "reflect"}),
    ("Pad", [whole(0, 0, 1, 1, 0, 0, 1, 2)], {"mode": "edge"}),
    ("Pad", [whole(1, 2), np.float32(0), whole(-1)], {}),
    ("Resize", [np.zeros(0, np.float32), np.float32([1, 1, 2, 2])], {
        "mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ("Resize", [np.zeros(0, np.float32), np.float32([1, 1, 1.5, 2])], {"mode": "linear"}),
    ("Resize", [np.zeros(0, np.float32), np.zeros(0, np.float32), whole(3, 4, 5, 12)], {"mode": "linear"}),
    ("Resize", [np.zeros(0, np.float32), np.float32([1, 1, 2, 2])], {
        "mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    ("DepthToSpace", [], {"blocksize": 2}), ("DepthToSpace", [], {"blocksize": 2, "mode": "CRD"}),
    ("SpaceToDepth", [], {"blocksize": 1}), ("Einsum", [array(4, 5)], {"equation": "nchw,cd->ndhw"}),
    ("ReduceL2", [whole(2, 3)], {}), ("ReduceL1", [whole(1)], {"keepdims": 0}),
    ("ReduceSumSquare", [whole(1)], {}),
    ("ReduceLogSumExp", [whole(1, 2, 3)], {}), ("ReduceMean", [], {"axes": [2, 3], "opset": 13}),
    ("Dropout", [], {}),
    ("GlobalAveragePool", [], {"opset": 7}),
    ("BatchNormalization", [array(4), array(4), array(4), np.abs(array(4)) + 1], {"opset": 9}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{place}-{case[0]}" for place, case in enumerate(CASES)])
def test_an_operator_answers_as_onnxruntime_does(case: tuple[str, list[np.ndarray], dict[str, Any]]) -> None:
    operator, values, attributes = case
    tensors = {f"t{place}": np.asarray(value) for place, value in enumerate(values)}
    opset = attributes.pop("opset", 20)
    node = helper.make_node(operator, ["x", *tensors], ["seen"], **attributes)
    file = graph(rows([node]), tensors, IMAGE, opset=opset)
    attributes["opset"] = opset
    images = array(*IMAGE)
    module = classifier(file, IMAGE[1:])
    np.testing.assert_allclose(
        module(torch.from_numpy(images)), reference(file, images), rtol=1e-4, atol=2e-5
    )
