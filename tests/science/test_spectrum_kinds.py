"""Every kind of layer that torch has, against torch's own answers written out as a matrix."""

import math
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from blindspots.science.spectrum import layers
from blindspots.science.spectrum.norm_interval import norm_interval
from blindspots.science.spectrum.reading import read
from blindspots.science.spectrum.singular_values import spectrum

Pair = tuple[int, int]


@torch.no_grad()
def operator(module: nn.Module, shape: tuple[int, ...]) -> np.ndarray:
    """What a layer does beside its bias, as a matrix: column by column, by torch."""
    unit = torch.eye(math.prod(shape), dtype=torch.float64).view(-1, *shape)
    return (module(unit) - module(torch.zeros_like(unit))).flatten(1).T.numpy()


def with_weights(module: nn.Module, seed: int) -> nn.Module:
    module = module.double().eval()
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data.normal_(generator=generator)
    return module


def read_layer(module: Any, shape: tuple[int, ...]) -> layers.Layer:
    outputs = tuple(module(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:])
    return layers.weighted(module, name="layer", inputs=shape, outputs=outputs)


def _pair(draw: st.DrawFn, low: int, high: int) -> Pair:
    return draw(st.integers(low, high)), draw(st.integers(low, high))


@st.composite
def any_convolution(draw: st.DrawFn, *, whole: bool) -> dict[str, Any]:
    """Kernel odd and even, stride, dilation, groups, depthwise; `whole` keeps periodic maps whole."""
    kernel, stride, dilation = _pair(draw, 1, 4), _pair(draw, 1, 3), _pair(draw, 1, 3)
    if whole:  # the padding is symmetric only where the dilated kernel is odd
        kernel = tuple(k if d * (k - 1) % 2 == 0 else k - 1 for k, d in zip(kernel, dilation, strict=True))  # type: ignore[assignment]
    groups, inputs, outputs = (draw(st.integers(1, 3)) for _ in range(3))
    return {
        "in_channels": groups * inputs, "out_channels": groups * outputs, "groups": groups,
        "kernel_size": kernel, "stride": stride, "dilation": dilation,
    }  # fmt: skip


