"""A network whose code looks at shapes is read by the operators that torch runs, with the same answer."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from blindspots.science.networks import initialise
from blindspots.science.spectrum.norm_interval import norm_interval
from blindspots.science.spectrum.reading import Reading, _Reader, read
from blindspots.science.spectrum.singular_values import spectrum
from blindspots.science.spectrum.tracing import Untraceable, by_operators
from blindspots.zoo import architectures


class Block(nn.Module):
    """Every kind of layer with a skip, a join and normalisations."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.normalisation = nn.BatchNorm2d(6)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=6)
        self.before = nn.BatchNorm2d(12)
        self.up = nn.ConvTranspose2d(12, 8, 4, stride=2, padding=1, groups=2)
        self.last = nn.Linear(8, 5)

    def forward(self, images: Tensor) -> Tensor:
        maps = torch.relu(self.normalisation(self.first(images)))
        maps = maps + functional.silu(self.depthwise(maps))
        maps = self.before(
            torch.cat([functional.max_pool2d(maps, 3, 2), functional.avg_pool2d(maps, 3, 2)], 1)
        )
        return self.last(functional.hardswish(self.up(maps)).mean((2, 3)))


class Functional(nn.Module):
    """As a graph from a file: buffers, no modules, and padding that depends on the size of the image."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.register_buffer("kernel", torch.randn(4, 2, 3, 3, generator=generator))
        self.register_buffer("matrix", torch.randn(4, 3, generator=generator))
        self.register_buffer("low", torch.tensor(0.0))

    def forward(self, images: Tensor) -> Tensor:
        more = [side % 2 for side in images.shape[2:] for _ in range(2)]
        padded = functional.pad(images, [1 + each for each in more])
        maps = torch.clamp(functional.conv2d(padded, self.get_buffer("kernel"), stride=2), self.low, None)
        return torch.amax(maps, (2, 3)) @ self.get_buffer("matrix")


def block() -> nn.Module:
    module = Block()
    initialise(module, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(2)
    for each in (module.normalisation, module.before):
        each.running_var.uniform_(0.2, 3, generator=generator)
        each.weight.data.uniform_(-2, 2, generator=generator)
    module.up.weight.data.normal_(generator=generator)
    return module.eval()


def zoo(name: str, shape: tuple[int, int, int], **fields: object) -> nn.Module:
    module = architectures.parse(name, fields).build(shape, 4)
    initialise(module, torch.Generator().manual_seed(1))
    return module.eval()


NETWORKS: dict[str, tuple[nn.Module, tuple[int, int, int]]] = {
    "block": (block(), (3, 11, 11)),
    "mlp": (zoo("mlp", (1, 8, 8), widths=[9, 7]), (1, 8, 8)),
    "conv": (zoo("conv", (1, 8, 8), filters=3, kernel=3, hidden=10), (1, 8, 8)),
    "alexnet": (
        zoo("alexnet", (3, 67, 67), variant="torchvision", width_share=0.03),
        (3, 67, 67),
    ),
}


def norms(reading: Reading) -> list[float]:
    return [norm_interval(layer.symbol(), spectrum(layer.symbol())).upper for layer in reading.layers]


@pytest.mark.parametrize("name", NETWORKS)
def test_operators_give_the_bounds_that_modules_give(name: str) -> None:
    module, shape = NETWORKS[name]
    modules = read(module, shape)
    with torch.no_grad():
        operators = _Reader(by_operators(module, torch.zeros(1, *shape))).read()
    for one, other in zip(modules.layers, operators.layers, strict=True):
        assert np.allclose(one.weight, other.weight, rtol=1e-6)
        for fact in (
            "kind",
            "inputs",
            "outputs",
            "kernel",
            "stride",
            "padding",
            "dilation",
            "groups",
            "folded",
        ):
            assert getattr(one, fact) == getattr(other, fact), fact
    found = norms(modules)
    assert operators.bounds(found)[-1] == pytest.approx(modules.bounds(found)[-1], rel=1e-9)
    images = torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))
    moved = [
        [
            after - before
            for before, after in zip(reading.outputs(images), reading.outputs(images + 0.1), strict=True)
        ]
        for reading in (modules, operators)
    ]
    for one, other in zip(*moved, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_code_that_looks_at_shapes_is_followed() -> None:
    module, shape = Functional(), (2, 7, 8)
    reading = read(module, shape)
    assert [layer.kind for layer in reading.layers] == ["convolution", "dense"]
    assert reading.layers[0].stride == (2, 2)
    assert reading.layers[1].outputs == (3,)
    bound = reading.bounds(norms(reading))[-1]
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(32, *shape, generator=generator)
    for size in (1e-2, 1.0):
        change = size * torch.randn(images.shape, generator=generator)
        moved = (module(images + change) - module(images)).norm(dim=1) / change.flatten(1).norm(dim=1)
        assert 0 < float(moved.max()) <= bound


def test_code_that_looks_at_pixels_is_refused_with_the_reason() -> None:
    class Branching(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images if images.sum() > 0 else -images

    with pytest.raises(Untraceable, match="cannot be followed"):
        read(Branching(), (1, 4, 4))


def test_what_is_not_known_of_a_graph_is_named() -> None:
    class Strange(Functional):
        def forward(self, images: Tensor) -> Tensor:
            return torch.cumsum(super().forward(images), 1)

    with pytest.raises(ValueError, match="no bound is known of the operation cumsum"):
        read(Strange(), (2, 8, 8))
