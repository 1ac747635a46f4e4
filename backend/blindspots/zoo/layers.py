"""The layers of a network whose units can be looked at, known without building it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blindspots.zoo.alexnet import AlexNet
from blindspots.zoo.architectures import parse
from blindspots.zoo.autoencoder_softmax import AutoencoderSoftmax
from blindspots.zoo.convolutional import Convolutional
from blindspots.zoo.multilayer_perceptron import MultilayerPerceptron
from blindspots.zoo.network import NetworkParameters, Shape
from blindspots.zoo.onnx_network import OnnxNetwork


@dataclass(frozen=True)
class Layer:
    """A place in a network: what one of its modules returns."""

    name: str  # for the user: "hidden 2"
    shape: tuple[int, ...]  # of one image's code: (units,), or (channels, height, width)
    module: str  # path of the module
    call: int = 1  # a module may be called several times in a forward pass: which of them, from 1

    @property
    def units(self) -> int:
        """Directions of the natural basis: units, or channels of a convolutional layer."""
        return self.shape[0]


def layers_of(
    network: str, parameters: Mapping[str, Any], input_shape: Shape, classes: int
) -> tuple[Layer, ...]:
    """From the pixels to the logits, which are the last. "sums" are what enters a non-linearity."""
    chosen = parse(network, parameters)
    if isinstance(chosen, OnnxNetwork):
        return tuple(Layer(each.name, tuple(each.shape), each.module) for each in chosen.known_layers)
    last = chosen.modules[-1] if isinstance(chosen, AlexNet) else "output"
    return (*_hidden(chosen, input_shape), Layer("output", (classes,), last))


def last_hidden(layers: tuple[Layer, ...]) -> Layer:
    """The last layer before the logits; the logits where there is none."""
    return layers[-2] if len(layers) > 1 else layers[-1]


def _hidden(network: NetworkParameters, input_shape: Shape) -> Iterator[Layer]:
    if isinstance(network, MultilayerPerceptron):
        for place, width in enumerate(network.widths):
            yield Layer(f"hidden {place + 1} sums", (width,), f"hidden.{place}")
            yield Layer(f"hidden {place + 1}", (width,), "activation", place + 1)
    elif isinstance(network, AutoencoderSoftmax):
        yield Layer("code sums", (network.codes,), "encoder")
        yield Layer("code", (network.codes,), "activation")
    elif isinstance(network, Convolutional):
        height, width = (side - network.kernel + 1 for side in input_shape[1:])
        yield Layer("convolution sums", (network.filters, height, width), "convolution")
        pooled = (height // network.pool, width // network.pool)
        yield Layer("convolution", (network.filters, *pooled), "activation", 1)
        yield Layer("hidden sums", (network.hidden,), "hidden")
        yield Layer("hidden", (network.hidden,), "activation", 2)
    elif isinstance(network, AlexNet):
        yield from _alexnet(network, input_shape)


def _alexnet(network: AlexNet, input_shape: Shape) -> Iterator[Layer]:
    """Sums, rectified sums and pooled maps. torchvision's modules are each called once, ours share theirs."""
    torchvision = network.variant == "torchvision"
    pooled = 0
    for place, (before, left) in enumerate(network.sides(input_shape)):
        name, module, filters = f"conv{place + 1}", network.modules[place], network.filters[place]
        after = int(module.removeprefix("features.")) + 1 if torchvision else 0
        yield Layer(f"{name} sums", (filters, *before), module)
        rectified = (f"features.{after}", 1) if torchvision else ("activation", place + 1)
        yield Layer(name, (filters, *before), *rectified)
        if left != before:
            pooled += 1
            maps = (f"features.{after + 1}", 1) if torchvision else ("pool", pooled)
            yield Layer(f"{name} pooled", (filters, *left), *maps)
    for place in (0, 1):
        module = network.modules[5 + place]
        yield Layer(f"fc{place + 1} sums", (network.units,), module)
        after = int(module.removeprefix("classifier.")) + 1 if torchvision else 0
        rectified = (f"classifier.{after}", 1) if torchvision else ("activation", 6 + place)
        yield Layer(f"fc{place + 1}", (network.units,), *rectified)
