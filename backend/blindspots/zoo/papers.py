"""Tables 1 to 5 of Szegedy et al. 2013, "Intriguing properties of neural networks", arXiv 1312.6199.

The numbers of the first edition (December 2013), as printed; errors in percent of images that the model does
not give their true label; distortion is sqrt(sum_i (x'_i - x_i)^2 / n) with n = 784 pixels in [0, 1].
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

FIRST_EDITION = "arXiv 1312.6199 v1, December 2013"
LATER_EDITION = "arXiv 1312.6199 v4, February 2014"


@dataclass(frozen=True)
class PaperModel:
    """One row of table 1 or 3."""

    name: str
    later_name: str  # what the later edition calls it
    network: str  # name of a zoo architecture
    widths: tuple[int, ...]  # of every layer, pixels and classes included
    penalties: tuple[float, ...]  # lambda of each layer; empty where none is printed
    train_error: float
    test_error: float
    distortion: float  # average minimum


@dataclass(frozen=True)
class TransferRow:
    """Errors of several models on the images that were made for one of them, or on noise."""

    source: str  # a model's name, or "gaussian_noise"
    errors: tuple[float, ...]  # in the order of the evaluated models
    distortion: float  # average; of noise, its standard deviation


@dataclass(frozen=True)
class TransferTable:
    """A table of models evaluated on each other's adversarial examples."""

    title: str
    evaluated: tuple[str, ...]
    rows: tuple[TransferRow, ...]


@dataclass(frozen=True)
class HalfModel:
    """One row of table 3: a model trained on one half of the training set, P1 or P2."""

    name: str
    later_name: str
    widths: tuple[int, ...]
    trained_on: str
    error_p1: float
    error_p2: float
    test_error: float
    distortion: float


@dataclass(frozen=True)
class FrameBounds:
    """One row of table 5: the bounds of one layer of AlexNet.

    `lower` is the smallest of the min(rows, columns) singular values; for conv5, fc1 and fc3, which have
    fewer outputs than inputs, the lower frame bound itself is 0.
    """

    layer: str
    size: tuple[int, ...]  # inputs, kernel, kernel, outputs; or inputs, outputs
    stride: int | None  # printed in the later edition only
    lower: float
    upper: float
    later_upper: float


SIGMOID = (1e-5, 1e-5, 1e-6)  # lambda of the layers of every sigmoid network
TABLE_1 = (
    PaperModel("softmax1", "FC10(1e-4)", "softmax", (784, 10), (1e-4,), 6.7, 7.4, 0.062),
    PaperModel("softmax2", "FC10(1e-2)", "softmax", (784, 10), (1e-2,), 10.0, 9.4, 0.1),
    PaperModel("softmax3", "FC10(1)", "softmax", (784, 10), (1.0,), 21.2, 20.0, 0.14),
    PaperModel("N100-100-10", "FC100-100-10", "mlp", (784, 100, 100, 10), SIGMOID, 0.0, 1.64, 0.058),
    PaperModel("N200-200-10", "FC200-200-10", "mlp", (784, 200, 200, 10), SIGMOID, 0.0, 1.54, 0.065),
    PaperModel("AE400-10", "AE400-10", "autoencoder_softmax", (784, 400, 10), (1e-6,), 0.57, 1.9, 0.086),
)

TABLE_2 = TransferTable(
    title="Error on the training images that were distorted to fool another model",
    evaluated=("softmax1", "softmax2", "softmax3", "N100-100-10", "N200-200-10", "AE400-10"),
    rows=(
        TransferRow("softmax1", (100, 11.7, 22.7, 2, 3.9, 2.7), 0.062),
        TransferRow("softmax2", (87.1, 100, 35.2, 35.9, 27.3, 9.8), 0.1),
        TransferRow("softmax3", (71.9, 76.2, 100, 48.1, 47, 34.4), 0.14),
        TransferRow("N100-100-10", (28.9, 13.7, 21.1, 100, 6.6, 2), 0.058),
        TransferRow("N200-200-10", (38.2, 14, 23.8, 20.3, 100, 2.7), 0.065),
        TransferRow("AE400-10", (23.4, 16, 24.8, 9.4, 6.6, 100), 0.086),
        TransferRow("gaussian_noise", (5.0, 10.1, 18.3, 0, 0, 0.8), 0.1),
        TransferRow("gaussian_noise", (15.6, 11.3, 22.7, 5, 4.3, 3.1), 0.3),
    ),
)

