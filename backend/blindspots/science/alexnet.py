"""AlexNet: the network of Szegedy et al. 2013, figures 3 to 5 and table 5, and torchvision's variant of it.

Like every network here they take images (n, c, h, w) float32 in [0, 1] and return logits (n, classes). Mean
and scale of the pixels are part of the network, so that an attack acts on raw pixels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from blindspots.science.networks import Dropout, Shape

KERNELS = (11, 5, 3, 3, 3)
POOL = (3, 2)  # windows overlap: 3 pixels, 2 apart
POOLED = (0, 1, 4)  # convolutions that are followed by a pooling


class Standardised(nn.Module):
    """(x - mean) / scale, per channel. Its constants are no state: they are chosen, not learnt."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Sequence[float], scale: Sequence[float]) -> None:
        super().__init__()
        # The device is said, so that they stand also where a module is built without memory for its weights.
        for name, values in (("mean", mean), ("scale", scale)):
            constant = torch.tensor(values, dtype=torch.float32, device="cpu").view(-1, 1, 1)
            self.register_buffer(name, constant, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.scale


class AlexNet(nn.Module):
    """Five convolutions and three dense layers. Krizhevsky, Sutskever and Hinton 2012.

    Two are normalised over neighbouring channels, y_c = x_c / (2 + 1e-4 sum of x_c'^2 over 5 channels)^0.75,
    three are pooled in windows that overlap. `groups` is 2 where it ran on two processors, which cuts the
    second, fourth and fifth convolution in halves; table 5 of Szegedy et al. has the sizes of `groups` 1.

    filters: of each convolution. units: of each hidden dense layer. border: zeros around the image.
    sides: height and width of what the last pooling leaves.
    """

    def __init__(
        self,
        input_shape: Shape,
        classes: int,
        *,
        filters: Sequence[int],
        units: int,
        groups: int,
        border: int,
        sides: tuple[int, int],
        dropout: float,
        mean: Sequence[float],
        scale: Sequence[float],
    ) -> None:
        super().__init__()
        channels = [input_shape[0], *filters]
        self.standardised = Standardised(mean, scale)
        self.conv1 = nn.Conv2d(channels[0], channels[1], 11, stride=4, padding=border)
        self.conv2 = nn.Conv2d(channels[1], channels[2], 5, padding=2, groups=groups)
        self.conv3 = nn.Conv2d(channels[2], channels[3], 3, padding=1)
        self.conv4 = nn.Conv2d(channels[3], channels[4], 3, padding=1, groups=groups)
        self.conv5 = nn.Conv2d(channels[4], channels[5], 3, padding=1, groups=groups)
        self.activation = nn.ReLU()
        self.normalisation = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)  # torch divides alpha by 5
        self.pool = nn.MaxPool2d(*POOL)
        self.dropout = Dropout(dropout)
        self.fc1 = nn.Linear(channels[5] * sides[0] * sides[1], units)
        self.fc2 = nn.Linear(units, units)
        self.fc3 = nn.Linear(units, classes)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.standardised(images)
        for convolution in (self.conv1, self.conv2):
            maps = self.pool(self.normalisation(self.activation(convolution(maps))))
        for convolution in (self.conv3, self.conv4, self.conv5):
            maps = self.activation(convolution(maps))
        codes = self.pool(maps).flatten(1)
        for dense in (self.fc1, self.fc2):
            codes = self.dropout(self.activation(dense(codes)))
        return self.fc3(codes)


class SingleColumnAlexNet(nn.Module):
    """Torchvision's AlexNet, with its names of the weights: no normalisation, other widths, and a pooling to
    6 x 6 positions for images of any size. Krizhevsky 2014, "One weird trick".

    filters, units, border: as of `AlexNet`.
    """

    def __init__(
        self,
        input_shape: Shape,
        classes: int,
        *,
        filters: Sequence[int],
        units: int,
        border: int,
        dropout: float,
        mean: Sequence[float],
        scale: Sequence[float],
    ) -> None:
        super().__init__()
        self.standardised = Standardised(mean, scale)
        channels = [input_shape[0], *filters]
        features: list[nn.Module] = []
        for place, kernel in enumerate(KERNELS):
            stride, padding = (4, border) if place == 0 else (1, kernel // 2)
            features += [
                nn.Conv2d(channels[place], channels[place + 1], kernel, stride=stride, padding=padding),
                nn.ReLU(),
            ]
            if place in POOLED:
                features.append(nn.MaxPool2d(*POOL))
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            Dropout(dropout), nn.Linear(filters[4] * 36, units), nn.ReLU(),
            Dropout(dropout), nn.Linear(units, units), nn.ReLU(),
            nn.Linear(units, classes),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(self.standardised(images))).flatten(1))
