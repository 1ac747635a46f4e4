"""Steps of a reproduction as if they had run: summaries in the shape of the real ones, with chosen numbers.

For tests of tables, verdicts and the report, which are about arithmetic and words and need no training.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from blindspots.experiments.base import Result
from blindspots.experiments.examples import Example
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array
from blindspots.experiments.record import Record
from blindspots.experiments.reproduce import Reproduce
from blindspots.experiments.reproduce_merge import merge
from blindspots.experiments.reproduce_presets import HALVES, SIZES, WHOLE
from blindspots.science.statistics import wilson
from in_memory import MemoryResult

SPLITS = {"train": 60_000, "test": 10_000, "P1": 30_000, "P2": 30_000}
# Errors in percent and distortions that were measured on MNIST, docs/science.md.
TRAINED = {
    "softmax1": (6.58, 7.39), "softmax2": (9.85, 9.18), "softmax3": (21.25, 19.96), "N100-100-10": (0, 1.78),
    "N200-200-10": (0, 1.70), "AE400-10": (0.4, 2.2), "M1": (0, 2.17), "M1'": (0, 2.15), "M2": (0, 2.06),
}  # fmt: skip
TIGHT = (
    (0.052, (100, 11.7, 23.8, 4.3, 4.7, 3.1)),
    (0.090, (84.4, 100, 39.8, 36.7, 37.1, 12.5)),
    (0.117, (59.8, 62.5, 100, 43.8, 44.1, 30.1)),
    (0.054, (30.1, 12.9, 25.0, 100, 10.2, 2.7)),
    (0.056, (30.1, 12.9, 24.2, 16.8, 100, 3.5)),
    (0.071, (35.2, 14.1, 25.4, 21.1, 18.4, 100)),
)
COARSE = (
    (0.055, (100, 11.7, 23.8, 6.2, 7.4, 3.9)),
    (0.099, (89.1, 100, 47.3, 45.7, 47.3, 17.2)),
    (0.151, (77.0, 82.8, 100, 59.8, 60.9, 42.6)),
    (0.055, (32.4, 12.5, 24.6, 100, 13.3, 3.1)),
    (0.057, (31.2, 13.7, 24.6, 20.3, 100, 3.9)),
    (0.075, (37.1, 14.8, 25.8, 24.6, 21.5, 100)),
)
NOISE = {0.1: (7.8, 10.1, 21.4, 0.0, 0.0, 0.8), 0.3: (17.3, 11.9, 22.3, 6.1, 5.5, 2.7)}
HALVES_TIGHT = ((0.055, (100, 16.0, 4.3)), (0.056, (19.5, 100, 3.9)), (0.055, (4.3, 4.3, 100)))
HALVES_COARSE = ((0.057, (100, 24.2, 4.3)), (0.057, (23.4, 100, 3.9)), (0.057, (4.7, 4.3, 100)))
HALVES_NOISE = {0.06: (2.28, 2.24, 2.15), 0.1: (2.54, 2.46, 2.35)}
AMPLIFIED = ((96.5, 88.3, 48.0), (91.8, 96.9, 48.4), (45.3, 44.5, 97.7))
CLEAN = {"P1": (0, 0, 2.48), "P2": (2.37, 2.40, 0), "test": (2.17, 2.15, 2.06)}


def row(
    kind: str, errors: Sequence[float], *, images: int, distortion: float = 0.0, **facts: Any
) -> dict[str, Any]:
    """One row of a transfer's matrix."""
    cells = []
    for error in errors:
        wrong = round(error / 100 * images)
        low, high = wilson(wrong, images)
        cells.append({"wrong": wrong, "images": images, "error": wrong / images, "low": low, "high": high})
    spread = 0.3 * distortion if kind == "attack" else 0.0
    return {
        "kind": kind, "source": None, "t": None, "sigma": None, "images": images, "cells": cells,
        "mean_distortion": distortion, "rms_distortion": float(np.hypot(distortion, spread)),
        "distortion_low": distortion - spread / 8, "distortion_high": distortion + spread / 8, **facts,
    }  # fmt: skip


def transfer(
    found: Sequence[tuple[float, Sequence[float]]],
    *,
    noise: Mapping[float, Sequence[float]],
    amplified: Sequence[Sequence[float]] = (),
    clean: Sequence[float] = (),
    whole: int = 256,
) -> dict[str, Any]:
    """The summary of a transfer of 256 images; `whole`: images of the noise and clean rows."""
    rows = [row("clean", clean or [0] * len(found), images=whole)]
    for source, (distortion, errors) in enumerate(found):
        rows.append(row("attack", errors, images=256, distortion=distortion, source=source))
    for source, errors in enumerate(amplified):
        rows.append(row("amplified", errors, images=256, distortion=0.1, source=source, t=0.1))
    for sigma, errors in noise.items():
        rows.append(row("noise", errors, images=whole, distortion=sigma, sigma=sigma))
    return {"images": 256, "rows": rows}


