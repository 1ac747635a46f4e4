"""What a transfer costs: M attacks of N images, then every image of M sources shown to M models.

    python benchmarks/transfer.py                      3 networks, 128 and 1,280 MNIST training images
    python benchmarks/transfer.py --images 1000 --networks softmax1 softmax2 softmax3 N100 N200

The jobs run in this process, one thread, by the laboratory of the tests: no database and no queue takes part.
Attacks are M N searches; the rest is M^2 N forward passes of each kind of change (the attack's own, in a
random direction, amplified, of equal length), M N of unchanged and of noisy images. Both must grow linearly
with N.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from typing import Any

import networks
from measuring import pin_to_one_processor

sys.path.insert(0, str(networks.ROOT / "tests"))
from blindspots.experiments.attack import Attack
from blindspots.experiments.base import NewModel
from blindspots.experiments.transfer import Transfer
from blindspots.zoo import datasets
from in_memory import Laboratory, MemoryResult


def laboratory(names: list[str]) -> Laboratory:
    """MNIST, and the networks of the benchmarks as its models."""
    lab = Laboratory(datasets.find([networks.datasets_folder()]))
    facts = lab.dataset("mnist", field="dataset")
    for name in names:
        recipe, module = networks.RECIPES[name], networks.load(name)
        lab.add_model(
            NewModel(
                name=name,
                network=recipe.network.model_dump()["name"],
                parameters=recipe.network.model_dump(exclude={"name"}),
                weights={key: value.numpy() for key, value in module.state_dict().items()},
                input_shape=facts.shape,
                class_names=facts.class_names,
                dataset="mnist",
                multiply_adds=recipe.network.multiply_adds(facts.shape, len(facts.class_names)),
                metrics={"penalties": list(recipe.penalties)},
                linear=recipe.network.linear,
            )
        )
    return lab


def measure(lab: Laboratory, names: list[str], images: int, mode: str) -> dict[str, Any]:
    """One whole transfer: processor seconds of its attacks, of its own parts and of counting."""
    document = {
        "kind": "transfer", "sources": names, "evaluated": names,
        "images": {"source": "dataset", "dataset": "mnist", "split": "train", "count": images},
        "method": {"name": "minimum_distortion", "mode": mode},
    }  # fmt: skip
    spec = Transfer.model_validate_json(json.dumps(document)).resolve(lab)
    started = time.process_time()
    attacks = {step.name: lab.run(Attack.model_validate(dict(step.spec))) for step in spec.steps(lab)}
    attacked = time.process_time()
    parts = [spec.run(part, lab.context(steps=attacks)) for part in spec.plan(lab)]
    shown = time.process_time()
    stored = [MemoryResult(part) for part in parts]
    spec.merge(lab.context(parts=stored, steps=attacks))
    return {
        "images": images,
        "attacks": attacked - started,
        "blocks": shown - attacked,
        "merge": time.process_time() - shown,
        "stored_mib": sum(len(part.bytes) for part in stored) / 2**20,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def table(found: list[dict[str, Any]], models: int) -> str:
    """Markdown: processor seconds; the last line divides the larger run by the smaller."""
    lines = [
        f"| images | {models} attacks, s | {models} × {models} models and changes, s | merge, s "
        "| ms per image | stored, MiB | peak, MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    steps = ("attacks", "blocks", "merge")
    for each in found:
        times = " | ".join(f"{each[name]:.2f}" for name in steps)
        per_image = 1000 * sum(each[name] for name in steps) / each["images"]
        lines.append(
            f"| {each['images']} | {times} | {per_image:.2f} "
            f"| {each['stored_mib']:.1f} | {each['peak_mib']:.0f} |"
        )
    small, large = found[0], found[-1]
    ratios = " | ".join(f"× {large[name] / small[name]:.1f}" for name in steps)
    lines.append(f"| × {large['images'] / small['images']:.0f} | {ratios} | | | |")
    return "\n".join(lines)


def main() -> None:
    """Measure two sizes after a warm-up, print the table and keep the numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", default=["softmax1", "softmax2", "N100"])
    parser.add_argument(
        "--images", type=int, default=128, help="of the smaller run; the larger has ten times"
    )
    parser.add_argument("--mode", choices=["paper", "tight"], default="tight")
    options = parser.parse_args()
    pin_to_one_processor()
    lab = laboratory(options.networks)
    measure(lab, options.networks, 8, options.mode)
    found = [
        measure(lab, options.networks, count, options.mode) for count in (options.images, 10 * options.images)
    ]
    print(table(found, len(options.networks)))
    path = networks.CACHE / "transfer.json"
    path.write_text(json.dumps({"networks": options.networks, "mode": options.mode, "runs": found}, indent=1))


if __name__ == "__main__":
    main()
