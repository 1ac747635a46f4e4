"""A layer's spectrum against its operator written out as a matrix, and the proven interval of its norm."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from blindspots.science.spectrum import factors, layers
from blindspots.science.spectrum.norm_interval import norm_interval
from blindspots.science.spectrum.singular_values import spectrum
from blindspots.science.spectrum.symbol import Symbol, convolution, dense, half_grid


def written_out(
    weight: np.ndarray, n: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int], groups: int
) -> np.ndarray:
    """The convolution of periodic maps of `n` pixels as one matrix, entry by entry."""
    filters, channels, height, width = weight.shape
    outputs = tuple(size // step for size, step in zip(n, stride, strict=True))
    matrix = np.zeros((filters, *outputs, channels * groups, *n))
    for f, c, i, j in np.ndindex(filters, channels, height, width):
        source = f // (filters // groups) * channels + c
        for p, q in np.ndindex(*outputs):
            row = (p * stride[0] + i * dilation[0]) % n[0]
            column = (q * stride[1] + j * dilation[1]) % n[1]
            matrix[f, p, q, source, row, column] += weight[f, c, i, j]
    return matrix.reshape(filters * math.prod(outputs), -1)


@pytest.mark.parametrize(
    ("filters", "channels", "kernel", "size", "stride"),
    [(4, 3, 3, 8, 1), (4, 3, 3, 8, 2), (6, 2, 5, 12, 3), (3, 2, 5, 12, 4)],
)
def test_the_whole_spectrum_is_that_of_the_operator(
    filters: int, channels: int, kernel: int, size: int, stride: int
) -> None:
    weight = np.random.default_rng(0).standard_normal((filters, channels, kernel, kernel))
    matrix = written_out(weight, (size, size), (stride, stride), (1, 1), 1)
    expected = np.sort(np.linalg.svd(matrix, compute_uv=False))
    found = spectrum(
        convolution(weight, stride=(stride, stride)), (size // stride, size // stride)
    ).all_values()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-9


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    """Small convolutions of every kind: strided, dilated, grouped, depthwise, 1x1, not square."""
    small = st.integers(1, 3)
    return {
        "kernel": (draw(small), draw(small)),
        "stride": (draw(small), draw(small)),
        "dilation": (draw(small), draw(small)),
        "grid": (draw(small), draw(small)),
        "channels": (draw(st.integers(1, 3)), draw(small), draw(small)),  # groups, inputs, filters of each
    }


@given(shapes(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_spectrum_of_any_convolution(shape: dict[str, tuple[int, int]], seed: int) -> None:
    groups, channels, filters = shape["channels"]  # type: ignore[misc]
    weight = np.random.default_rng(seed).standard_normal((filters * groups, channels, *shape["kernel"]))
    size = tuple(s * g for s, g in zip(shape["stride"], shape["grid"], strict=True))
    matrix = written_out(weight, size, shape["stride"], shape["dilation"], groups)  # type: ignore[arg-type]
    expected = np.sort(np.linalg.svd(matrix, compute_uv=False))
    symbol = convolution(weight, stride=shape["stride"], dilation=shape["dilation"], groups=groups)
    found = spectrum(symbol, shape["grid"]).all_values()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-8


def test_large_channels_go_through_the_gram_matrix() -> None:
    weight = np.random.default_rng(1).standard_normal((80, 70, 3, 3)) / 25
    symbol = convolution(weight, stride=(2, 2))
    found = spectrum(symbol, (4, 4))
    direct = np.linalg.svd(symbol.at(found.theta), compute_uv=False)[..., ::-1]
    assert np.abs(found.values - direct).max() < 1e-5 * direct.max()
    for extreme in (found.values[:, 0, -1].argmax(), found.values[:, 0, 0].argmin()):
        assert np.abs(found.values[extreme] - direct[extreme]).max() < 1e-12


@pytest.mark.parametrize("grid", [(1, 1), (4, 4), (5, 3), (1, 6)])
def test_one_of_each_conjugate_pair_stands_for_both(grid: tuple[int, int]) -> None:
    theta, multiplicity = half_grid(grid)
    assert multiplicity.sum() == math.prod(grid)
    assert len(theta) <= math.prod(grid) // 2 + 2
    symbol = convolution(np.random.default_rng(2).standard_normal((3, 2, 3, 3)))
    whole = np.array(list(itertools.product(*(2 * np.pi * np.arange(n) / n for n in grid))))
    everywhere = np.linalg.svd(symbol.at(whole), compute_uv=False)
    assert np.allclose(np.sort(everywhere, axis=None), spectrum(symbol, grid).all_values(), atol=1e-12)


def test_tiles_of_frequencies_make_the_whole() -> None:
    symbol = convolution(np.random.default_rng(3).standard_normal((4, 4, 3, 3)))
    whole = spectrum(symbol, (6, 6))
    tiles = [spectrum(symbol, (6, 6), rows=slice(start, start + 7)) for start in range(0, 20, 7)]
    assert np.allclose(np.concatenate([tile.values for tile in tiles]), whole.values, atol=1e-12)


CONVOLUTIONS = {
    "plain": convolution(np.random.default_rng(4).standard_normal((5, 4, 3, 3))),
    "strided": convolution(np.random.default_rng(5).standard_normal((6, 2, 7, 7)), stride=(2, 2)),
    "four strides": convolution(np.random.default_rng(6).standard_normal((8, 3, 11, 11)), stride=(4, 4)),
    "dilated": convolution(np.random.default_rng(7).standard_normal((3, 3, 3, 3)), dilation=(2, 3)),
    "depthwise": convolution(np.random.default_rng(8).standard_normal((12, 1, 3, 3)), groups=12),
    "one row": convolution(np.random.default_rng(9).standard_normal((4, 4, 1, 5))),
    "large": convolution(np.random.default_rng(10).standard_normal((70, 66, 3, 3))),
    "flat": convolution(np.eye(3)[:, :, None, None] * np.eye(9)[4].reshape(3, 3)),
    "nothing": convolution(np.zeros((2, 2, 3, 3))),
}


def fine_supremum(symbol: Symbol, points: int) -> float:
    theta, _ = half_grid((points, points))
    return float(
        max(np.linalg.norm(symbol.at(tile), 2, axis=(-2, -1)).max() for tile in np.array_split(theta, 40))
    )


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_interval_holds_what_a_finer_grid_finds(name: str) -> None:
    symbol = CONVOLUTIONS[name]
    found = norm_interval(symbol, spectrum(symbol, (8, 8)))
    finer = fine_supremum(symbol, 24 if name == "large" else 80)
    assert finer <= found.upper
    assert found.lower <= found.upper <= found.lower * 1.0011 + 1e-12
    assert found.lower >= finer * (1 - 1e-9), "the ascent reaches what a finer grid sees"


@given(shapes(), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_any_interval_holds_the_supremum(shape: dict[str, tuple[int, int]], seed: int) -> None:
    groups, channels, filters = shape["channels"]  # type: ignore[misc]
    weight = np.random.default_rng(seed).standard_normal((filters * groups, channels, *shape["kernel"]))
    symbol = convolution(weight, stride=shape["stride"], dilation=shape["dilation"], groups=groups)
    found = norm_interval(symbol, spectrum(symbol, (3, 3)))
    finer = fine_supremum(symbol, 30)
    assert finer * (1 - 1e-12) <= found.upper
    assert found.lower <= found.upper <= found.lower * 1.002


def test_without_effort_the_interval_is_wider_and_still_holds() -> None:
    symbol = CONVOLUTIONS["large"]
    hasty = norm_interval(symbol, spectrum(symbol, (4, 4)), effort=1)
    assert hasty.lower < fine_supremum(symbol, 24) < hasty.upper


def test_a_matrix_has_the_norm_that_numpy_finds() -> None:
    weight = np.random.default_rng(11).standard_normal((7, 12))
    symbol = dense(weight)
    values = spectrum(symbol).all_values()
    assert np.allclose(values, np.linalg.svd(weight, compute_uv=False)[::-1], rtol=1e-13)
    found = norm_interval(symbol, spectrum(symbol))
    assert found.lower <= np.linalg.norm(weight, 2) <= found.upper <= found.lower * (1 + 1e-13)


LAYERS: dict[str, tuple[nn.Module, tuple[int, int, int]]] = {
    "padded": (nn.Conv2d(3, 4, 3, padding=1), (3, 12, 12)),
    "valid": (nn.Conv2d(2, 3, 5), (2, 9, 9)),
    "strided": (nn.Conv2d(2, 6, 5, stride=3, padding=2), (2, 12, 12)),
    "dilated": (nn.Conv2d(2, 3, 3, padding=2, dilation=2), (2, 8, 8)),
    "grouped": (nn.Conv2d(4, 6, 3, padding=1, groups=2), (4, 7, 7)),
    "depthwise": (nn.Conv2d(4, 4, 3, padding=1, groups=4), (4, 7, 7)),
    "same": (nn.Conv2d(2, 2, 3, padding="same"), (2, 6, 6)),
    "circular": (nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), (2, 6, 6)),
    "transposed": (nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1), (3, 5, 5)),
    "transposed, grouped": (nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, groups=2), (4, 4, 4)),
    "dense": (nn.Linear(6, 4), (6,)),  # type: ignore[dict-item]
}


@torch.no_grad()
def operator(module: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """A torch layer without its bias as a matrix."""
    module = module.double()
    unit = torch.eye(math.prod(shape), dtype=torch.float64).view(-1, *shape)
    return (module(unit) - module(torch.zeros_like(unit))).flatten(1).T


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_with_its_padding_obeys_the_bound(name: str) -> None:
    torch.manual_seed(0)
    module, shape = LAYERS[name]
    module.reset_parameters()
    matrix = operator(module, shape)
    norm = float(torch.linalg.matrix_norm(matrix, 2))
    outputs = tuple(module(torch.zeros(1, *shape, dtype=torch.float64)).shape[1:])
    layer = layers.weighted(module, name=name, inputs=shape, outputs=outputs)  # type: ignore[arg-type]
    found = norm_interval(layer.symbol(), spectrum(layer.symbol()))
    assert norm <= found.upper
    assert norm > 0.6 * found.lower, "borders take something away, not everything"
    own = layers.padded_norm(layer)
    assert 0.98 * norm < own < norm * (1 + 1e-5)
    if layer.loses:
        assert (
            matrix.shape[0] < matrix.shape[1] or layer.symbol().taps.shape[2] < layer.symbol().taps.shape[3]
        )


def test_a_transposed_convolution_has_the_spectrum_of_the_one_it_transposes() -> None:
    weight = np.random.default_rng(12).standard_normal((3, 2, 4, 4))
    matrix = written_out(weight, (8, 8), (2, 2), (1, 1), 1)
    found = spectrum(convolution(weight, stride=(2, 2)), (4, 4)).all_values()
    assert np.allclose(found, np.sort(np.linalg.svd(matrix.T, compute_uv=False)), atol=1e-9)


def test_what_the_text_says_of_a_reshaped_kernel() -> None:
    """The norm of the (F, C k^2) matrix is not the norm of the convolution, and k times it is a bound."""
    weight = np.random.default_rng(13).random((4, 3, 3, 3))
    reshaped = float(np.linalg.norm(weight.reshape(4, -1), 2))
    symbol = convolution(weight)
    found = norm_interval(symbol, spectrum(symbol))
    assert reshaped < found.lower
    assert found.upper <= 3 * reshaped * 1.001


def random_gain(module: nn.Module, shape: tuple[int, int, int], seed: int) -> float:
    """The largest stretch of a change that a few thousand steps of ascent find."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
    d = (1e-3 * torch.randn(64, *shape, generator=generator, dtype=torch.float64)).requires_grad_()
    optimiser = torch.optim.Adam([x, d], lr=1e-3)
    best = 0.0
    for _ in range(150):
        optimiser.zero_grad()
        moved = (module(x + d) - module(x)).flatten(1).norm(dim=1) / d.flatten(1).norm(dim=1)
        best = max(best, float(moved.detach().max()))
        (-moved.sum()).backward()
        optimiser.step()
    return best


