"""What a network's layers allow, and what it does to small changes: the bound is never crossed."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from blindspots.science.spectrum.local_gain import certified_radius, jacobian_norms, margins
from blindspots.science.spectrum.norm_interval import norm_interval
from blindspots.science.spectrum.reading import Reading, read
from blindspots.science.spectrum.singular_values import spectrum
from blindspots.zoo import architectures


def uppers(reading: Reading) -> list[float]:
    return [
        norm_interval(layer.symbol(), spectrum(layer.symbol())).upper for layer in reading.layers
    ]  # fmt: skip


class Residual(nn.Module):
    """A block with a skip, joined maps, normalisation folded and not, means, and a scaled input."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((3, 1, 1), 0.5))
        self.register_buffer("std", torch.tensor([0.25, 0.5, 0.2]).view(3, 1, 1))
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.normalisation = nn.BatchNorm2d(6)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.before = nn.BatchNorm2d(12)
        self.pool = nn.MaxPool2d(3, 2)
        self.mix = nn.Conv2d(12, 8, 1)
        self.last = nn.Linear(8, 5)

    def forward(self, images: Tensor) -> Tensor:
        maps = torch.relu(self.normalisation(self.first((images - self.mean) / self.std)))
        maps = maps + nn.functional.silu(self.depthwise(maps))
        maps = self.pool(self.before(torch.cat([maps, torch.sigmoid(maps)], 1)))
        return self.last(nn.functional.relu6(self.mix(maps)).mean((2, 3)))


def residual() -> nn.Module:
    torch.manual_seed(0)
    network = Residual().double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.uniform_(0.2, 3)
            module.weight.data.uniform_(-2, 2)
    return network.eval()


NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "softmax": ("softmax", {}),
    "mlp": ("mlp", {"widths": [9, 7]}),
    "relu": ("mlp", {"widths": [9], "activation": "relu"}),
    "autoencoder": ("autoencoder_softmax", {"codes": 12}),
    "conv": ("conv", {"filters": 3, "kernel": 3, "hidden": 10}),
}


def network(name: str) -> tuple[nn.Module, tuple[int, int, int]]:
    if name == "residual":
        return residual(), (3, 9, 9)
    torch.manual_seed(1)
    kind, parameters = NETWORKS[name]
    built = architectures.parse(kind, parameters).build((1, 8, 8), 10)
    return built.double().eval(), (1, 8, 8)


ALL = [*NETWORKS, "residual"]


@pytest.mark.parametrize("name", ALL)
def test_no_change_is_stretched_more_than_the_bound(name: str) -> None:
    module, shape = network(name)
    reading = read(module, shape)
    bound = reading.bounds(uppers(reading))[-1]
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(16, *shape, generator=generator, dtype=torch.float64)
    assert 0 < float(jacobian_norms(module, images).max()) <= bound * (1 + 1e-6)
    for size in (1e-3, 1.0, 30.0):
        change = size * torch.randn(images.shape, generator=generator, dtype=torch.float64)
        moved = (module(images + change) - module(images)).norm(dim=1) / change.flatten(1).norm(dim=1)
        assert float(moved.detach().max()) <= bound


