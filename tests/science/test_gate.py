"""What the gate promises: it lets a right network pass, and sees what is wrong with a wrong one."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from blindspots.science.gate import examine
from blindspots.science.networks import Convolutional, MultilayerPerceptron, Softmax
from blindspots.science.preprocessing import folded

SHAPE = (1, 8, 8)


def images(count: int = 6) -> Tensor:
    return torch.rand((count, *SHAPE), generator=torch.Generator().manual_seed(1))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2)


def small(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make().eval().requires_grad_(False)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "softmax": lambda: Softmax(SHAPE, 10),
    "sigmoids": lambda: MultilayerPerceptron(SHAPE, 10, widths=[20, 20]),
    "rectified": lambda: MultilayerPerceptron(SHAPE, 10, widths=[20], activation="relu"),
    "convolutional": lambda: Convolutional(SHAPE, 10, filters=4, kernel=3, pool=2, hidden=8, dropout=0.5),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_right_network_passes(name: str) -> None:
    found = examine(small(NETWORKS[name]), images(), generator=generator())
    assert found.finite
    assert found.double
    assert found.gradient_error < 1e-6
    assert found.batch_difference < 1e-5
    assert found.gradient_zero == 0
    assert not found.probabilities
    assert not found.constant


class Wrapped(nn.Module):
    """A right network, and something wrong done to its answers."""

    def __init__(self, wrong: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network, self.wrong = small(NETWORKS["sigmoids"]), wrong

    def forward(self, pixels: Tensor) -> Tensor:
        return self.wrong(self.network(pixels))


class Misleading(torch.autograd.Function):
    """Right forwards, backwards the gradient of something else."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, logits: Tensor) -> Tensor:  # noqa: ARG004
        return logits.clone()

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, gradient: Tensor) -> Tensor:  # noqa: ARG004
        return gradient.flip(1)


def test_a_wrong_gradient_is_seen() -> None:
    misled = Wrapped(Misleading.apply)
    assert examine(misled, images(), generator=generator()).gradient_error > 0.1


def test_a_network_without_gradient_is_seen() -> None:
    found = examine(Wrapped(lambda logits: (10 * logits).round()), images(), generator=generator())
    assert found.gradient_zero == 1


def test_probabilities_are_told_from_logits() -> None:
    assert examine(Wrapped(lambda logits: logits.softmax(1)), images(), generator=generator()).probabilities


def test_a_constant_answer_is_seen() -> None:
    assert examine(Wrapped(lambda logits: 0 * logits + 1), images(), generator=generator()).constant


def test_an_answer_that_depends_on_the_batch_is_seen() -> None:
    found = examine(Wrapped(lambda logits: logits - logits.mean(0)), images(), generator=generator())
    assert found.batch_difference > 0.1


def test_numbers_that_are_not_finite_are_seen() -> None:
    assert not examine(Wrapped(lambda logits: logits / 0), images(), generator=generator()).finite


def test_another_shape_of_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="one row of logits per image"):
        examine(Wrapped(lambda logits: logits.sum(1)), images(), generator=generator())


@pytest.mark.parametrize("name", NETWORKS)
def test_folded_preprocessing_gives_the_same_logits(name: str) -> None:
    """W ((x - m) / s) + b, computed before and inside the network."""
    first = {
        "softmax": "output",
        "sigmoids": "hidden.0",
        "rectified": "hidden.0",
        "convolutional": "convolution",
    }
    network = small(NETWORKS[name])
    mean, scale = [0.13], [0.31]
    expected = network((images() - mean[0]) / scale[0])
    weights = {key: value.numpy() for key, value in network.state_dict().items()}
    new = folded(weights, first[name], SHAPE, mean=mean, scale=scale)
    network.load_state_dict({key: torch.from_numpy(value) for key, value in new.items()})
    np.testing.assert_allclose(network(images()), expected, rtol=0, atol=2e-6)


def test_colour_channels_are_folded_each_with_its_own_numbers() -> None:
    random = np.random.default_rng(3)
    weights = {"output.weight": random.normal(size=(5, 3 * 4)), "output.bias": random.normal(size=5)}
    mean, scale = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]
    pixels = random.random((7, 3, 2, 2))
    read = (pixels - np.array(mean)[:, None, None]) / np.array(scale)[:, None, None]
    expected = read.reshape(7, -1) @ weights["output.weight"].T + weights["output.bias"]
    new = folded(weights, "output", (3, 2, 2), mean=mean, scale=scale)
    found = pixels.reshape(7, -1) @ new["output.weight"].T + new["output.bias"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_weights_of_another_shape_are_not_folded() -> None:
    with pytest.raises(ValueError, match="first layer"):
        folded(
            {"output.weight": np.ones((5, 11)), "output.bias": np.ones(5)}, "output", (3, 2, 2),
            mean=[0, 0, 0], scale=[1, 1, 1],
        )  # fmt: skip
