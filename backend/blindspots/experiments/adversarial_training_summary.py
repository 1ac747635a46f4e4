"""What the runs of an adversarial training add up to: a table of arms, and a conclusion by a stated rule."""

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from blindspots.experiments.adversarial_training_arms import ARMS, BASE, PAPER_IMAGES, ArmName
from blindspots.experiments.parameters import Array, Arrays

if TYPE_CHECKING:
    from blindspots.experiments.adversarial_training import AdversarialTraining
    from blindspots.science.adversarial_comparison import Comparison

LEVEL = 0.05
RULE = (
    "Better or worse is said where p is below 5 % after Holm's correction for the number of arms. p is the "
    "larger of two: a paired t test over the seeds, and an exact paired test over the test images (a sign "
    "flip of each image's difference, summed over the seeds; with one seed McNemar's test)."
)
NOTES = (
    "Every seed is asked the same test images, so the interval over all seeds together is too narrow for "
    "other images; the tests are paired by image and by seed.",
    "All settings but the arms are equal: rounds, starting weights and the order of the batches of a seed. "
    "An arm that needs longer training than the others, as dropout may, is at a disadvantage.",
    "Robust error and distortion come from one attack (nearest wrong class, polished): another attack can "
    "only find more errors, and shorter changes.",
)
PAPER_NOTE = (
    "The paper prints one number per arm, no seed and no interval: at 10,000 test images 1.2 % has a 95 % "
    "interval of 1.0 to 1.4 %, so its 1.2 against 1.3 % is within chance."
)
LEAST_SEEDS = 4
FEW_SEEDS = "So few seeds can show only large differences: take five or more."
ONE_SEED = "There is one seed: a difference may be that of the starting weights."

Json = dict[str, Any]


def summarise(spec: "AdversarialTraining", runs: list[Json], arrays: Arrays, pixels: int) -> Json:
    """The job's summary. runs: the parts' summaries, seed by seed and arm by arm within. arrays: joined, with
    the axes (arms, seeds, ...) first; lengths are L2 norms."""
    names: tuple[ArmName, ...] = tuple(spec.arms)
    arms = [_arm(spec, place, runs, arrays, pixels) for place in range(len(names))]
    wrong = dict(zip(names, arrays["wrong"], strict=True))
    _compare(arms, wrong, against=BASE, key="versus_decay")
    _compare(arms, wrong, against="noise", key="versus_noise", only=("input", "layer1", "layer2", "all"))
    base = next((arm for arm in arms if arm["arm"] == BASE), None)
    for arm in arms:
        arm["before"] = base and {
            name: base[name] for name in ("robust_error", "mean_distortion", "mean_distortion_random")
        }
    printed = spec.dataset == "mnist"
    few = [ONE_SEED] if spec.seeds == 1 else [FEW_SEEDS] if spec.seeds < LEAST_SEEDS else []
    notes = [*NOTES, *([PAPER_NOTE] if printed else []), *few]
    return {
        "dataset": spec.dataset,
        "seeds": spec.seeds,
        "rounds": spec.rounds,
        "radii": sorted(spec.evaluation.radii),
        "noise": sorted(spec.evaluation.noise),
        "test_images": arrays["wrong"].shape[2],
        "attacked_images": arrays["nearest_l2"].shape[2],
        "arms": arms,
        "rule": RULE,
        "conclusion": conclusion(arms, spec),
        "notes": notes,
        "seconds": round(sum(run["seconds"] for run in runs), 3),
    }


def _arm(spec: "AdversarialTraining", place: int, runs: list[Json], arrays: Arrays, pixels: int) -> Json:
    """One row of the table, without comparisons."""
    from blindspots.science.statistics import wilson

    name: ArmName = spec.arms[place]
    mine = [_run(spec, run, arrays, place, pixels) for run in runs if run["arm"] == name]
    errors = [run["test_error"] for run in mine]
    wrong, images = int(arrays["wrong"][place].sum()), arrays["wrong"][place].size
    low, high = wilson(wrong, images)
    facts = ARMS[name]
    return {
        "arm": name,
        "title": facts.title,
        "runs": mine,
        "train_error_mean": _mean(run["train_error"] for run in mine),
        "test_error_mean": _mean(errors),
        "test_error_sd": float(np.std(errors, ddof=1)) if len(errors) > 1 else None,
        "pooled": {"wrong": wrong, "images": images, "low": low, "high": high},
        "noise_error": _means(run["noise_error"] for run in mine),
        "robust_error": _means(run["robust_error"] for run in mine),
        "mean_distortion": _mean(run["mean_distortion"] for run in mine),
        "mean_distortion_random": _mean(run["mean_distortion_random"] for run in mine),
        "seconds": round(sum(run["seconds"] for run in mine), 3),
        **_printed(spec.dataset, facts.paper, wrong, images),
    }


