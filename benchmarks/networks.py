"""The MNIST networks of the benchmarks, trained once and kept under benchmarks/.cache as safetensors.

    python benchmarks/networks.py            train what is missing
    python benchmarks/networks.py softmax1   only that one

MNIST is read from the data-set folder: BLINDSPOTS_DATASETS_DIR, or `../shared/data` beside the repository.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from blindspots.science.adam import train_adam
from blindspots.science.networks import Softmax, initialise
from blindspots.science.training import Step, train_lbfgs
from blindspots.science.weight_decay import WeightDecay
from blindspots.zoo import datasets, softmax
from blindspots.zoo.convolutional import Convolutional
from blindspots.zoo.multilayer_perceptron import MultilayerPerceptron
from blindspots.zoo.network import NetworkParameters

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "benchmarks" / ".cache"
SHAPE, CLASSES = (1, 28, 28), 10


@dataclass(frozen=True)
class Recipe:
    """How one network is built and trained."""

    network: NetworkParameters
    penalties: tuple[float, ...]
    optimiser: Literal["lbfgs", "adam"] = "lbfgs"


RECIPES = {
    "softmax1": Recipe(softmax.Softmax(), (1e-4,)),
    "softmax2": Recipe(softmax.Softmax(), (1e-2,)),
    "softmax3": Recipe(softmax.Softmax(), (1.0,)),
    "conv": Recipe(Convolutional(filters=32, kernel=5, pool=2, hidden=128, dropout=0.5), (0.0,), "adam"),
    "N100": Recipe(MultilayerPerceptron(widths=[100, 100]), (1e-5, 1e-5, 1e-6)),
    "N200": Recipe(MultilayerPerceptron(widths=[200, 200]), (1e-5, 1e-5, 1e-6)),
}


def datasets_folder() -> Path:
    """The folder that holds `mnist`."""
    return Path(os.environ.get("BLINDSPOTS_DATASETS_DIR") or ROOT.parent / "shared" / "data")


def mnist(split: str) -> tuple[Tensor, Tensor]:
    """Images (n, 1, 28, 28) float32 in [0, 1] and labels (n,) int64. Raises SystemExit without MNIST."""
    folder = datasets_folder()
    dataset = datasets.find([folder])["mnist"]
    if not dataset.available:
        raise SystemExit(f"{dataset.reason} Looked in {folder}.")
    images, labels = dataset.load(split)
    return torch.from_numpy(images.copy()).float() / 255, torch.from_numpy(labels.copy())


def test_images() -> tuple[Tensor, Tensor]:
    """The 10,000 that no network was trained on."""
    return mnist("test")


def linear_weights(network: nn.Module) -> tuple[Tensor, Tensor]:
    """Weights (10, 784) and biases (10,) of a softmax network."""
    layer = network.output
    assert isinstance(network, Softmax)
    assert isinstance(layer, nn.Linear)
    return layer.weight.detach(), layer.bias.detach()


def load(name: str) -> nn.Module:
    """The trained network, on the CPU, ready to be attacked; it is trained first where it is missing."""
    path = CACHE / f"{name}.safetensors"
    if not path.exists():
        _train(name, path)
    module = RECIPES[name].network.build(SHAPE, CLASSES)
    module.load_state_dict(load_file(path))
    return module.requires_grad_(False).eval()


def _train(name: str, path: Path) -> None:
    recipe = RECIPES[name]
    images, labels = mnist("train")
    module = recipe.network.build(SHAPE, CLASSES)
    generator = torch.Generator().manual_seed(0)
    initialise(module, generator)
    weight_decay = WeightDecay(penalties=recipe.penalties)
    started = time.perf_counter()

    def report(step: Step) -> None:
        if step.done % 50 == 0:
            seconds = time.perf_counter() - started
            print(f"{name} {step.done}/{step.total} loss {step.loss:.5f} {seconds:.0f} s", flush=True)

    common = {"weight_decay": weight_decay, "test": mnist("test"), "report": report}
    if recipe.optimiser == "lbfgs":
        outcome = train_lbfgs(module, images, labels, max_iterations=600, **common)
    else:
        settings = {"epochs": 4, "batch_size": 128, "learning_rate": 1e-3, "generator": generator}
        outcome = train_adam(module, images, labels, **settings, **common)
    CACHE.mkdir(exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    save_file(module.state_dict(), temporary)
    temporary.replace(path)
    seconds = time.perf_counter() - started
    print(f"{name}: train {outcome.train_error:.2%}, test {outcome.test_error:.2%}, {seconds:.0f} s")
    print(f"    gradient {outcome.gradient_norm:.1e}. {outcome.stop_reason.value}", flush=True)


def main() -> None:
    torch.set_flush_denormal(True)
    for name in sys.argv[1:] or RECIPES:
        load(name)


if __name__ == "__main__":
    main()
