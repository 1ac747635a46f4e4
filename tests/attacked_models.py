"""Small classifiers and images on which attacks are tested: digits of 8 x 8 pixels, trained in a second."""

from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn


@cache
def digits() -> tuple[Tensor, Tensor]:
    """All bundled digits: (1797, 1, 8, 8) float32 in [0, 1], most background pixels exactly 0; labels."""
    bunch = load_digits()
    images = torch.from_numpy((bunch.images / 16).astype(np.float32))[:, None]
    return images, torch.from_numpy(bunch.target.astype(np.int64))


@cache
def trained(kind: str) -> nn.Sequential:
    """linear, sigmoid (two hidden layers) or conv, trained on the digits until they fit."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = {
            "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)),
            "sigmoid": lambda: nn.Sequential(
                nn.Flatten(),
                nn.Linear(64, 40),
                nn.Sigmoid(),
                nn.Linear(40, 40),
                nn.Sigmoid(),
                nn.Linear(40, 10),
            ),
            "conv": lambda: nn.Sequential(
                nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 10)
            ),
        }[kind]()
    images, labels = digits()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        loss = nn.functional.cross_entropy(model(images), labels)
        loss = loss + 1e-3 * sum(p.square().sum() for p in model.parameters())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval().requires_grad_(False)


def correct_images(kind: str, count: int) -> tuple[nn.Sequential, Tensor, Tensor]:
    """A model and the first images that it gets right, with their labels."""
    model, (images, labels) = trained(kind), digits()
    right = (model(images).argmax(dim=1) == labels).nonzero()[:count, 0]
    return model, images[right], labels[right]
