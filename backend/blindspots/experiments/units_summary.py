"""What a units job found, in numbers and in words: the arms, the tests between them, and the verdict."""

from typing import TYPE_CHECKING, Any

import numpy as np

from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array, Arrays
from blindspots.experiments.units_arms import ROTATION, arm_title, row_name
from blindspots.science.statistics import cliffs_delta, holm, mann_whitney
from blindspots.zoo.layers import Layer

if TYPE_CHECKING:
    from blindspots.experiments.units import Units

NEGLIGIBLE = 0.147  # Cliff's delta below which a difference is called negligible
SCORES = ("purity", "coherence", "likeness", "selectivity")
CLAIM = ("purity", "coherence")  # on which the verdict rests
RULE = (
    "The rule: Cliff's delta of two arms, the share of pairs in which the first is higher less the share in "
    f"which it is lower, with its 95 % interval. No detectable difference: the interval lies within "
    f"−{NEGLIGIBLE} to {NEGLIGIBLE} (negligible, Romano et al. 2006). Higher or lower: it excludes 0. "
    f"A delta below {NEGLIGIBLE} in size is called slight. Otherwise undecided: more directions are needed. "
    "Directions whose score is the same for all images are counted, and left out. p-values stand beside, as "
    "they are and corrected for the number of tests (Holm 1979); the verdict does not rest on them."
)
NOTES = (
    "The paper shows chosen rows and gives no number. Here the rows are drawn at random, and every score is "
    "computed on all of them.",
    "Label purity and pixel similarity stand in for “shares a concept”: a concept that is no class, such as "
    "a stroke, is only seen by looking.",
    "Bau et al. 2017 (Network Dissection) tested this very claim with human-labelled concepts on natural "
    "images, and found single units markedly more interpretable than random rotations of the same layer.",
    "Morcos et al. 2018 found that networks that rely on single directions generalise worse, and that "
    "class-selective units are not the important ones.",
    "Dey et al. 2020 (arXiv 2011.03043) find principal components more interpretable than both.",
    "A rectified unit that answers to fewer images than a row holds fills its row with images of score 0, in "
    "their order; random directions have no such rows.",
    "Images of the training set flatter every direction; the paper looks at images that were held out.",
)


def summarise(
    spec: "Units", names: list[str], columns: Arrays, *, images: int, layer: Layer, facts: ModelFacts
) -> dict[str, Any]:
    """JSON-ready. `names` are the arms in the order of the numbers in columns["arm"]."""
    live = {
        name: np.flatnonzero((columns["arm"] == place) & ~columns["constant"])
        for place, name in enumerate(names)
    }
    arms = [_arm(name, place, columns, live[name]) for place, name in enumerate(names)]
    tests = _tests(names, columns, live)
    verdict, conclusion = conclude(tests)
    return {
        "verdict": verdict,
        "conclusion": conclusion,
        "rule": RULE,
        "notes": list(NOTES),
        "images": images,
        "dataset": spec.images.dataset,
        "split": spec.images.split,
        "class_names": list(facts.class_names) if (columns["top_label"] >= 0).all() else [],
        "input_shape": list(facts.input_shape),
        "layer": layer.name,
        "layer_shape": list(layer.shape),
        "width": layer.units,
        "k": spec.k,
        "judge": spec.judge,
        "seed": spec.seed,
        "inspected": sum(arm["directions"] for arm in arms),
        "arms": arms,
        "tests": tests,
    }


def _arm(name: str, place: int, columns: Arrays, live: Array) -> dict[str, Any]:
    total = int((columns["arm"] == place).sum())
    scores = {score: _spread(columns[score][live]) for score in (*SCORES, "entropy")}
    return {
        "arm": name,
        "title": arm_title(name),
        "row": row_name(name),
        "share": float(name.removeprefix(ROTATION)) if name.startswith(ROTATION) else None,
        "first": int(np.searchsorted(columns["arm"], place)),
        "directions": total,
        "constant": total - len(live),
        **scores,
    }