@given(
    any_convolution(whole=True), st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(0, 2**32 - 1)
)
@settings(max_examples=60, deadline=None)
def test_circular_convolutions_have_exactly_torchs_singular_values(
    options: dict[str, Any], grid: Pair, seed: int
) -> None:
    reach = [d * (k - 1) for k, d in zip(options["kernel_size"], options["dilation"], strict=True)]
    size = [s * g for s, g in zip(options["stride"], grid, strict=True)]
    # Torch pads a map at most once around; larger maps of the same stride are as good.
    grid = tuple(g * math.ceil((r // 2 or 1) / n) for g, r, n in zip(grid, reach, size, strict=True))  # type: ignore[assignment]
    size = [s * g for s, g in zip(options["stride"], grid, strict=True)]
    module = with_weights(
        nn.Conv2d(**options, padding=tuple(r // 2 for r in reach), padding_mode="circular"), seed
    )
    shape = (options["in_channels"], *size)
    expected = np.sort(np.linalg.svd(operator(module, shape), compute_uv=False))
    found = spectrum(read_layer(module, shape).symbol(), grid).all_values()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-8


@given(
    any_convolution(whole=False), st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(0, 2**32 - 1)
)
@settings(max_examples=60, deadline=None)
def test_transposed_convolutions_of_periodic_maps(options: dict[str, Any], grid: Pair, seed: int) -> None:
    """Torch's answer on unbounded maps is wrapped around: position p of it belongs to p modulo the map."""
    module = with_weights(nn.ConvTranspose2d(**options), seed)
    shape = (options["in_channels"], *grid)
    wide = operator(module, shape)
    outputs = module(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:]
    size = [s * g for s, g in zip(options["stride"], grid, strict=True)]
    wrapped = np.zeros((outputs[0], *size, wide.shape[1]))
    for row, column in np.ndindex(*outputs[1:]):
        wrapped[:, row % size[0], column % size[1]] += wide.reshape(*outputs, -1)[:, row, column]
    expected = np.sort(np.linalg.svd(wrapped.reshape(-1, wide.shape[1]), compute_uv=False))
    found = spectrum(read_layer(module, shape).symbol(), grid).all_values()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-8


@given(
    any_convolution(whole=False), st.booleans(), st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_zero_padding_never_passes_the_bound(
    options: dict[str, Any], transposed: bool, padding: Pair, seed: int
) -> None:
    reach = [d * (k - 1) for k, d in zip(options["kernel_size"], options["dilation"], strict=True)]
    kind: type[nn.Module] = nn.ConvTranspose2d if transposed else nn.Conv2d
    side = [max(1, r + 2 - 2 * p) for r, p in zip(reach, padding, strict=True)]
    if transposed:
        padding = tuple(min(p, r // 2) for p, r in zip(padding, reach, strict=True))  # type: ignore[assignment]
        side = [3, 3]
    module = with_weights(kind(**options, padding=padding), seed)
    shape = (options["in_channels"], *side)
    layer = read_layer(module, shape)
    norm = float(np.linalg.norm(operator(module, shape), 2))
    found = norm_interval(layer.symbol(), spectrum(layer.symbol()))
    assert norm <= found.upper * (1 + 1e-12)
    own = layers.padded_norm(layer)
    assert own <= norm * (1 + 1e-5), "what is shown of the layer at its own size is from below"


@given(any_convolution(whole=True), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_batch_normalisation_is_part_of_the_layer_before_it(
    options: dict[str, Any], transposed: bool, seed: int
) -> None:
    """The folded layer alone has the singular values of both together."""
    kind: type[nn.Module] = nn.ConvTranspose2d if transposed else nn.Conv2d
    normalisation = nn.BatchNorm2d(options["out_channels"])
    module = with_weights(nn.Sequential(kind(**options), normalisation), seed)
    normalisation.running_var.uniform_(0.1, 4, generator=torch.Generator().manual_seed(seed))
    reach = [d * (k - 1) for k, d in zip(options["kernel_size"], options["dilation"], strict=True)]
    shape = (options["in_channels"], *(r + 2 for r in reach))
    reading = read(module, shape)
    (layer,) = reading.layers
    assert layer.folded
    alone = kind(**options, bias=False).double()
    alone.weight.data = torch.from_numpy(layer.weight)
    assert np.abs(operator(alone, shape) - operator(module, shape)).max() < 1e-9
    found = norm_interval(layer.symbol(), spectrum(layer.symbol()))
    assert np.linalg.norm(operator(module, shape), 2) <= found.upper * (1 + 1e-12)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_dense_layers_with_and_without_normalisation(inputs: int, outputs: int, seed: int) -> None:
    normalisation = nn.BatchNorm1d(outputs)
    module = with_weights(nn.Sequential(nn.Flatten(), nn.Linear(inputs, outputs), normalisation), seed)
    normalisation.running_var.uniform_(0.1, 4, generator=torch.Generator().manual_seed(seed))
    (layer,) = read(module, (1, 1, inputs)).layers
    expected = np.sort(np.linalg.svd(operator(module, (1, 1, inputs)), compute_uv=False))
    assert np.abs(spectrum(layer.symbol()).all_values() - expected).max() < 1e-8
    assert layer.loses == (outputs < inputs)


class InvertedResidual(nn.Module):
    """MobileNetV2's block: widen by 1 x 1, depthwise 3 x 3, narrow by 1 x 1, and add what came in."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        wide = 3 * channels
        self.stride = stride
        self.block = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, stride=stride, padding=1, groups=wide, bias=False),
            nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, channels, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.block(maps) if self.stride == 1 else self.block(maps)


@given(st.lists(st.integers(1, 2), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_mobile_networks_obey_their_bound(strides: list[int], seed: int) -> None:
    blocks = [InvertedResidual(4, stride) for stride in strides]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    module = with_weights(nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), *blocks, head), seed)
    shape = (2, 12, 12)
    reading = read(module, shape)
    norms = [norm_interval(layer.symbol(), spectrum(layer.symbol())).upper for layer in reading.layers]
    bounds = reading.bounds(norms)
    assert [layer.groups for layer in reading.layers].count(12) == len(strides), "depthwise"
    assert sum(layer.folded for layer in reading.layers) == 3 * len(strides)
    plain = reading.bounds([1.0] * len(norms), factors=False)[-1]
    assert plain == 2 ** strides.count(1), "a sum adds the bounds of its branches"
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(8, *shape, generator=generator, dtype=torch.float64)
    for size in (1e-3, 1.0):
        change = size * torch.randn(images.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            moved = (module(images + change) - module(images)).norm(dim=1) / change.flatten(1).norm(dim=1)
        assert float(moved.max()) <= bounds[-1]
