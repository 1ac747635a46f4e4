"""What a units job costs beside a bare forward pass of the same network, and whether its memory stays flat.

    python benchmarks/units.py                   10,000 and 100,000 images of 32 x 32, a few minutes
    python benchmarks/units.py --sizes 2000 8000 quicker

Images are crops of the photographs in shared/data (real pixels; 100 crops of each of 1,000). The network
is the paper's kind of convolutional net with random weights: what it has learnt changes no cost. Bare:
uint8 pixels to float32 and through the network up to the layer, in the same chunks, nothing kept. The
job: every part through its own code, from reading the pixels to the merge, with 200 directions of three
arms. Each figure in a process of its own, one thread; peak memory is that process's.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests"))
PHOTOGRAPHS = ROOT.parent / "shared" / "data" / "imagenet-sample"
SIDE = 32
SPEC = {
    "kind": "units", "model": "net", "k": 8, "units": 200, "arms": ["natural", "random", "random_images"],
    "images": {"source": "dataset", "dataset": "crops", "split": "test"},
}  # fmt: skip


def crops(count: int, path: Path) -> None:
    """Write `count` crops of the photographs as one array, (n, 3, 32, 32) uint8."""
    from PIL import Image

    random = np.random.default_rng(0)
    files = sorted(PHOTOGRAPHS.glob("*.jpg"))
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, 3, SIDE, SIDE))
    for place in range(count):
        if place % 100 == 0:
            whole = np.asarray(Image.open(files[place // 100 % len(files)]).convert("RGB").resize((112, 112)))
        row, column = random.integers(0, 112 - SIDE, 2)
        pixels[place] = whole[row : row + SIDE, column : column + SIDE].transpose(2, 0, 1)
    pixels.flush()


def laboratory(path: Path) -> Any:
    """A catalog with the crops, mapped from the disk, and the network."""
    import torch

    from blindspots.experiments.facts import DatasetFacts
    from blindspots.science.networks import initialise, multiply_adds
    from blindspots.zoo import architectures
    from in_memory import Laboratory, ModelFacts

    pixels = np.load(path, mmap_mode="r")
    labels = np.arange(len(pixels)) % 10

    class Crops(Laboratory):
        """The crops are not loaded."""

        def dataset(self, name: str, *, field: str) -> DatasetFacts:  # noqa: ARG002
            names = tuple("0123456789")
            return DatasetFacts(name, "Crops", "0" * 64, (3, SIDE, SIDE), names, {"test": len(pixels)})

        def pixels(self, dataset: str, split: str) -> tuple[Any, Any]:  # noqa: ARG002
            return pixels, labels

        def labels(self, dataset: str, split: str) -> Any:  # noqa: ARG002
            return labels

    made = Crops({})
    network = architectures.parse("conv", {"filters": 32, "hidden": 400})
    module = network.build((3, SIDE, SIDE), 10)
    initialise(module, torch.Generator().manual_seed(0))
    facts = ModelFacts(
        "net", "net", "conv", network.model_dump(mode="json", exclude={"name"}), "0" * 64, (3, SIDE, SIDE),
        tuple("0123456789"), "crops", multiply_adds(module, (3, SIDE, SIDE)),
    )  # fmt: skip
    made.models["net"] = facts
    made.weights["net"] = {name: value.numpy() for name, value in module.state_dict().items()}
    return made


def job(path: Path) -> float:
    """Processor seconds of all parts and the merge."""
    from pydantic import TypeAdapter

    from blindspots import experiments

    made = laboratory(path)
    whole = len(np.load(path, mmap_mode="r"))
    adapter: Any = TypeAdapter(experiments.Experiment)

    def run(count: int) -> None:
        document = {**SPEC, "images": {**SPEC["images"], "count": count}}  # type: ignore[dict-item]
        made.run(adapter.validate_python(document))

    run(512)  # a worker has its imports behind it
    begun = time.process_time()
    run(whole)
    return time.process_time() - begun


def bare(path: Path) -> float:
    """Processor seconds of the forward passes alone."""
    import torch

    from blindspots.science.activations import CHUNK, activations
    from blindspots.zoo import architectures

    made = laboratory(path)
    network = architectures.load(made.models["net"], made.weights["net"])
    pixels = np.load(path, mmap_mode="r")
    begun = time.process_time()
    for start in range(0, len(pixels), CHUNK):
        images = torch.from_numpy(pixels[start : start + CHUNK].astype(np.float32) / 255)
        activations(network, images, "activation", call=2)
    return time.process_time() - begun


def peak() -> float:
    """MiB of this process, at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def measured(what: str, path: Path) -> dict[str, float]:
    """One figure, from a process of its own."""
    command = [sys.executable, __file__, "--measure", what, "--path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure each size, bare and as a job in turn, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=["job", "bare"])
    parser.add_argument("--path", type=Path)
    options = parser.parse_args()
    if options.measure:
        import torch

        torch.set_num_threads(1)
        seconds = (job if options.measure == "job" else bare)(options.path)
        print(json.dumps({"seconds": seconds, "processor": time.process_time(), "peak": peak()}))
        return
    for size in options.sizes:
        path = Path(f"/tmp/blindspots-crops-{size}.npy")
        crops(size, path)
        pairs = [(measured("bare", path), measured("job", path)) for _ in range(options.repeats)]
        plain, whole = (min(pair[side]["seconds"] for pair in pairs) for side in (0, 1))
        found = {
            "images": size, "bare_per_second": round(size / plain), "job_per_second": round(size / whole),
            "on_top": round(whole / plain - 1, 3), "bare_peak_MiB": round(min(p[0]["peak"] for p in pairs)),
            "job_peak_MiB": round(max(p[1]["peak"] for p in pairs)),
        }  # fmt: skip
        print(json.dumps(found), flush=True)
        path.unlink()


if __name__ == "__main__":
    main()
