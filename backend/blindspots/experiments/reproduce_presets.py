"""How large a reproduction is: its data set, its trainings and its images, per preset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from blindspots.experiments.adversarial_training_presets import PAPER, QUICK
from blindspots.experiments.train_presets import paper_training
from blindspots.zoo.papers import TABLE_2, TABLE_4

Preset = Literal["quick", "paper", "full"]
Experiment = Literal["table1", "table2", "table3", "table4", "figure7", "tables", "adversarial_training"]

WHOLE = TABLE_2.evaluated  # networks trained on all training images: tables 1 and 2
HALVES = TABLE_4.evaluated  # networks trained on one half of them: tables 3 and 4
PANELS = ("softmax1", "N200-200-10")  # figure 7a, and 7b and c


MNIST_SECONDS = {  # of a training on one core; a first guess, until this machine has trained such a network
    "softmax1": 60.0, "softmax2": 30.0, "softmax3": 12.0, "N100-100-10": 280.0, "N200-200-10": 500.0,
    "AE400-10": 300.0, "M1": 150.0, "M1'": 250.0, "M2": 150.0,
}  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """What a preset sets."""

    title: str
    dataset: str
    images: int | None  # that are attacked; None: all of the split
    noise_images: int  # of figure 7c
    comparable: bool  # whether the paper has numbers on this data set
    iterations: int | None = None  # of L-BFGS at most; None: as `paper_training` has it


SIZES: dict[Preset, Sizes] = {
    "quick": Sizes(
        title="the bundled digits, 64 images",
        dataset="digits",
        images=64,
        noise_images=512,
        comparable=False,
        iterations=100,
    ),
    "paper": Sizes(
        title="MNIST, 256 images as the paper seems to have used",
        dataset="mnist",
        images=256,
        noise_images=2000,
        comparable=True,
    ),
    "full": Sizes(
        title="MNIST, all images", dataset="mnist", images=None, noise_images=10_000, comparable=True
    ),
}


def training(name: str, sizes: Sizes, seed: int) -> dict[str, Any]:
    """The `train` document of one of the nine networks, by its name in the paper.

    With seed 0 and MNIST it is the one of `paper_training` as it stands, so that a network that was trained
    before is found again. Another seed draws other starting weights and other halves.
    """
    document = paper_training(name, sizes.dataset)
    if seed:
        document = {**document, "seed": seed, "dataset": _half(document["dataset"], seed)}
    if sizes.iterations is not None:
        document = {
            **document,
            "optimiser": {**document["optimiser"], "max_iterations": sizes.iterations},
        }
    return document


def training_seconds(name: str, sizes: Sizes) -> float:
    """About what a training takes on one core."""
    return MNIST_SECONDS[name] if sizes.comparable else 2.0


def adversarial_training(sizes: Sizes, seed: int) -> dict[str, Any]:
    """The `adversarial_training` document: its own preset of the size, with every test image attacked in
    `full`."""
    document = {**(PAPER if sizes.comparable else QUICK), "seed": seed}
    if sizes.comparable and sizes.images is None:
        document["evaluation"] = {**document["evaluation"], "images": 10_000}
    return document


def _half(dataset: str, seed: int) -> str:
    """`mnist:P1:0` with another seed of the split; a whole data set stays as it is."""
    name, *view = dataset.split(":")
    return ":".join((name, view[0], str(seed))) if view else name


def half(sizes: Sizes, letter: str, seed: int) -> str:
    """Name of one half of the training images: "mnist:P1:0"."""
    return f"{sizes.dataset}:{letter}:{seed}"


def networks(experiment: Experiment) -> Sequence[str]:
    """The networks that an experiment needs, by their names in the paper."""
    chosen: dict[Experiment, Sequence[str]] = {
        "table1": WHOLE,
        "table2": WHOLE,
        "table3": HALVES,
        "table4": HALVES,
        "figure7": PANELS,
        "tables": (*WHOLE, *HALVES),
        "adversarial_training": (),
    }
    return chosen[experiment]
