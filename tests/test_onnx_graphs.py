"""A classifier from another framework answers here as it does there; a bad file is refused with a reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from blindspots.errors import InvalidInput
from blindspots.zoo import onnx_files
from onnx_graphs import IMAGE, array, classifier, graph, reference, rows, whole

MOBILENET = Path(__file__).parents[2] / "shared" / "data" / "mobilenet" / "animal_or_object.onnx"


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


HUGE = 1 << 20
BOMBS: dict[str, tuple[list[str], dict[str, np.ndarray]]] = {
    "ConstantOfShape": (["huge"], {"huge": whole(1, HUGE, HUGE)}),
    "Expand": (["one", "huge"], {"one": array(1, 1), "huge": whole(1, HUGE**2)}),
    "Tile": (["one", "huge"], {"one": array(1), "huge": whole(HUGE**2)}),
    "Range": (
        ["zero", "end", "step"],
        {"zero": np.float32(0), "end": np.float32(1e12), "step": np.float32(1)},
    ),
    "Tile of images": (["x", "huge"], {"huge": whole(1, 1, HUGE, HUGE)}),
    "Pad of images": (["x", "huge"], {"huge": whole(0, 0, 0, 0, 0, 0, HUGE, HUGE)}),
    "Resize of images": (["x", "", "", "huge"], {"huge": whole(1, 4, HUGE, HUGE)}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_few_bytes_do_not_fill_the_memory(name: str) -> None:
    """A graph that makes terabytes out of a few numbers is refused before it does."""
    inputs, tensors = BOMBS[name]
    options = {"mode": "linear"} if name.startswith("Resize") else {}
    nodes = [
        helper.make_node(name.split(maxsplit=1)[0], inputs, ["b"], **options),
        helper.make_node("ReduceSum", ["b"], ["s"]),
        helper.make_node("Add", ["x", "s"], ["seen"]),
    ]
    with pytest.raises(ValueError, match="would make more than"):
        classifier(graph(rows(nodes), tensors, IMAGE), IMAGE[1:])
