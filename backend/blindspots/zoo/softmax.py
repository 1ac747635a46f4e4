"""A linear classifier."""

import math
from typing import TYPE_CHECKING, Literal

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


class Softmax(NetworkParameters):
    """A linear classifier: one weight per pixel and class."""

    name: Literal["softmax"] = "softmax"

    title = "Softmax (linear)"
    source = "Szegedy et al. 2013, table 1: FC10"
    first_layer = "output"
    linear = True

    @property
    def layers(self) -> tuple[str, ...]:
        return ("output",)

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (1e-4,)

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        return dense_parameters(math.prod(input_shape), classes)

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        return dense_products(math.prod(input_shape), classes)

    def weight_shapes(self, input_shape: Shape, classes: int) -> WeightShapes:
        return dense_shapes("output", math.prod(input_shape), classes)

    @property
    def short_name(self) -> str:
        return "softmax"

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.Softmax(input_shape, classes)
