"""The networks of Szegedy et al. 2013: from pixels in [0, 1] to logits.

Every network takes images (n, c, h, w) float32 in [0, 1] and returns logits (n, classes); what it does to the
pixels first is part of it, so that an attack acts on raw pixels. Softmax is applied by the loss, not here.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

Shape = tuple[int, int, int]  # channels, height, width
Activation = Literal["sigmoid", "tanh", "relu"]
ACTIVATIONS: dict[Activation, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


class Softmax(nn.Module):
    """Logits affine in the pixels. Szegedy et al. 2013, table 1: FC10."""

    def __init__(self, input_shape: Shape, classes: int) -> None:
        super().__init__()
        self.output = nn.Linear(math.prod(input_shape), classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.output(images.flatten(1))


class MultilayerPerceptron(nn.Module):
    """Fully connected layers. Szegedy et al. 2013, table 1: N100-100-10 has widths (100, 100)."""

    def __init__(
        self, input_shape: Shape, classes: int, *, widths: Sequence[int], activation: Activation = "sigmoid"
    ) -> None:
        super().__init__()
        sizes = [math.prod(input_shape), *widths]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.activation = ACTIVATIONS[activation]()
        self.output = nn.Linear(sizes[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        codes = images.flatten(1)
        for layer in self.hidden:
            codes = self.activation(layer(codes))
        return self.output(codes)


class SparseAutoencoderSoftmax(nn.Module):
    """Softmax on the codes of a sparse autoencoder, which never saw a label. Szegedy et al. 2013, table 1.

    Only `encoder` and `output` answer questions; `decoder` is what the encoder was trained with.
    """

    def __init__(self, input_shape: Shape, classes: int, *, codes: int) -> None:
        super().__init__()
        pixels = math.prod(input_shape)
        self.encoder = nn.Linear(pixels, codes)
        self.activation = nn.Sigmoid()
        self.decoder = nn.Linear(codes, pixels)
        self.output = nn.Linear(codes, classes)

    def encode(self, images: Tensor) -> Tensor:
        """Codes (n, codes) in (0, 1)."""
        return self.activation(self.encoder(images.flatten(1)))

    def decode(self, codes: Tensor) -> Tensor:
        """Pixels (n, c * h * w) in (0, 1)."""
        return torch.sigmoid(self.decoder(codes))

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.encode(images))


class Dropout(nn.Module):
    """Silences a share of its inputs during training; nothing afterwards.

    The random numbers come from `generator`, on the inputs' device, which is set by the training.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator: torch.Generator | None = None

    def forward(self, codes: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return codes
        assert self.generator is not None, "training needs a generator"
        kept = torch.rand(codes.shape, generator=self.generator, device=codes.device) >= self.share
        return codes * kept / (1 - self.share)


class Convolutional(nn.Module):
    """One convolution, one max-pooling, one hidden layer with dropout. Szegedy et al. 2013, section 3.

    The paper prints no sizes; these are free. The convolution keeps no border: a side shrinks by
    `kernel` - 1, then is divided by `pool` and rounded down. Raises ValueError where nothing is left.
    """

    def __init__(
        self,
        input_shape: Shape,
        classes: int,
        *,
        filters: int,
        kernel: int,
        pool: int,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        channels, height, width = input_shape
        sides = [(side - kernel + 1) // pool for side in (height, width)]
        if min(sides) < 1:
            raise ValueError(
                f"expected at least one position after a {kernel} x {kernel} convolution and {pool} x {pool} "
                f"pooling, got none of {height} x {width} pixels"
            )
        self.convolution = nn.Conv2d(channels, filters, kernel)
        self.pool = nn.MaxPool2d(pool)
        self.activation = nn.ReLU()
        self.hidden = nn.Linear(filters * sides[0] * sides[1], hidden)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(hidden, classes)

    def forward(self, images: Tensor) -> Tensor:
        # The maximum commutes with the increasing ReLU: pooling first rectifies fewer numbers.
        maps = self.activation(self.pool(self.convolution(images)))
        return self.output(self.dropout(self.activation(self.hidden(maps.flatten(1)))))


def layers(module: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    """The layers that hold weights, from the pixels to the logits."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Weights from N(0, 1 / fan-in), biases zero, in the order of `layers`: the paper gives no start."""
    for layer in layers(module):
        fan_in = layer.weight[0].numel()
        layer.weight.normal_(0.0, 1 / math.sqrt(fan_in), generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()


def multiply_adds(module: nn.Module, input_shape: Shape) -> int:
    """Multiply-adds of one forward pass of one image through linear and convolutional layers."""
    total = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        positions = output[0].numel() // layer.weight.shape[0]
        total += positions * layer.weight.numel()

    hooks = [layer.register_forward_hook(count) for layer in layers(module)]
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            parameter = next(module.parameters())
            module(torch.zeros(1, *input_shape, dtype=parameter.dtype, device=parameter.device))
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()
    return total
