"""What tests of training share: the bundled digits as tensors, a start, a check of gradients."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import approx_fprime
from torch import Tensor, nn

from blindspots.science.networks import initialise
from blindspots.zoo import datasets

SHAPE = (1, 8, 8)


class Stopped(Exception):
    """What a cancelled job raises."""


def digits(split: str, count: int | None = None) -> tuple[Tensor, Tensor]:
    images, labels = datasets.find()["digits"].load(split)
    return torch.tensor(images[:count]).float() / 255, torch.tensor(labels[:count])


def started(module: nn.Module, seed: int = 0) -> nn.Module:
    initialise(module, torch.Generator().manual_seed(seed))
    return module


def check_gradient(objective: Callable[[Tensor], tuple[float, Tensor]], point: Tensor) -> None:
    _, gradient = objective(point)
    numbers = approx_fprime(point.numpy(), lambda x: objective(torch.tensor(x))[0], 1e-7)
    assert np.abs(gradient.numpy() - numbers).max() <= 1e-5 * np.abs(numbers).max()