FACTORS: dict[str, tuple[nn.Module, tuple[int, int, int], float]] = {
    "no overlap": (nn.MaxPool2d(2), (1, 4, 4), 1.0),
    "AlexNet's": (nn.MaxPool2d(3, 2), (1, 7, 7), 2.0),
    "tall": (nn.MaxPool2d((3, 1), 1), (1, 5, 2), math.sqrt(3)),
    "mean": (nn.AvgPool2d(2), (1, 4, 4), 0.5),
    "overlapping mean": (nn.AvgPool2d(3, 2), (1, 9, 9), 5 / 9),
    "adaptive": (nn.AdaptiveAvgPool2d(1), (2, 4, 4), 0.25),
    "adaptive, shared": (nn.AdaptiveAvgPool2d((2, 3)), (1, 3, 5), 0.0),
    "adaptive, repeated": (nn.AdaptiveAvgPool2d(6), (1, 1, 1), 6.0),
    "normalisation": (nn.LocalResponseNorm(3, alpha=3.0, beta=0.75, k=1.0), (5, 1, 1), 0.0),
}


@pytest.mark.parametrize("name", FACTORS)
def test_a_factor_bounds_what_happens(name: str) -> None:
    module, shape, expected = FACTORS[name]
    with torch.no_grad():
        after = tuple(module(torch.zeros(1, *shape)).shape[1:])
    factor = factors.RULES[type(module).__name__.lower()](vars(module), shape, after)
    assert factor == pytest.approx(expected) or expected == 0.0
    assert random_gain(module, shape, 1) <= factor * (1 + 1e-9)


def test_one_peak_under_four_windows_moves_the_output_twice_as_far() -> None:
    image = torch.zeros(1, 1, 7, 7)
    image[0, 0, 2, 2] = 1
    pool = nn.MaxPool2d(3, 2)
    moved = (pool(image * 1.1) - pool(image)).norm() / (0.1 * image).norm()
    assert moved == pytest.approx(2)


def test_slopes_bound_the_activations() -> None:
    x = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    named = {"relu": nn.ReLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "silu": nn.SiLU(),
             "gelu": nn.GELU(), "hardswish": nn.Hardswish(), "hardsigmoid": nn.Hardsigmoid(),
             "softplus": nn.Softplus(), "relu6": nn.ReLU6(), "elu": nn.ELU(),
             "leakyrelu": nn.LeakyReLU(0.2), "softsign": nn.Softsign()}  # fmt: skip
    for name, module in named.items():
        y = module(x)
        steepest = float(((y[1:] - y[:-1]) / (x[1:] - x[:-1])).abs().max())
        bound = factors.slope(name, vars(module))
        assert bound is not None
        assert steepest <= bound * (1 + 1e-6), name
        assert steepest > 0.99 * bound, name
