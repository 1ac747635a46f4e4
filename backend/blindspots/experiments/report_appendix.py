"""The end of a report: how cells are compared, networks, steps, versions, and how to repeat it all."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from blindspots.experiments.record import Record
from blindspots.experiments.report_markup import Html, join, table, tag

METHOD = (
    "Errors are shares of images that are not given their true label, with Wilson's 95 % interval. A "
    "cell is consistent when Newcombe's 95 % interval of the difference of the two shares holds 0 for "
    "some value that rounds to the printed one. The paper prints no number of images: 256 is assumed "
    "for attacked images, which its percentages suggest.",
    "Distortions are means over images, with a bootstrap 95 % interval. The paper prints no spread, "
    "so ours stands for both samples; half a unit of the last printed digit is allowed besides. 0.1 "
    "and 0.14 are read with two decimals.",
    "Each verdict has its own error of 5 %: of a hundred numbers that agree in truth, about five are "
    "marked as differing. Verdicts of one row are not independent, since all its cells are measured "
    "on the same images.",
    "“Bisected” is the search for c that ends nearest to the original image, and is what “measured” "
    "means; “coarse” halves c until the attack succeeds and stops there, as the paper seems to have "
    "done.",
)
REUSED = "Seconds that the workers computed, added up; parts that an earlier job had finished were reused."


def comparison() -> Html:
    """How to read a verdict."""
    return tag(
        "section", tag("h2", "How a cell is compared"), *(tag("p", text) for text in METHOD), id="method"
    )


def networks(models: Sequence[Mapping[str, Any]]) -> Html | None:
    """Every trained network: training, errors, hash of its weights."""
    if not models:
        return None
    head = (
        "Network", "Trained on", "λ per layer", "Training error", "Test error", "Iterations", "Converged",
        "Seconds", "SHA-256 of the weights",
    )  # fmt: skip
    return tag(
        "section",
        tag("h2", "Networks"),
        table(head, [_network(model) for model in models], numbers=3),
        id="networks",
    )


def _network(model: Mapping[str, Any]) -> list[Html | str]:
    penalties = ", ".join(f"{value:g}" for value in model.get("penalties", ()))
    return [
        tag("b", model["name"]),
        f"{model['dataset']}, {model.get('train_images', 0):,} images",
        penalties,
        f"{100 * model['train_error']:.2f} %",
        f"{100 * model['test_error']:.2f} %",
        str(model.get("iterations", "")),
        "yes" if str(model.get("stop_reason", "")).startswith("Converged") else "no, stopped at the limit",
        f"{model['seconds']:.1f}",
        tag("code", model["weights_sha256"][:16]),
    ]


def steps(found: Sequence[Mapping[str, Any]], total: float) -> Html:
    """What was run, and how long it took."""
    rows = [
        (step["name"], f"{step['seconds']:.1f}", str(step["parts"]), str(step["parts_reused"]))
        for step in found
    ]
    rows.append(("all steps", f"{total:.1f}", "", ""))
    return tag(
        "section",
        tag("h2", "Steps"),
        tag("p", REUSED, class_="caption"),
        table(("Step", "Seconds", "Parts", "Of these reused"), rows, numbers=1),
        id="steps",
    )


def repeat(record: Record, parameters: Mapping[str, Any]) -> Html:
    """Parameters, seed, versions, and the command that does it again."""
    options = f"--preset {parameters['preset']} --seed {parameters['seed']}"
    command = f"blindspots reproduce {parameters['experiment']} {options}"
    versions = [(name, str(value)) for name, value in record.versions.items()]
    return tag(
        "section",
        tag("h2", "To repeat this"),
        tag("pre", command),
        tag("p", "On the same kind of device it gives the same images, targets, noise and networks."),
        join(
            (tag("h3", "Parameters"), tag("pre", json.dumps(dict(parameters), indent=2, ensure_ascii=False)))
        ),
        join((tag("h3", "Versions and device"), table(("", ""), versions, numbers=9))),
        id="repeat",
    )
