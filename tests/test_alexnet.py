"""AlexNet has the sizes that are printed, torchvision's names, and its preprocessing within."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from blindspots.errors import InvalidInput
from blindspots.science.networks import initialise, layers, multiply_adds
from blindspots.zoo import architectures, torchvision_weights
from blindspots.zoo.alexnet import IMAGENET_MEAN, IMAGENET_SCALE, AlexNet
from blindspots.zoo.layers import layers_of

SHAPE = (3, 224, 224)
VARIANTS = ("one_column", "two_columns", "torchvision")


def without_memory(parameters: AlexNet, shape: tuple[int, int, int], classes: int) -> nn.Module:
    with torch.device("meta"):
        module = parameters.build(shape, classes)
    return module.to("meta").eval()


def small(variant: str, shape: tuple[int, int, int] = (3, 67, 67), **fields: Any) -> nn.Module:
    parameters = architectures.parse("alexnet", {"variant": variant, "width_share": 0.06, **fields})
    module = parameters.build(shape, 5)
    initialise(module, torch.Generator().manual_seed(1))
    return module.eval()


@pytest.mark.parametrize("side", [224, 227])
@pytest.mark.parametrize(
    ("variant", "count"),
    [("one_column", 62_378_344), ("two_columns", 60_965_224), ("torchvision", 61_100_840)],
)
def test_the_whole_network_is_counted_as_torch_counts_it(variant: Any, count: int, side: int) -> None:
    parameters, shape = AlexNet(variant=variant), (3, side, side)
    module = without_memory(parameters, shape, 1000)
    assert parameters.parameter_count(shape, 1000) == count == sum(p.numel() for p in module.parameters())
    assert parameters.multiply_adds(shape, 1000) == multiply_adds(module, shape)
    state = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    assert parameters.weight_shapes(shape, 1000) == state
    assert module(torch.zeros(2, *shape, device="meta")).shape == (2, 1000)


@pytest.mark.parametrize("side", [224, 227])
def test_the_printed_sizes_of_table_5(side: int) -> None:
    shapes = AlexNet().weight_shapes((3, side, side), 1000)
    weights = [shape for name, shape in shapes.items() if name.endswith("weight")]
    assert weights == [
        (96, 3, 11, 11), (256, 96, 5, 5), (384, 256, 3, 3), (384, 384, 3, 3), (256, 384, 3, 3),
        (4096, 9216), (4096, 4096), (1000, 4096),
    ]  # fmt: skip


def test_weights_of_torchvision_have_their_names() -> None:
    names = [f"features.{n}" for n in (0, 3, 6, 8, 10)] + [f"classifier.{n}" for n in (1, 4, 6)]
    expected = [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]
    assert list(AlexNet(variant="torchvision").weight_shapes(SHAPE, 1000)) == expected


def _by_hand(variant: str, state: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """The network from its description, with torch's functions only."""
    paper = variant != "torchvision"
    names = list(dict.fromkeys(name.rsplit(".", 1)[0] for name in state))
    if not paper:
        images = (images - torch.tensor(IMAGENET_MEAN)[:, None, None]) / torch.tensor(IMAGENET_SCALE)[
            :, None, None
        ]
    maps = images
    for place, name in enumerate(names[:5]):
        maps = nn.functional.conv2d(
            maps, state[f"{name}.weight"], state[f"{name}.bias"], stride=4 if place == 0 else 1,
            padding=((0 if paper else 2), 2, 1, 1, 1)[place],
            groups=2 if variant == "two_columns" and place in (1, 3, 4) else 1,
        )  # fmt: skip
        maps = maps.clamp(min=0)
        if paper and place < 2:
            squares = torch.stack(
                [maps[:, max(0, c - 2) : c + 3].square().sum(dim=1) for c in range(maps.shape[1])], dim=1
            )
            maps = maps / (2 + 1e-4 * squares) ** 0.75
        if place in (0, 1, 4):
            maps = nn.functional.max_pool2d(maps, 3, 2)
    codes = (maps if paper else nn.functional.adaptive_avg_pool2d(maps, 6)).flatten(1)
    for name in names[5:]:
        last = name == names[-1]
        codes = codes @ state[f"{name}.weight"].T + state[f"{name}.bias"]
        codes = codes if last else codes.clamp(min=0)
    return codes


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_network_computes_what_is_described(variant: str) -> None:
    module = small(variant)
    images = torch.rand(3, 3, 67, 67, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = _by_hand(variant, module.state_dict(), images)
        torch.testing.assert_close(module(images), expected, rtol=1e-4, atol=1e-5)
    assert float(expected.std()) > 1e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_preprocessing_is_part_of_the_model(variant: str) -> None:
    mean, scale = [0.1, 0.5, 0.3], [0.2, 0.25, 0.5]
    raw = torch.rand(2, 3, 67, 67, generator=torch.Generator().manual_seed(0))
    bare = small(variant, mean=[0.0, 0.0, 0.0], scale=[1.0, 1.0, 1.0])
    within = small(variant, mean=mean, scale=scale)
    standardised = (raw - torch.tensor(mean)[:, None, None]) / torch.tensor(scale)[:, None, None]
    torch.testing.assert_close(within(raw), bare(standardised))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_layers_that_can_be_looked_at_have_the_shapes_that_are_said(variant: str) -> None:
    shape = (3, 75, 70)
    module, parameters = small(variant, shape), {"variant": variant, "width_share": 0.06}
    seen: dict[tuple[str, int], tuple[int, ...]] = {}

    def note(name: str) -> Callable[..., None]:
        def record(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            call = 1 + sum(known == name for known, _ in seen)
            seen[name, call] = tuple(output.shape[1:])

        return record

    for name, each in module.named_modules():
        each.register_forward_hook(note(name))
    module(torch.zeros(1, *shape))
    found = layers_of("alexnet", parameters, shape, 5)
    assert {layer.name: layer.shape for layer in found} == {
        layer.name: seen[layer.module, layer.call] for layer in found
    }
    assert [layer.name for layer in found[-3:]] == ["fc2 sums", "fc2", "output"]
    assert len({layer.name for layer in found}) == len(found) == 18


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_loaded_as_it_was_saved(variant: str) -> None:
    module = small(variant)
    facts = SimpleNamespace(
        network="alexnet",
        parameters={"variant": variant, "width_share": 0.06},
        input_shape=(3, 67, 67),
        class_names=tuple("abcde"),
    )
    weights = {name: value.numpy() for name, value in module.state_dict().items()}
    loaded = architectures.load(facts, weights)
    images = torch.rand(2, 3, 67, 67, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded(images), module(images))
    assert [layer.weight.requires_grad for layer in layers(loaded)] == [False] * 8
    first = next(iter(weights))
    for broken in (
        {name: value for name, value in weights.items() if name != first},
        {**weights, first: weights[first][:-1]},
        {**weights, "extra.weight": np.zeros(2, np.float32)},
    ):
        with pytest.raises(ValueError, match="not of a AlexNet like this"):
            architectures.load(facts, broken)


@pytest.mark.parametrize(
    ("fields", "shape", "word"),
    [
        ({}, (3, 63, 63), "at least 64"),
        ({}, (1, 28, 28), "at least 64"),
        ({"mean": [0.5]}, SHAPE, "The mean has 1 numbers"),
        ({"scale": [0.5, 0.5]}, SHAPE, "The scale has 2 numbers"),
    ],
)
def test_images_that_do_not_fit_are_refused(
    fields: dict[str, Any], shape: tuple[int, int, int], word: str
) -> None:
    refusal = AlexNet(**fields).unfit(shape)
    assert refusal is not None
    assert word in refusal
    assert AlexNet().unfit((3, 64, 64)) is None


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is installed here")
def test_without_torchvision_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"pip install 'blindspots\[zoo\]'"):
        torchvision_weights.save("alexnet", tmp_path / "alexnet.safetensors")
    with pytest.raises(InvalidInput, match="known: alexnet"):
        torchvision_weights.save("resnet18", tmp_path / "resnet.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_weights_written_to_a_file_are_the_same_network_again(tmp_path: Path) -> None:
    module, file = small("torchvision"), tmp_path / "alexnet.safetensors"
    torchvision_weights.write(module, file)
    parameters = {**torchvision_weights.NETWORKS["alexnet"], "width_share": 0.06}
    network = architectures.parse(parameters.pop("name"), parameters)
    loaded = network.loaded((3, 67, 67), 5, load_file(file)).eval()
    images = torch.rand(2, 3, 67, 67, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded(images), module(images))
