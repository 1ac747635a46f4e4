"""The networks compute what the paper describes, and begin as they say."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from blindspots.science.networks import (
    Convolutional,
    Dropout,
    MultilayerPerceptron,
    Shape,
    Softmax,
    SparseAutoencoderSoftmax,
    initialise,
    layers,
    multiply_adds,
)
from blindspots.zoo import architectures

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 10, 12)]
NETWORKS: list[dict[str, Any]] = [
    {"name": "softmax"},
    {"name": "mlp", "widths": [7]},
    {"name": "mlp", "widths": [12, 5, 9], "activation": "relu"},
    {"name": "mlp", "widths": [6], "activation": "tanh"},
    {"name": "autoencoder_softmax", "codes": 11},
    {"name": "conv", "filters": 4, "kernel": 5, "pool": 2, "hidden": 6},
    {"name": "conv", "filters": 3, "kernel": 2, "pool": 3, "hidden": 5, "dropout": 0.0},
]


def built(parameters: dict[str, Any], shape: Shape) -> nn.Module:
    fields = {name: value for name, value in parameters.items() if name != "name"}
    module = architectures.parse(parameters["name"], fields).build(shape, 10)
    initialise(module, torch.Generator().manual_seed(3))
    return module


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parameters", NETWORKS, ids=str)
def test_every_network_gives_one_logit_per_class(parameters: dict[str, Any], shape: Shape) -> None:
    images = torch.rand(5, *shape, generator=torch.Generator().manual_seed(0))
    logits = built(parameters, shape).eval()(images)
    assert logits.shape == (5, 10)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@pytest.mark.parametrize("parameters", NETWORKS, ids=str)
def test_the_same_seed_begins_with_the_same_weights(parameters: dict[str, Any]) -> None:
    first, second = (built(parameters, (1, 28, 28)) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("parameters", NETWORKS, ids=str)
def test_weights_begin_normal_with_variance_one_over_fan_in(parameters: dict[str, Any]) -> None:
    for layer in layers(built(parameters, (1, 28, 28))):
        assert not layer.bias.any()
        scaled = layer.weight.detach().flatten() * math.sqrt(layer.weight[0].numel())
        assert abs(float(scaled.mean())) < 5 / math.sqrt(len(scaled))
        assert abs(float(scaled.square().mean()) - 1) < 5 * math.sqrt(2 / len(scaled))


def test_networks_agree_with_numpy() -> None:
    images = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    flat = images.flatten(1).double().numpy()

    def affine(x: np.ndarray, layer: nn.Module) -> np.ndarray:
        assert isinstance(layer, nn.Linear)
        return np.asarray(x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy())

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-x)))

    softmax = Softmax((1, 8, 8), 10)
    np.testing.assert_allclose(softmax(images).detach(), affine(flat, softmax.output), atol=1e-5)
    deep = MultilayerPerceptron((1, 8, 8), 10, widths=[6, 5])
    codes = flat
    for layer in deep.hidden:
        codes = sigmoid(affine(codes, layer))
    np.testing.assert_allclose(deep(images).detach(), affine(codes, deep.output), atol=1e-5)
    sparse = SparseAutoencoderSoftmax((1, 8, 8), 10, codes=7)
    codes = sigmoid(affine(flat, sparse.encoder))
    np.testing.assert_allclose(sparse(images).detach(), affine(codes, sparse.output), atol=1e-5)
    np.testing.assert_allclose(
        sparse.decode(sparse.encode(images)).detach(), sigmoid(affine(codes, sparse.decoder)), atol=1e-5
    )


def test_a_convolution_is_rectified_then_pooled() -> None:
    network = Convolutional((1, 8, 8), 10, filters=4, kernel=3, pool=2, hidden=6, dropout=0.5).eval()
    images = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    maps = nn.functional.max_pool2d(torch.relu(network.convolution(images)), 2)
    expected = network.output(torch.relu(network.hidden(maps.flatten(1))))
    torch.testing.assert_close(network(images), expected)


def test_a_convolution_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one position"):
        Convolutional((1, 8, 8), 10, filters=4, kernel=8, pool=2, hidden=6, dropout=0.5)


def test_dropout_silences_its_share_and_keeps_the_mean() -> None:
    layer = Dropout(0.25)
    layer.generator = torch.Generator().manual_seed(0)
    ones = torch.ones(200, 200)
    dropped = layer.train()(ones)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
    assert torch.equal(layer.eval()(ones), ones)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"name": "softmax"}, 784 * 10),
        ({"name": "mlp", "widths": [100, 100]}, 784 * 100 + 100 * 100 + 100 * 10),
        ({"name": "autoencoder_softmax", "codes": 400}, 784 * 400 + 400 * 10),
        (
            {"name": "conv", "filters": 32, "kernel": 5, "pool": 2, "hidden": 128},
            24 * 24 * 32 * 25 + 12 * 12 * 32 * 128 + 128 * 10,
        ),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_multiply_adds_are_those_of_the_layers(parameters: dict[str, Any], expected: int) -> None:
    module = built(parameters, (1, 28, 28))
    assert multiply_adds(module, (1, 28, 28)) == expected
    assert module.training, "counting leaves the network as it was"
