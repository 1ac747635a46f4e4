"""The result of a whole reproduction in two sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from blindspots.experiments.reproduce_reasons import UNEXPLAINED

WORDS = {
    "table1": "table 1",
    "table2": "table 2",
    "table3": "table 3",
    "table4": "table 4",
    "adversarial_training": "adversarial training",
}


def conclude(tables: Sequence[Mapping[str, Any]], *, comparable: bool) -> list[str]:
    """What the page, the report and the terminal say first. Empty where there is no table."""
    if not tables:
        return []
    if not comparable:
        return [
            "The whole chain ran: trainings, attacks, transfer, controls and tables.",
            "The bundled digits are not the paper's images: the printed numbers stand beside ours for "
            "orientation only, and nothing is judged.",
        ]
    consistent = sum(table["figures"]["consistent"] for table in tables)
    judged = sum(table["figures"]["judged"] for table in tables)
    return [
        f"{consistent} of {judged} numbers agree with the paper within chance and rounding"
        f"{_differing(tables)}.",
        _nearness(tables),
    ]


def conclude_figure(panels: Sequence[Mapping[str, Any]], *, comparable: bool) -> list[str]:
    """The same of figure 7 alone."""
    first, second, noise = panels
    paper = "the paper prints" if comparable else "on MNIST the paper prints"
    return [
        f"A mean distortion of {first['distortion']:.3f} makes {first['model']} err on every image, and "
        f"{second['distortion']:.3f} {second['model']}; {paper} {first['paper_distortion']:g} and "
        f"{second['paper_distortion']:g}.",
        f"Under noise of standard deviation 1, {noise['model']} answers {noise['accuracy']:.1f} % of the "
        f"images rightly; {paper} {noise['paper_accuracy']:g} %.",
    ]


def _differing(tables: Sequence[Mapping[str, Any]]) -> str:
    """How many differ, and of how many the reason is known."""
    reasons = [cell["reason"] for table in tables for row in table["rows"] for cell in row["cells"]]
    differing = [reason for reason in reasons if reason is not None]
    if not differing:
        return ""
    unexplained = differing.count(UNEXPLAINED)
    known = len(differing) - unexplained
    return f"; of the {len(differing)} that differ, {known} have a likely reason and {unexplained} have none"


def _nearness(tables: Sequence[Mapping[str, Any]]) -> str:
    """How far the errors are apart on average, table by table, and where the coarse search is nearer."""
    words = []
    for table in tables:
        figures = table["figures"]
        text = f"{figures['mean_absolute_difference']:.2f} points in {WORDS[table['name']]}"
        if figures["nearer"] == "coarse":
            text += f" ({figures['coarse']['mean_absolute_difference']:.2f} with the coarse search for c)"
        words.append(text)
    *first, last = words
    return f"The errors are apart by {', '.join(first) + ' and ' if first else ''}{last}, on average."


def without(groups: Sequence[str]) -> str:
    """ " without AE400-10 and the diagonal", or nothing."""
    if not groups:
        return ""
    *first, last = groups
    return f" without {', '.join(first)} and {last}" if first else f" without {last}"