def _spread(values: Array) -> dict[str, float] | None:
    """Mean and quartiles; None where there is nothing."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return None
    quartiles = np.quantile(known, [0.25, 0.5, 0.75])
    return {
        "mean": float(known.mean()),
        "low_quartile": float(quartiles[0]),
        "median": float(quartiles[1]),
        "high_quartile": float(quartiles[2]),
    }


def _tests(names: list[str], columns: Arrays, live: dict[str, Array]) -> list[dict[str, Any]]:
    """Natural units against each other arm, and random directions against random images."""
    stops = [name for name in names if name.startswith(ROTATION)]
    pairs = [("natural", name) for name in names if name != "natural" and name not in stops]
    pairs = pairs if "natural" in names else []
    if {"random", "random_images"} <= set(names):
        pairs.append(("random", "random_images"))
    found = []
    for first, second in pairs:
        for score in SCORES:
            a, b = (columns[score][live[name]] for name in (first, second))
            a, b = a[np.isfinite(a)], b[np.isfinite(b)]
            if len(a) and len(b):
                found.append({"a": first, "b": second, "score": score, **compare(a, b)})
    for test, p_value in zip(found, holm([test["p_value"] for test in found]), strict=True):
        test["p_holm"] = float(p_value)
    return found


def compare(a: Array, b: Array) -> dict[str, Any]:
    """Mann-Whitney, Cliff's delta with its interval, and the verdict on the first sample."""
    u, p_value = mann_whitney(a, b)
    delta, low, high = cliffs_delta(a, b)
    if low >= -NEGLIGIBLE and high <= NEGLIGIBLE:
        verdict = "no detectable difference"
    elif low > 0:
        verdict = "higher"
    elif high < 0:
        verdict = "lower"
    else:
        verdict = "undecided"
    return {
        "n_a": len(a), "n_b": len(b), "mean_a": float(a.mean()), "mean_b": float(b.mean()), "u": u,
        "p_value": p_value, "delta": delta, "low": low, "high": high, "verdict": verdict,
    }  # fmt: skip


def conclude(tests: list[dict[str, Any]]) -> tuple[str, str]:
    """One word and the sentences on the paper's claim: single units mean no more than random directions."""
    known = {test["score"]: test for test in tests if (test["a"], test["b"]) == ("natural", "random")}
    if not set(CLAIM) <= set(known):
        return "not tested", (
            "The paper's claim, that single units mean no more than random directions, was not tested: it "
            "needs both arms, images with labels, and directions that differ between images."
        )
    said = " and ".join(f"in {_named(score)} {_words(known[score])}" for score in CLAIM)
    verdict, lead = _lead([known[score] for score in CLAIM])
    return verdict, f"{lead} Single units are {said}.{_chance(tests)}"


def _lead(tests: list[dict[str, Any]]) -> tuple[str, str]:
    """One word and the first sentence, from the tests of single units against random directions."""
    found = {test["verdict"] for test in tests}
    if found == {"no detectable difference"}:
        return "agrees", (
            "These rows agree with the paper: single units share no more than random directions do."
        )
    if "higher" in found and "lower" in found:
        return "mixed", "These rows are divided about the paper's claim."
    if "higher" in found:
        slight = all(test["delta"] < NEGLIGIBLE for test in tests)
        return "contradicts", (
            f"These rows speak against the paper: single units share {'slightly ' * slight}more than random "
            "directions do."
        )
    if "lower" in found:
        return "below", "Here random directions share even more than single units do."
    return "undecided", "These rows do not decide the paper's claim."


def _named(score: str) -> str:
    return {"purity": "label purity", "coherence": "likeness of the pixels"}[score]


def _words(test: dict[str, Any]) -> str:
    slightly = "slightly " if abs(test["delta"]) < NEGLIGIBLE else ""
    words = {
        "no detectable difference": "not detectably different",
        "higher": f"{slightly}higher",
        "lower": f"{slightly}lower",
        "undecided": "not told apart",
    }[test["verdict"]]
    return f"{words} (delta {test['delta']:.2f}, {test['low']:.2f} to {test['high']:.2f})".replace("-", "−")


def _chance(tests: list[dict[str, Any]]) -> str:
    """Whether rows of random directions are more than chance."""
    found = [t for t in tests if (t["a"], t["b"], t["score"]) == ("random", "random_images", "purity")]
    if not found:
        return ""
    test = found[0]
    numbers = f"({100 * test['mean_a']:.0f} % of one label on average, "
    numbers += f"{100 * test['mean_b']:.0f} % by chance)"
    if test["verdict"] == "higher":
        return f" Rows of random directions are purer than images drawn by chance {numbers}."
    return f" Rows of random directions are not shown to be purer than images drawn by chance {numbers}."
