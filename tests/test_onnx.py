"""A classifier from another framework answers here as it does there; a bad file is refused with a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors import numpy as safetensors
from torch import nn

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


def test_the_photograph_classifier_answers_as_onnxruntime_does() -> None:
    if not MOBILENET.exists():
        pytest.skip("the photograph classifier is not on this machine")
    file = MOBILENET.read_bytes()
    images = np.random.default_rng(3).random((2, 3, 224, 224), dtype=np.float32)
    module = classifier(file, (3, 224, 224))
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
    module = classifier(file, (3, 2, 2), mean=(0.5, 0.4, 0.3), scale=(0.2, 0.2, 0.1), channels_last=True)
    images = np.random.default_rng(0).random((4, 3, 2, 2), dtype=np.float32)
    seen = ((images.transpose(0, 2, 3, 1) - [0.5, 0.4, 0.3]) / [0.2, 0.2, 0.1]).reshape(4, -1)
    np.testing.assert_allclose(module(torch.from_numpy(images)), seen @ weight, rtol=1e-4, atol=1e-4)


def test_unknown_operators_are_named() -> None:
    nodes = [helper.make_node("Det", ["x"], ["s"]), helper.make_node("Bernoulli", ["s"], ["y"])]
    with pytest.raises(InvalidInput, match="Bernoulli, Det"):
        onnx_files.read(graph(nodes, {}, IMAGE))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"\x80\x04\x95pickle.", "damaged"),
        (graph([helper.make_node("Relu", ["x"], ["y"])], {}, IMAGE, opset=6), "opset"),
        (graph([helper.make_node("Add", ["x", "t"], ["y"])], {"t": np.float32([np.nan])}, IMAGE), "NaN"),
        (graph([helper.make_node("Add", ["x", "y"], ["y"])], {}, IMAGE), "nothing before it writes"),
        (graph([helper.make_node("Relu", ["x"], ["y"])] * 10_001, {}, IMAGE), "10001 nodes"),
    ],
    ids=["pickle", "old", "nan", "cycle", "huge"],
)  # fmt: skip
def test_a_bad_file_is_refused_with_its_reason(file: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as caught:
        onnx_files.read(file)
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


def test_a_residual_network_of_grouped_and_depthwise_convolutions() -> None:
    tensors = {
        "w1": array(8, 3, 3, 3), "b1": array(8), "w2": array(8, 1, 3, 3), "w3": array(8, 4, 1, 1),
        "w4": array(8, 5),
        "b4": array(5), "s": array(8), "o": array(8), "m": array(8), "v": np.abs(array(8)) + 0.5,
    }  # fmt: skip
    same = {"pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], strides=[2, 2], **same),
        helper.make_node("BatchNormalization", ["c1", "s", "o", "m", "v"], ["n1"]),
        helper.make_node("Relu", ["n1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], group=8, **same),
        helper.make_node("Conv", ["c2", "w3"], ["c3"], group=2),
        helper.make_node("Add", ["c3", "r1"], ["a"]),
        helper.make_node("Concat", ["a", "r1"], ["cat"], axis=1),
        helper.make_node("Split", ["cat"], ["first", "second"], axis=1, num_outputs=2),
        helper.make_node("Mul", ["first", "second"], ["product"]),
        helper.make_node("GlobalAveragePool", ["product"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w4", "b4"], ["y"], alpha=0.5, beta=2.0),
    ]
    file = graph(nodes, tensors, (2, 3, 12, 10))
    module, images = classifier(file, (3, 12, 10)), array(4, 3, 12, 10)
    np.testing.assert_allclose(
        module(torch.from_numpy(images)), reference(file, images), rtol=1e-4, atol=1e-4
    )


def attention(tokens: int, width: int) -> tuple[list[Any], dict[str, np.ndarray]]:
    """What a vision transformer does, as exporters write it: the graph computes shapes from the batch."""
    tensors = {
        "patch": array(width, 3, 4, 4), "token": array(1, 1, width), "place": array(1, tokens + 1, width) / 4,
        "scale": array(width), "offset": array(width), "q": array(width, width) / 3,
        "k": array(width, width) / 3,
        "v": array(width, width) / 3, "head": array(width, 5), "zero": whole(0), "first": np.array(0),
        "minus": whole(-1), "width": whole(width), "temperature": np.float32(width**0.5),
        "rest": whole(1, width),
    }  # fmt: skip
    make = helper.make_node
    nodes = [
        make("Conv", ["x", "patch"], ["patches"], strides=[4, 4]),
        make("Shape", ["patches"], ["shape"]), make("Gather", ["shape", "zero"], ["batch"], axis=0),
        make("Concat", ["batch", "width", "minus"], ["sizes"], axis=0),
        make("Reshape", ["patches", "sizes"], ["flat"]),
        make("Transpose", ["flat"], ["tokens"], perm=[0, 2, 1]),
        make("Concat", ["batch", "rest"], ["token_sizes"], axis=0),
        make("Expand", ["token", "token_sizes"], ["copies"]),
        make("Concat", ["copies", "tokens"], ["all"], axis=1), make("Add", ["all", "place"], ["placed"]),
        make("LayerNormalization", ["placed", "scale", "offset"], ["norm"]),
        *[make("MatMul", ["norm", name], [f"{name}s"]) for name in "qkv"],
        make("Transpose", ["ks"], ["kt"], perm=[0, 2, 1]), make("MatMul", ["qs", "kt"], ["products"]),
        make("Div", ["products", "temperature"], ["cooled"]),
        make("Softmax", ["cooled"], ["weights"], axis=-1),
        make("MatMul", ["weights", "vs"], ["mixed"]), make("Add", ["mixed", "placed"], ["sum"]),
        make("Cast", ["sum"], ["double"], to=11), make("Cast", ["double"], ["single"], to=1),
        make("Gather", ["single", "first"], ["cls"], axis=1), make("Gelu", ["cls"], ["bent"]),
        make("MatMul", ["bent", "head"], ["y"]),
    ]  # fmt: skip
    return nodes, tensors


def test_a_transformer_whose_graph_computes_its_shapes_takes_any_number_of_images() -> None:
    nodes, tensors = attention(6, 8)
    file = graph(nodes, tensors, (1, 3, 8, 12))
    module = classifier(file, (3, 8, 12))
    for count in (1, 2, 5):
        images = array(count, 3, 8, 12)
        np.testing.assert_allclose(
            module(torch.from_numpy(images)), reference(file, images), rtol=1e-4, atol=1e-4
        )


def test_a_file_that_was_written_for_one_image_takes_many() -> None:
    nodes = [
        helper.make_node("Reshape", ["x", "sizes"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]  # fmt: skip
    file = graph(nodes, {"sizes": whole(1, 24), "w": array(24, 5)}, (1, 2, 3, 4))
    images = array(4, 2, 3, 4)
    one_by_one = np.concatenate([reference(file, images[row : row + 1]) for row in range(4)])
    found = classifier(file, (2, 3, 4))(torch.from_numpy(images))
    np.testing.assert_allclose(found, one_by_one, rtol=1e-4, atol=1e-5)


MIXING = [
    ([helper.make_node("ReduceMean", ["x"], ["y"], keepdims=0, axes=[0, 2])], 13),
    (rows([helper.make_node("Transpose", ["x"], ["seen"], perm=[1, 0, 2, 3])]), 20),
]


@pytest.mark.parametrize(("nodes", "opset"), MIXING)
def test_a_graph_that_mixes_the_images_of_a_batch_is_refused(nodes: list[Any], opset: int) -> None:
    with pytest.raises(ValueError, match="images of a batch"):
        classifier(graph(nodes, {}, IMAGE, opset=opset), IMAGE[1:])


def test_every_layer_is_found_where_an_analysis_looks_for_it() -> None:
    """Units asks by the module's path; spectra follow the operations from the pixels to the logits."""
    from blindspots.science.activations import activations
    from blindspots.science.onnx_layers import layers
    from blindspots.science.spectrum.reading import read

    tensors = {"w": array(4, 3, 3, 3), "v": array(4, 5), "c": array(5)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "v", "c"], ["y"]),
    ]
    module = classifier(graph(nodes, tensors, (1, 3, 8, 8)), (3, 8, 8))
    found = layers(module, (3, 8, 8))
    assert [name for name, _, _ in found] == [
        "1 Conv",
        "2 Relu",
        "3 MaxPool",
        "4 GlobalAveragePool",
        "6 Gemm",
    ]
    for _, shape, path in found:
        assert tuple(activations(module, torch.rand(2, 3, 8, 8), path).shape) == (2, *shape)
    reading = read(module, (3, 8, 8))
    assert [layer.kind for layer in reading.layers] == ["convolution", "dense"]


def test_gradients_agree_with_finite_differences() -> None:
    from blindspots.science.gate import examine

    nodes, tensors = attention(6, 8)
    module = classifier(graph(nodes, tensors, (1, 3, 8, 12)), (3, 8, 12))
    images = torch.rand((6, 3, 8, 12), generator=torch.Generator().manual_seed(0))
    found = examine(module, images, generator=torch.Generator().manual_seed(1))
    assert found.double
    assert found.gradient_error < 1e-5
    assert found.batch_difference < 1e-4
