"""Fully connected layers of any widths."""

import itertools
import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from blindspots.zoo.network import (
    NetworkParameters,
    Shape,
    WeightShapes,
    dense_parameters,
    dense_products,
    dense_shapes,
)

if TYPE_CHECKING:
    from torch import nn


class MultilayerPerceptron(NetworkParameters):
    """Fully connected hidden layers of any widths."""

    name: Literal["mlp"] = "mlp"

    widths: list[Annotated[int, Field(ge=1, le=10_000)]] = Field([100, 100], min_length=1, max_length=8)
    """Units of each hidden layer, from the pixels on."""

    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    """What each hidden unit does with its sum. The paper uses sigmoids."""

    title = "Multilayer perceptron"
    source = "Szegedy et al. 2013, table 1: FC100-100-10, FC200-200-10; table 3: FC123-456-10"
    first_layer = "hidden.0"

    @property
    def smooth(self) -> bool:
        return self.activation != "relu"

    @property
    def layers(self) -> tuple[str, ...]:
        return (*(f"hidden {number}" for number in range(1, len(self.widths) + 1)), "output")

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (*(1e-5 for _ in self.widths), 1e-6)

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        return dense_parameters(math.prod(input_shape), *self.widths, classes)

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        return dense_products(math.prod(input_shape), *self.widths, classes)

    def weight_shapes(self, input_shape: Shape, classes: int) -> WeightShapes:
        sizes = [math.prod(input_shape), *self.widths]
        shapes: WeightShapes = {}
        for place, (before, after) in enumerate(itertools.pairwise(sizes)):
            shapes |= dense_shapes(f"hidden.{place}", before, after)
        return shapes | dense_shapes("output", sizes[-1], classes)

    @property
    def short_name(self) -> str:
        return "-".join(str(width) for width in self.widths)

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.MultilayerPerceptron(
            input_shape, classes, widths=self.widths, activation=self.activation
        )
