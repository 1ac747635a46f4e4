"""Figure 7: digits beside their distorted copies, and digits under strong noise, with what was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import JsonValue

from blindspots.experiments.base import Outcome
from blindspots.experiments.parameters import Arrays
from blindspots.experiments.reproduce_presets import PANELS
from blindspots.experiments.reproduce_reasons import NOTES
from blindspots.experiments.reproduce_steps import PANEL_STEPS

PAIRS = 20  # of each panel
COLUMNS = 10  # of the drawing: originals in the odd ones, their distorted copies in the even ones


@dataclass(frozen=True)
class Panel:
    """One panel of the figure: what was done, and what the paper prints of it."""

    letter: str
    step: str
    model: str
    caption: str
    distortion: float  # printed
    accuracy: float | None = None  # printed, in percent; of 0 nothing is printed


FIGURE: tuple[Panel, ...] = (
    Panel("a", PANEL_STEPS[0], PANELS[0], "Even columns: changed until softmax1 errs", 0.06),
    Panel("b", PANEL_STEPS[1], PANELS[1], "Even columns: changed until N200-200-10 errs", 0.063),
    Panel(
        "c", PANEL_STEPS[2], PANELS[1], "Even columns: Gaussian noise, clipped for display only", 1.0, 51.0
    ),
)


def pictures(step: Callable[[str], Outcome]) -> Arrays:
    """`figure7.a` and so on: (2 * pairs, h, w) float32 in [0, 1], original and distorted copy in turn."""
    arrays = {}
    for panel in FIGURE:
        outcome = step(panel.step)
        images = []
        for row in range(PAIRS):
            example = outcome.spec.example(outcome, row)
            if example is None:
                break
            assert example.adversarial is not None, "the step keeps all pixels"
            images += [example.original[0], np.clip(example.adversarial[0], 0, 1)]
        arrays[f"figure7.{panel.letter}"] = np.stack(images).astype(np.float32)
    return arrays


def facts(step: Callable[[str], Outcome]) -> dict[str, JsonValue]:
    """What stands beside the pictures: mean distortion and accuracy of each panel, paper and measured."""
    panels: list[JsonValue] = [_panel_facts(panel, step(panel.step).result.summary) for panel in FIGURE]
    return {"columns": COLUMNS, "panels": panels, "notes": list(NOTES["figure7"])}


def _panel_facts(panel: Panel, found: Mapping[str, Any]) -> dict[str, JsonValue]:
    low, high = (100 * end for end in _accuracy_interval(found))
    return {
        "letter": panel.letter,
        "step": panel.step,
        "model": panel.model,
        "caption": panel.caption,
        "images": found["images"],
        "paper_distortion": panel.distortion,
        "distortion": found["mean_distortion"],
        "paper_accuracy": panel.accuracy,
        "accuracy": 100 * found["accuracy_after"],
        "low": low,
        "high": high,
    }


def _accuracy_interval(found: Mapping[str, Any]) -> tuple[float, float]:
    from blindspots.science.statistics import wilson

    images = found["images"]
    low, high = wilson(round(found["accuracy_after"] * images), images)
    return float(low), float(high)