TABLE_3 = (
    HalfModel("M1", "FC100-100-10", (784, 100, 100, 10), "P1", 0, 2.4, 2.0, 0.062),
    HalfModel("M1'", "FC123-456-10", (784, 123, 456, 10), "P1", 0, 2.5, 2.1, 0.059),
    HalfModel("M2", "FC100-100-10'", (784, 100, 100, 10), "P2", 2.3, 0, 2.1, 0.058),
)

TABLE_4 = TransferTable(
    title="Error on test images that were distorted to fool a model trained on other images",
    evaluated=("M1", "M1'", "M2"),
    rows=(
        TransferRow("M1", (100, 26.2, 5.9), 0.062),
        TransferRow("M1'", (6.25, 100, 5.1), 0.059),
        TransferRow("M2", (8.2, 8.2, 100), 0.058),
        TransferRow("gaussian_noise", (2.2, 2.6, 2.4), 0.06),
    ),
)

TABLE_4_AMPLIFIED = TransferTable(
    title="The same with every distortion amplified to 0.1",
    evaluated=("M1", "M1'", "M2"),
    rows=(
        TransferRow("M1", (100, 98, 43), 0.1),
        TransferRow("M1'", (96, 100, 22), 0.1),
        TransferRow("M2", (27, 50, 100), 0.1),
        TransferRow("gaussian_noise", (2.6, 2.8, 2.7), 0.1),
    ),
)

TABLE_5 = (
    FrameBounds("conv1", (3, 11, 11, 96), 4, 0.1, 20, 2.75),
    FrameBounds("conv2", (96, 5, 5, 256), 1, 0.06, 10, 10),
    FrameBounds("conv3", (256, 3, 3, 384), 1, 0.01, 7, 7),
    FrameBounds("conv4", (384, 3, 3, 384), 1, 5e-5, 7.3, 7.5),
    FrameBounds("conv5", (384, 3, 3, 256), 1, 0.03, 11, 11),
    FrameBounds("fc1", (9216, 4096), None, 0.09, 3.12, 3.12),
    FrameBounds("fc2", (4096, 4096), None, 1e-4, 4, 4),
    FrameBounds("fc3", (4096, 1000), None, 0.25, 4, 4),
)


class TrainedLike(Protocol):
    """What tells a model of the paper; `experiments.facts.ModelFacts` is one."""

    @property
    def network(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def dataset(self) -> str: ...
    @property
    def metrics(self) -> Mapping[str, Any]: ...


MNIST_TRAIN = 60_000


def identify(model: TrainedLike) -> str | None:
    """What the paper calls a model like this one, None where it has none.

    Told by network, widths, weight decay and training images, never by its name: softmax1 is any softmax on
    all of MNIST with lambda 1e-4, M1 any 100-100 sigmoid network on a half P1, whatever seed cut it.
    """
    hidden = _hidden(model)
    if hidden is None:
        return None
    whole, _, cut = model.dataset.partition(":")
    half, images = cut.partition(":")[0], MNIST_TRAIN // 2 if cut else MNIST_TRAIN
    if whole != "mnist" or model.metrics.get("train_images", images) != images:
        return None
    printed = [(row.name, row.network, row.widths, row.penalties, "") for row in TABLE_1]
    printed += [(row.name, "mlp", row.widths, SIGMOID, row.trained_on) for row in TABLE_3]
    for name, network, widths, penalties, trained_on in printed:
        if (network, widths[1:-1], trained_on) != (model.network, hidden, half):
            continue
        if _same(model.metrics.get("penalties"), penalties):
            return name
    return None


def _hidden(model: TrainedLike) -> tuple[int, ...] | None:
    """Widths of its hidden layers, None where the paper has no table on such networks."""
    match model.network:
        case "softmax":
            return ()
        case "autoencoder_softmax":
            return (int(model.parameters["codes"]),)
        case "mlp" if model.parameters.get("activation", "sigmoid") == "sigmoid":
            return tuple(int(width) for width in model.parameters["widths"])
        case _:
            return None


def _same(given: Any, printed: tuple[float, ...]) -> bool:
    """Whether these are the penalties; one number counts for every layer."""
    if not isinstance(given, list | tuple):
        return False
    spread = tuple(given) * len(printed) if len(given) == 1 else tuple(given)
    return spread == printed
