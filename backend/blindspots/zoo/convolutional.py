"""One convolution, one pooling, one hidden layer."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from blindspots.zoo.network import (
    NetworkParameters,
    Shape,
    WeightShapes,
    convolution_shapes,
    dense_parameters,
    dense_products,
    dense_shapes,
)

if TYPE_CHECKING:
    from torch import nn


class Convolutional(NetworkParameters):
    """One convolution, one max-pooling, one fully connected layer with dropout."""

    name: Literal["conv"] = "conv"

    filters: int = Field(32, ge=1, le=1024)
    """Filters of the convolution."""

    kernel: int = Field(5, ge=1, le=32)
    """Side of a filter, in pixels."""

    pool: int = Field(2, ge=1, le=16)
    """Side of the max-pooling window, and its stride."""

    hidden: int = Field(400, ge=1, le=10_000)
    """Units of the fully connected layer."""

    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of the hidden units that are silenced during training by Adam; L-BFGS trains without."""

    title = "Convolutional network"
    source = "Szegedy et al. 2013, section 3, which gives no sizes"
    unfit_field = "kernel"
    first_layer = "convolution"

    @property
    def smooth(self) -> bool:
        return False

    @property
    def layers(self) -> tuple[str, ...]:
        return ("convolution", "hidden", "output")

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (0.0, 0.0, 0.0)  # the paper names dropout and no weight decay

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        weights = self.filters * (input_shape[0] * self.kernel**2 + 1)
        return weights + dense_parameters(self._maps(input_shape), self.hidden, classes)

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        channels, height, width = input_shape
        positions = (height - self.kernel + 1) * (width - self.kernel + 1)
        convolution = positions * self.filters * channels * self.kernel**2
        return convolution + dense_products(self._maps(input_shape), self.hidden, classes)

    def _maps(self, input_shape: Shape) -> int:
        """Numbers that pooling leaves."""
        return self.filters * self._pooled(input_shape[1]) * self._pooled(input_shape[2])

    def _pooled(self, side: int) -> int:
        return max(0, side - self.kernel + 1) // self.pool

    def weight_shapes(self, input_shape: Shape, classes: int) -> WeightShapes:
        return {
            **convolution_shapes("convolution", input_shape[0], self.filters, self.kernel),
            **dense_shapes("hidden", self._maps(input_shape), self.hidden),
            **dense_shapes("output", self.hidden, classes),
        }

    @property
    def short_name(self) -> str:
        return "conv"

    def unfit(self, input_shape: Shape) -> str | None:
        _, height, width = input_shape
        if self._pooled(min(height, width)) >= 1:
            return None
        return (
            f"A {self.kernel} × {self.kernel} convolution and {self.pool} × {self.pool} pooling leave "
            f"nothing of {height} × {width} pixels; choose a smaller kernel or pool."
        )

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.Convolutional(input_shape, classes, **self.model_dump(exclude={"name"}))
