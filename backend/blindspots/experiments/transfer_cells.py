"""The numbers of one cell and of one row of the matrix, from what was counted of its images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import JsonValue

from blindspots.experiments.parameters import Array
from blindspots.experiments.transfer_rows import MatrixRow

DRAWN = 20_000_000  # values per bootstrap at most; of many images fewer samples place the interval as well


def share(wrong: int, images: int) -> dict[str, JsonValue]:
    """An error with its Wilson 95 % interval; null and (0, 1) where there is no image."""
    from blindspots.science.statistics import wilson

    low, high = wilson(wrong, images)
    return {
        "wrong": wrong,
        "images": images,
        "error": wrong / images if images else None,
        "low": float(low),
        "high": float(high),
    }


def cell(row: MatrixRow, images: int, counts: Mapping[str, Any]) -> dict[str, JsonValue]:
    """One cell without the paper's number. `counts` as `science.transfer.count_cells` and the merge name
    them."""
    wrong, before = int(counts["wrong"]), int(counts["wrong_before"])
    found = share(wrong, images)
    found |= _excess(row, images, both=before, now=wrong - before, only_before=int(counts["only_before"]))
    found |= {"both_right": None, "same_wrong": None, "equal_l2": None, "cosine": None}
    if row.source is not None:
        same = int(counts["same_wrong"])
        found["both_right"] = share(int(counts["both_right_wrong"]), int(counts["both_right"]))
        found["same_wrong"] = {"same": same, "wrong": wrong, "rate": same / wrong if wrong else None}
    if "equal_l2_wrong" in counts:
        found["equal_l2"] = share(int(counts["equal_l2_wrong"]), images)
    if counts.get("cosines", 0):
        found["cosine"] = float(counts["cosine"] / counts["cosines"])
    return found


def _excess(row: MatrixRow, images: int, *, both: int, now: int, only_before: int) -> dict[str, JsonValue]:
    """Error less the error on the same images unchanged, with Newcombe's interval of paired shares; of the
    unchanged images themselves it is 0 and nothing else."""
    from blindspots.science.statistics import paired_difference_interval

    low, high = 0.0, 0.0
    if row.kind != "clean":
        low, high = paired_difference_interval(both, now, only_before, images - both - now - only_before)
    return {
        "excess": (now - only_before) / images,
        "excess_low": float(low),
        "excess_high": float(high),
    }


def row_distances(rms: Array, *, seed: int) -> dict[str, JsonValue]:
    """Mean distortion of a row with its bootstrap 95 % interval, and the root of the mean square."""
    from blindspots.science.statistics import paired_bootstrap

    samples = int(np.clip(DRAWN // len(rms), 200, 2000))
    low, high = paired_bootstrap(rms, seed=seed, samples=samples)
    return {
        "mean_distortion": float(rms.mean()),
        "rms_distortion": float(np.sqrt(np.mean(rms**2))),
        "distortion_low": low,
        "distortion_high": high,
    }