def _run(spec: "AdversarialTraining", run: Json, arrays: Arrays, place: int, pixels: int) -> Json:
    """One network."""
    from blindspots.science.statistics import wilson

    seed = run["seed"]
    low, high = wilson(run["test_wrong"], run["test_images"])
    nearest, random = arrays["nearest_l2"][place, seed], arrays["random_l2"][place, seed]
    return {
        "seed": seed,
        "train_error": run["train_wrong"] / run["train_images"],
        "test_error": run["test_wrong"] / run["test_images"],
        "low": low,
        "high": high,
        "noise_error": dict(zip(map(spell, spec.evaluation.noise), run["noise_error"], strict=True)),
        "robust_error": {
            spell(radius): float((nearest <= radius).mean()) for radius in spec.evaluation.radii
        },
        "mean_distortion": mean_distortion(nearest, pixels),
        "mean_distortion_random": mean_distortion(random, pixels),
        "not_fooled": int(np.isinf(nearest).sum() + np.isinf(random).sum()),
        "seconds": run["seconds"],
    }


def spell(number: float) -> str:
    """A radius or strength as a key: 0.5, 1, 1.5."""
    return f"{number:g}"


def mean_distortion(lengths: Array, pixels: int) -> float | None:
    """Mean root-mean-square change over the images that were fooled; L2 norms (k,) in, infinite if not."""
    reached = lengths[np.isfinite(lengths)]
    return float(reached.mean() / np.sqrt(pixels)) if len(reached) else None


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _means(tables: Any) -> dict[str, float]:
    """Means over runs of {name: share}."""
    listed = list(tables)
    return {name: float(np.mean([table[name] for table in listed])) for name in listed[0]}


def _printed(dataset: str, paper: float | None, wrong: int, images: int) -> Json:
    """The paper's number, its interval, and whether ours agrees with it; on the paper's data only."""
    from blindspots.science.statistics import consistent, wilson

    if paper is None or dataset != "mnist":
        return {"paper": None, "paper_low": None, "paper_high": None, "paper_verdict": None}
    theirs = round(paper * PAPER_IMAGES)
    low, high = wilson(theirs, PAPER_IMAGES)
    ours = round(wrong / images * PAPER_IMAGES)  # the mean over seeds, on one test set
    agrees = consistent(ours, PAPER_IMAGES, theirs, PAPER_IMAGES)
    return {
        "paper": paper, "paper_low": low, "paper_high": high,
        "paper_verdict": "consistent" if agrees else "differs",
    }  # fmt: skip


def _compare(
    arms: list[Json], wrong: dict[ArmName, Array], *, against: ArmName, key: str, only: tuple[str, ...] = ()
) -> None:
    """Set `key` of every arm, or of `only` those, to its comparison with another; None without one."""
    from blindspots.science.adversarial_comparison import compare, holm
    from blindspots.science.statistics import mcnemar

    for arm in arms:
        arm[key] = None
    others = [arm for arm in arms if arm["arm"] != against and (not only or arm["arm"] in only)]
    if against not in wrong or not others:
        return
    base = wrong[against]
    found = [compare(wrong[arm["arm"]], base) for arm in others]
    corrected = holm([comparison.p_value for comparison in found])
    for arm, comparison, adjusted in zip(others, found, corrected, strict=True):
        tests = [mcnemar(mine, theirs) for mine, theirs in zip(wrong[arm["arm"]], base, strict=True)]
        arm[key] = {
            **_tested(comparison, adjusted),
            "mcnemar": [
                {"seed": seed, "only_arm": test.only_a, "only_other": test.only_b, "p_value": test.p_value}
                for seed, test in enumerate(tests)
            ],
        }