def summaries() -> dict[str, dict[str, Any]]:
    """The summary of every step, by its name."""
    found: dict[str, dict[str, Any]] = {
        "transfer tight": transfer(TIGHT, noise=NOISE),
        "transfer coarse": transfer(COARSE, noise={}),
        "halves tight": transfer(
            HALVES_TIGHT, noise=HALVES_NOISE, amplified=AMPLIFIED, clean=CLEAN["test"], whole=10_000
        ),
        "halves coarse": transfer(HALVES_COARSE, noise={}, amplified=AMPLIFIED),
        **{f"clean on {half}": {"rows": [row("clean", CLEAN[half], images=30_000)]} for half in ("P1", "P2")},
    }
    for name in (*WHOLE, *HALVES):
        train, test = TRAINED[name]
        found[f"train {name}"] = {
            "model_id": name, "train_error": train / 100, "test_error": test / 100, "iterations": 600,
            "stop_reason": "cap", "gradient_norm": 2e-6, "penalties": [1e-4], "train_images": 60_000,
        }  # fmt: skip
    for letter, distortion, accuracy in (("a", 0.052, 0.0), ("b", 0.056, 0.0), ("c", 1.0, 0.465)):
        found[f"figure 7{letter}"] = {
            "images": 256, "mean_distortion": distortion, "accuracy_after": accuracy,
        }  # fmt: skip
    return found


def example(images: Array, row: int, sigma: float) -> Example:
    """A digit and the same under noise."""
    original = images[row].astype(np.float32) / images.max()
    noise = np.random.default_rng(row).normal(scale=sigma, size=original.shape)
    return Example(facts={}, original=original, adversarial=(original + noise).astype(np.float32))


@dataclass
class MadeUpStep:
    """A finished step."""

    name: str
    summary: dict[str, Any]
    images: Array

    @property
    def result(self) -> MemoryResult:
        return MemoryResult(Result(summary=self.summary))

    @property
    def record(self) -> Record:
        versions = {"blindspots": "0.3.0", "python": "3.11.9", "torch": "2.13.0", "device": "cpu"}
        return Record(
            f"job-{self.name.replace(' ', '-')}", self.name, versions,
            "2026-11-21T01:00:00Z", "2026-11-21T01:04:00Z", 61.5, 8, 2,
        )  # fmt: skip

    @property
    def spec(self) -> Any:
        sigma = 1.0 if self.name == "figure 7c" else 0.06
        return SimpleNamespace(example=lambda _, row: example(self.images, row, sigma))

    def step(self, name: str) -> "MadeUpStep":
        return MadeUpStep(name, {}, self.images)

    def model(self, reference: str) -> ModelFacts:
        return ModelFacts(
            reference, reference, "mlp", {}, f"{abs(hash(reference)):064x}"[-64:], (1, 28, 28),
            tuple("0123456789"), "mnist", 1,
        )  # fmt: skip


@dataclass
class MadeUpSteps:
    """What `merge` and `report` see: steps by name, and data sets of the right sizes."""

    found: dict[str, dict[str, Any]] = field(default_factory=summaries)
    images: Array = field(default_factory=lambda: np.full((40, 1, 8, 8), 16, np.uint8))
    spec: Any = None
    result: Any = None

    def step(self, name: str) -> MadeUpStep:
        return MadeUpStep(name, self.found[name], self.images)

    def dataset(self, name: str, split: str) -> tuple[Array, Array]:
        size = SPLITS[name.split(":")[1]] if ":" in name else SPLITS[split]
        return np.zeros((size, 0)), np.zeros(size)

    @property
    def record(self) -> Record:
        return MadeUpStep("", {}, self.images).record


def reproduced(
    change: Callable[[dict[str, dict[str, Any]]], None] = lambda _: None, **fields: Any
) -> MadeUpSteps:
    """A finished reproduction; `change` may rewrite the steps' summaries first."""
    spec = Reproduce.model_validate({"kind": "reproduce", "preset": "paper", **fields})
    steps = MadeUpSteps(spec=spec)
    assert SIZES[spec.preset]
    change(steps.found)
    steps.result = MemoryResult(merge(spec, steps))  # type: ignore[arg-type]
    return steps
