"""What the columns of an attack add up to: the numbers on the job's page, each over a stated set of images.

All = every chosen image, also the failed ones with their best attempt and the already wrong ones with
whatever the attack did to them. Correct = the model answered the label before the attack. Successful = the
attack reached its aim, on the stored float32 image. Attacked = correct and not of the class that the attack
aims at, which needs no change. No number is over successes alone without the others
beside it.
"""

from collections.abc import Mapping

import numpy as np
from pydantic import JsonValue

from blindspots.experiments.parameters import Array, Arrays

CONFIDENCE = 0.95


def wilson_interval(successes: int, trials: int) -> list[JsonValue]:
    """Wilson's 95 % score interval of a share, [low, high]. Wilson 1927, JASA 22, p. 209-212."""
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return [float(interval.low), float(interval.high)]


def distance_to_error(columns: Arrays) -> Array:
    """(n,) L2 radius at which each image is known to be answered wrongly: 0 if it was already, infinite if
    the attack did not change the answer."""
    fooled = columns["reached"] != columns["label"]
    distance = np.where(fooled, columns["l2"], np.inf)
    return np.where(columns["already_wrong"], 0.0, distance)


def summarise(columns: Arrays, reasons: Mapping[int, str], *, seconds: float) -> dict[str, JsonValue]:
    """The job's summary. `reasons` are the sentences of the codes in the column `reason`."""
    success, wrong, rms = columns["success"], columns["already_wrong"], columns["rms"].astype(np.float64)
    images, successes = len(success), int(success.sum())
    codes = columns["reason"][~success]
    summary: dict[str, JsonValue] = {
        "images": images,
        "successful": successes,
        "success_rate": successes / images,
        "success_rate_interval": wilson_interval(successes, images),
        "success_8bit_rate": float(columns["success_8bit"].mean()),
        "failed": images - successes,
        "failed_by_reason": {
            reasons.get(int(code), f"reason {code}"): int((codes == code).sum()) for code in np.unique(codes)
        },
        "already_wrong": int(wrong.sum()),
        "initially_correct": int((~wrong).sum()),
        "accuracy_clean": float((~wrong).mean()),
        "accuracy_clean_interval": wilson_interval(int((~wrong).sum()), images),
        "accuracy_after": float((columns["reached"] == columns["label"]).mean()),
        "root_mean_square_distortion": float(np.sqrt(np.mean(rms**2))),
        "forwards": int(columns["forwards"].sum(dtype=np.int64)),
        "backwards": int(columns["backwards"].sum(dtype=np.int64)),
        "seconds": seconds,
        "images_per_second": images / seconds if seconds > 0 else None,
    }
    own = columns["label"] == columns["target"]
    attacked = ~wrong & ~own
    summary |= {
        "of_target_class": int(own.sum()),
        "attacked": int(attacked.sum()),
        "attacked_successful": int((attacked & success).sum()),
    }
    for suffix, chosen in (
        ("", slice(None)), ("_correct", ~wrong), ("_attacked", attacked), ("_successful", success)
    ):  # fmt: skip
        summary |= _distribution(rms[chosen], suffix)
    met = {str(code): reasons.get(code, f"reason {code}") for code in np.unique(columns["reason"]).tolist()}
    return summary | _exact(columns) | {"reasons": dict[str, JsonValue](met)}


def _exact(columns: Arrays) -> dict[str, JsonValue]:
    """Mean of the exact optimum, and of the attack over the same images: those where an optimum exists."""
    if "exact_rms" not in columns:
        return {"exact_mean_distortion": None, "exact_images": 0, "ratio_to_exact": None}
    exact = columns["exact_rms"].astype(np.float64)
    known = np.isfinite(exact)
    mean = float(exact[known].mean()) if known.any() else None
    attacked = float(columns["rms"].astype(np.float64)[known].mean()) if known.any() else 0.0
    return {
        "exact_mean_distortion": mean,
        "exact_images": int(known.sum()),
        "ratio_to_exact": attacked / mean if mean else None,
    }


def _distribution(rms: Array, suffix: str) -> dict[str, JsonValue]:
    """Mean, median and the middle 90 % of the distortion; null over no image."""
    names = ("mean_distortion", "median_distortion", "low_distortion", "high_distortion")
    if len(rms) == 0:
        return {f"{name}{suffix}": None for name in names}
    low, median, high = np.quantile(rms, (0.05, 0.5, 0.95))
    values = (rms.mean(), median, low, high)
    return {f"{name}{suffix}": float(value) for name, value in zip(names, values, strict=True)}
