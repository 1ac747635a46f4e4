"""A network with random weights: what the spectral analysis says of a shape alone."""

from typing import TYPE_CHECKING

from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Parameters
from blindspots.zoo.alexnet import AlexNet
from blindspots.zoo.architectures import Network
from blindspots.zoo.network import Shape

if TYPE_CHECKING:
    from torch import nn

LARGEST_NETWORK = 200_000_000  # parameters: 800 MB


class UntrainedNetwork(Parameters):
    """A network, and the images and classes that it is built for."""

    network: Network = Field(AlexNet())
    """Its layers."""

    channels: int = Field(3, ge=1, le=16)
    """Of an image: 3 colours, or 1 grey."""

    side: int = Field(224, ge=1, le=1024)
    """Height and width of an image, in pixels."""

    classes: int = Field(1000, ge=2, le=100_000)
    """Logits."""

    @property
    def input_shape(self) -> Shape:
        """Of one image."""
        return self.channels, self.side, self.side

    def check(self, field: str) -> None:
        """Raise InvalidInput naming the field where the network cannot be built for such images."""
        unfit = self.network.unfit(self.input_shape)
        if unfit is not None:
            raise InvalidInput(unfit, field=f"{field}.network.{self.network.unfit_field}")
        count = self.network.parameter_count(self.input_shape, self.classes)
        if count > LARGEST_NETWORK:
            raise InvalidInput(
                f"This network would have {count:,} weights; at most {LARGEST_NETWORK:,} are made.",
                field=f"{field}.network",
            )

    def facts(self) -> ModelFacts:
        """As of a trained model, without id and weights."""
        return ModelFacts(
            id="",
            name=f"{self.network.title} with random weights",
            network=self.network.name,
            parameters=self.network.model_dump(mode="json", exclude={"name"}),
            weights_sha256="",
            input_shape=self.input_shape,
            class_names=tuple(str(number) for number in range(self.classes)),
            dataset="",
            multiply_adds=self.network.multiply_adds(self.input_shape, self.classes),
            linear=self.network.linear,
            smooth=self.network.smooth,
        )

    def build(self, seed: int) -> "nn.Module":
        """Weights from N(0, 1 / fan-in), biases zero."""
        import numpy as np
        import torch

        from blindspots.science.networks import initialise

        shapes = self.network.weight_shapes(self.input_shape, self.classes)
        nothing = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        module = self.network.loaded(self.input_shape, self.classes, nothing)
        initialise(module, torch.Generator().manual_seed(seed))
        return module.requires_grad_(False).eval()