@pytest.mark.parametrize("name", ALL)
def test_the_outputs_of_the_layers_are_bounded_one_by_one(name: str) -> None:
    module, shape = network(name)
    reading = read(module, shape)
    bounds = reading.at_layers(reading.bounds(uppers(reading)))
    images = torch.rand(8, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    change = 0.1 * torch.randn(images.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    before, after = reading.outputs(images), reading.outputs(images + change)
    for layer, bound, one, other in zip(reading.layers, bounds, before, after, strict=True):
        assert one.shape[1:] == torch.Size(layer.outputs)
        stretched = (other - one).flatten(1).norm(dim=1) / change.flatten(1).norm(dim=1)
        assert float(stretched.max()) <= bound


def test_the_layers_are_read_in_order_with_their_facts() -> None:
    module, shape = network("conv")
    reading = read(module, shape)
    assert [layer.name for layer in reading.layers] == ["convolution", "hidden", "output"]
    convolution = reading.layers[0]
    assert (convolution.kernel, convolution.stride, convolution.outputs) == ((3, 3), (1, 1), (3, 6, 6))
    norms = [2.0, 3.0, 5.0]
    assert reading.bounds(norms, factors=False)[-1] == 30
    assert reading.bounds(norms)[-1] == 30, "pools that do not overlap and ReLU do not stretch"


def test_a_sigmoid_network_is_held_by_a_quarter_each_time() -> None:
    module, shape = network("mlp")
    reading = read(module, shape)
    assert reading.bounds([1.0] * 3)[-1] == 1 / 16
    assert reading.bounds([1.0] * 3, factors=False)[-1] == 1


def test_batch_normalisation_is_folded_where_it_follows_a_layer() -> None:
    module, shape = network("residual")
    reading = read(module, shape)
    first = reading.layers[0]
    assert first.folded
    assert not reading.layers[1].folded
    assert isinstance(module, Residual)
    images = torch.rand(2, *shape, dtype=torch.float64)
    change = torch.randn(images.shape, dtype=torch.float64)
    one, other = reading.outputs(images)[0], reading.outputs(images + change)[0]
    scaled = (change / module.std).double()
    expected = nn.functional.conv2d(scaled, torch.from_numpy(first.weight), padding=1)
    assert torch.allclose(other - one, expected), "what is recorded of a layer is after the folded scale"
    operations = [passage.operation for passage in reading.passages]
    assert operations.count("batch normalisation") == 1


def test_what_is_not_known_is_named() -> None:
    class Strange(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.cumsum(torch.sin(images), 1) * images

    with pytest.raises(ValueError, match=r"mul of several inputs.*cumsum.*sin"):
        read(Strange(), (1, 4, 4))

    class Branching(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images if images.sum() > 0 else -images

    with pytest.raises(ValueError, match="cannot be followed"):
        read(Branching(), (1, 4, 4))


def test_power_iteration_agrees_with_the_jacobian_written_out() -> None:
    torch.manual_seed(5)
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 40), nn.Tanh(), nn.Linear(40, 80)).eval()
    images = torch.rand(6, 1, 4, 4)
    exact = torch.stack(
        [
            torch.linalg.matrix_norm(
                torch.autograd.functional.jacobian(lambda x: module(x)[0], image[None]).flatten(1), 2
            )
            for image in images
        ]
    )
    found = jacobian_norms(module, images, steps=100)
    assert torch.allclose(found.float(), exact, rtol=1e-3)
    assert bool((found <= exact * (1 + 1e-5)).all())
    rows = jacobian_norms(nn.Sequential(module, nn.Linear(80, 10)), images)
    assert rows.shape == (6,)


def test_the_certified_radius_is_safe_and_zero_for_wrong_answers() -> None:
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 1.0, 4.0]])
    labels = torch.tensor([0, 1])
    margin = margins(logits, labels)
    assert margin.tolist() == [2.0, -3.0]
    assert certified_radius(margin, 2.0).tolist() == pytest.approx([2 / (2 * math.sqrt(2)), 0.0])
    assert certified_radius(margin, 0.0).tolist() == [math.inf, 0.0]


def test_padding_with_zeros_is_free_and_with_mirrors_refused() -> None:
    class Padded(nn.Module):
        def __init__(self, mode: str) -> None:
            super().__init__()
            self.mode, self.layer = mode, nn.Conv2d(1, 2, 3)

        def forward(self, images: Tensor) -> Tensor:
            return self.layer(nn.functional.pad(images, [0, 1, 0, 1], self.mode)).flatten(1)

    reading = read(Padded("constant"), (1, 5, 5))
    assert reading.layers[0].inputs == (1, 6, 6)
    assert reading.bounds([3.0])[-1] == 3
    with pytest.raises(ValueError, match="padding of the kind 'reflect'"):
        read(Padded("reflect"), (1, 5, 5))
