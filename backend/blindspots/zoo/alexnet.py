"""AlexNet: as the paper used it, in one column or in two, and as torchvision has it."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

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

KERNELS = (11, 5, 3, 3, 3)
POOLED = (0, 1, 4)  # convolutions that are followed by a pooling of windows of 3, 2 apart
WIDTHS = (96, 256, 384, 384, 256)
TORCHVISION_WIDTHS = (64, 192, 384, 256, 256)
UNITS = 4096
SMALLEST_SIDE = 64  # of an image: the last pooling then leaves one position
IMAGENET_MEAN, IMAGENET_SCALE = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Places of the layers in torchvision's two sequences.
FEATURES, CLASSIFIER = (0, 3, 6, 8, 10), (1, 4, 6)
ADVANCED: dict[str, Any] = {"x-group": "advanced"}


class AlexNet(NetworkParameters):
    """Five convolutions, three of them pooled, and three dense layers, for photographs."""

    name: Literal["alexnet"] = "alexnet"

    variant: Literal["one_column", "two_columns", "torchvision"] = Field(
        "one_column",
        json_schema_extra={
            "x-names": {
                "one_column": "The paper's sizes, one column",
                "two_columns": "The original: two columns",
                "torchvision": "torchvision's",
            }
        },
    )
    """One column has the sizes of the paper's table 5. The original ran on two processors: its second, fourth
    and fifth convolution are cut in two groups. torchvision's is narrower and has no normalisation; weights
    of it have the same names here."""

    width_share: float = Field(1.0, gt=0, le=4, json_schema_extra=ADVANCED)
    """Filters and units of every layer, as a share of the variant's own, rounded to even numbers."""

    border: int | None = Field(None, ge=0, le=5, json_schema_extra=ADVANCED)
    """Zeros around the image. Empty: none where the first filters fit without rest, as on 227 pixels, else 2,
    as on 224."""

    dropout: float = Field(0.5, ge=0, lt=1, json_schema_extra=ADVANCED)
    """Share of the units of both hidden dense layers that are silenced during training by Adam."""

    mean: list[Annotated[float, Field(ge=-10, le=10)]] | None = Field(
        None, min_length=1, max_length=16, json_schema_extra=ADVANCED
    )
    """What is subtracted from each channel of pixels in [0, 1]. Empty: nothing; of torchvision's variant
    ImageNet's mean."""

    scale: list[Annotated[float, Field(gt=1e-6, le=1000)]] | None = Field(
        None, min_length=1, max_length=16, json_schema_extra=ADVANCED
    )
    """What each channel is divided by then. Empty: nothing; of torchvision's variant ImageNet's deviation."""

    title = "AlexNet"
    source = "Krizhevsky et al. 2012; Szegedy et al. 2013, figures 3 to 5 and table 5"
    unfit_field = "variant"

    @property
    def smooth(self) -> bool:
        return False

    @property
    def layers(self) -> tuple[str, ...]:
        return ("conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2", "output")

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (5e-4,) * 8  # Krizhevsky et al. 2012, section 5; Szegedy et al. took its weights as they were

    @property
    def short_name(self) -> str:
        return {"one_column": "alexnet", "two_columns": "alexnet-2", "torchvision": "alexnet-tv"}[
            self.variant
        ]

    @property
    def groups(self) -> int:
        """Of the second, fourth and fifth convolution."""
        return 2 if self.variant == "two_columns" else 1

    @property
    def filters(self) -> tuple[int, ...]:
        """Of the five convolutions."""
        return tuple(
            self._share(width) for width in (TORCHVISION_WIDTHS if self.variant == "torchvision" else WIDTHS)
        )

    @property
    def units(self) -> int:
        """Of each hidden dense layer."""
        return self._share(UNITS)

    def _share(self, width: int) -> int:
        return 2 * max(1, round(width * self.width_share / 2))

    @property
    def modules(self) -> tuple[str, ...]:
        """Paths of the eight layers with weights, from the pixels to the logits."""
        if self.variant == "torchvision":
            places = [*(f"features.{n}" for n in FEATURES), *(f"classifier.{n}" for n in CLASSIFIER)]
            return tuple(places)
        return ("conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2", "fc3")

    def standardisation(self, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and scale of each channel."""
        known = self.variant == "torchvision" and channels == 3
        mean = tuple(self.mean) if self.mean is not None else IMAGENET_MEAN if known else (0.0,) * channels
        scale = (
            tuple(self.scale) if self.scale is not None else IMAGENET_SCALE if known else (1.0,) * channels
        )
        return mean, scale

    def first_border(self, input_shape: Shape) -> int:
        """Zeros around the image, of that size."""
        if self.border is not None:
            return self.border
        fits = all((side - 11) % 4 == 0 for side in input_shape[1:])
        return 0 if fits and self.variant != "torchvision" else 2

    def sides(self, input_shape: Shape) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Height and width of each convolution's maps, and of what is left of them after its pooling."""
        border = self.first_border(input_shape)
        height, width = ((side + 2 * border - 11) // 4 + 1 for side in input_shape[1:])
        for place in range(5):
            before = (height, width)
            if place in POOLED:
                height, width = ((side - 3) // 2 + 1 for side in before)
            yield before, (height, width)

    def _convolutions(self, input_shape: Shape) -> Iterator[tuple[int, int, int]]:
        """Filters, channels of one group, and positions of each convolution."""
        channels = [input_shape[0], *self.filters]
        for place, (before, _) in enumerate(self.sides(input_shape)):
            groups = self.groups if place in (1, 3, 4) else 1
            yield channels[place + 1], channels[place] // groups, math.prod(before)

    def dense_sizes(self, input_shape: Shape, classes: int) -> tuple[int, int, int, int]:
        """Inputs of the three dense layers, and the logits."""
        *_, (_, left) = self.sides(input_shape)
        positions = 36 if self.variant == "torchvision" else math.prod(left)
        return self.filters[4] * positions, self.units, self.units, classes

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        convolutions = sum(
            filters * (channels * kernel**2 + 1)
            for kernel, (filters, channels, _) in zip(KERNELS, self._convolutions(input_shape), strict=True)
        )
        return convolutions + dense_parameters(*self.dense_sizes(input_shape, classes))

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        convolutions = sum(
            positions * filters * channels * kernel**2
            for kernel, (filters, channels, positions) in zip(
                KERNELS, self._convolutions(input_shape), strict=True
            )
        )
        return convolutions + dense_products(*self.dense_sizes(input_shape, classes))

    def weight_shapes(self, input_shape: Shape, classes: int) -> WeightShapes:
        shapes: WeightShapes = {}
        for name, kernel, (filters, channels, _) in zip(
            self.modules, KERNELS, self._convolutions(input_shape), strict=False
        ):
            shapes |= convolution_shapes(name, channels, filters, kernel)
        sizes = self.dense_sizes(input_shape, classes)
        for name, before, after in zip(self.modules[5:], sizes, sizes[1:], strict=False):
            shapes |= dense_shapes(name, before, after)
        return shapes

    def unfit(self, input_shape: Shape) -> str | None:
        channels, height, width = input_shape
        smallest = min(min(left) for _, left in self.sides(input_shape))
        if smallest < 1:
            return (
                f"AlexNet leaves nothing of {height} × {width} pixels; its images have at least "
                f"{SMALLEST_SIDE} on each side."
            )
        for name, values in (("mean", self.mean), ("scale", self.scale)):
            if values is not None and len(values) != channels:
                return f"The {name} has {len(values)} numbers and the images {channels} channels."
        return None

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import alexnet

        mean, scale = self.standardisation(input_shape[0])
        common: dict[str, Any] = {
            "filters": self.filters,
            "units": self.units,
            "border": self.first_border(input_shape),
            "dropout": self.dropout,
            "mean": mean,
            "scale": scale,
        }
        if self.variant == "torchvision":
            return alexnet.SingleColumnAlexNet(input_shape, classes, **common)
        *_, (_, sides) = self.sides(input_shape)
        return alexnet.AlexNet(input_shape, classes, groups=self.groups, sides=sides, **common)