def _tested(comparison: "Comparison", adjusted: float) -> Json:
    word = "better" if comparison.difference < 0 else "worse"
    return {
        "difference": comparison.difference,
        "p_value": adjusted,
        "p_value_uncorrected": comparison.p_value,
        "p_over_images": comparison.over_images,
        "p_over_seeds": comparison.over_seeds,
        "p_over_seeds_exact": comparison.over_seeds_exact,
        "verdict": word if adjusted < LEVEL else "no difference shown",
        "discordant": [comparison.only_first, comparison.only_second],
    }


def conclusion(arms: list[Json], spec: "AdversarialTraining") -> str:
    """In plain words, what the numbers say by RULE."""
    by_name = {arm["arm"]: arm for arm in arms}
    base = by_name.get(BASE)
    if base is None or len(arms) == 1:
        return "Nothing was compared: choose weight decay only and another arm."
    seeds = "1 seed" if spec.seeds == 1 else f"{spec.seeds} seeds"
    words = [
        f"Weight decay only: {percent(base)} test error ({spec.dataset}, {seeds}, {spec.rounds} rounds)."
    ]
    for verdict, lead in (
        ("better", "Better than that"),
        ("worse", "Worse"),
        ("no difference shown", "No difference shown"),
    ):
        listed = [
            f"{arm['title']} ({percent(arm)})"
            for arm in arms
            if arm["versus_decay"] and arm["versus_decay"]["verdict"] == verdict
        ]
        words += [f"{lead}: {', '.join(listed)}."] if listed else []
    return " ".join([*words, *_against_noise(by_name), *_robustness(by_name, base), *_claim(by_name)])


def percent(arm: Json) -> str:
    """The mean test error."""
    return f"{100 * arm['test_error_mean']:.2f} %"


def _against_noise(by_name: dict[str, Json]) -> list[str]:
    versus = by_name.get("all", {}).get("versus_noise")
    if not versus:
        return []
    verdict, points = versus["verdict"], f"{100 * versus['difference']:+.2f} points"
    if verdict == "no difference shown":
        return [f"Between pools of all layers and noise of the same norm no difference is shown ({points})."]
    return [f"Pools of all layers are {verdict} than noise of the same norm ({points})."]


def _robustness(by_name: dict[str, Json], base: Json) -> list[str]:
    """The arm that needs the largest changes."""
    known = {
        name: arm for name, arm in by_name.items() if arm["mean_distortion"] is not None and name != BASE
    }
    if not known or base["mean_distortion"] is None:
        return []
    best = max(known.values(), key=lambda arm: float(arm["mean_distortion"]))
    return [
        f"The mean distortion to the nearest error is {base['mean_distortion']:.3f} with weight decay only, "
        f"and largest for {best['title'][0].lower()}{best['title'][1:]}: {best['mean_distortion']:.3f}."
    ]


def _claim(by_name: dict[str, Json]) -> list[str]:
    """Whether the paper's own claim is seen."""
    every = by_name.get("all")
    if every is None or every["paper"] is None or not every["versus_decay"]:
        return []
    better = every["versus_decay"]["verdict"] == "better"
    if better and every["paper_verdict"] == "consistent":
        return ["The paper's improvement by examples of all layers (1.6 to below 1.2 %) is seen here too."]
    if better:
        return ["Examples of all layers help here as the paper says, but not down to its 1.2 %."]
    return [
        "The paper's improvement by examples of all layers (1.6 to below 1.2 %) is not seen with these "
        "settings."
    ]


def table(runs: list[tuple[Json, Json]]) -> Arrays:
    """One row per arm and seed, for CSV. runs: (arm, run) of the summary."""
    columns: dict[str, list[JsonValue]] = {}
    for arm, run in runs:
        row: Json = {"arm": arm["arm"]}
        for name, value in run.items():
            row |= (
                {f"{name}_{key}": each for key, each in value.items()}
                if isinstance(value, dict)
                else {name: value}
            )
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return {
        name: np.array(
            values
            if not any(each is None for each in values)
            else [np.nan if each is None else each for each in values]
        )
        for name, values in columns.items()
    }
