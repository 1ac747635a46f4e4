"""A reproduced table in a report: every cell with paper, measurement and verdict; and what differs."""

from collections.abc import Mapping, Sequence
from typing import Any

from blindspots.experiments.report_markup import Html, join, table, tag
from blindspots.experiments.reproduce_conclusion import without

SIGNS = {"consistent": "✓", "differs": "≠", "not comparable": "", "not printed": ""}
MINUS = "\N{MINUS SIGN}"


def measured_text(cell: Mapping[str, Any], value: float) -> str:
    """A number of ours with as many digits as say something."""
    if cell["unit"] == "distortion":
        return f"{value:.3f}"
    return f"{value:.2f}" if cell["images"] >= 5000 and value < 99.995 else f"{value:.1f}"


def printed_text(cell: Mapping[str, Any]) -> str:
    """A number as the paper prints it."""
    return f"{cell['paper']:.{cell['paper_decimals']}f}"


def key() -> Html:
    """What the signs mean."""
    entries = (
        ("consistent", "✓", "consistent: chance and rounding can explain the difference"),
        ("differs", "≠", "differs: they cannot"),
        ("given", "·", "set by the experiment, so not counted"),
    )
    return tag(
        "ul",
        *(tag("li", tag("b", sign, class_=name), " ", words) for name, sign, words in entries),
        class_="key",
    )


def paper_table(found: Mapping[str, Any], *, comparable: bool) -> Html:
    """The table with all its cells."""
    head = tag("tr", tag("th", ""), *(tag("th", name, scope="col") for name in found["columns"]))
    rows = [
        tag(
            "tr",
            tag("th", row["label"], scope="row"),
            *(_cell(cell, comparable=comparable) for cell in row["cells"]),
        )
        for row in found["rows"]
    ]
    whole = tag("table", tag("thead", head), tag("tbody", *rows), class_="paper")
    return tag("div", whole, class_="scroll", tabindex=0, role="region", aria_label=found["title"])


def _cell(cell: Mapping[str, Any], *, comparable: bool) -> Html:
    name, sign, words = _verdict(cell, comparable=comparable)
    low, high = (measured_text(cell, cell[end]) for end in ("low", "high"))
    interval = None if low == high else tag("small", f"{low} – {high}")
    unit = " %" if cell["unit"] == "percent" else ""
    return tag(
        "td",
        tag("span", sign, class_="sign", role="img", aria_label=words) if sign else None,
        tag("b", measured_text(cell, cell["measured"]), unit),
        tag("small", f"paper {printed_text(cell)}", class_="print") if cell["paper"] is not None else None,
        interval,
        _coarse(cell),
        class_=name,
    )


def _verdict(cell: Mapping[str, Any], *, comparable: bool) -> tuple[str, str, str]:
    """Class, sign and words of a cell."""
    if cell["paper"] is None:
        return "given", "", ""
    if not comparable:
        return "orientation", "", ""
    if cell["given"] and cell["verdict"] == "consistent":
        return "given", "·", "set by the experiment"
    return cell["verdict"], SIGNS[cell["verdict"]], cell["verdict"]


def _coarse(cell: Mapping[str, Any]) -> Html | None:
    coarse = cell["coarse"]
    if coarse is None or cell["given"]:
        return None
    sign = SIGNS[coarse["verdict"]] if coarse["verdict"] else ""
    return tag("small", f"coarse {measured_text(cell, coarse['measured'])} {sign}".rstrip())


def figures(found: Mapping[str, Any]) -> Html:
    """How near the whole table comes, over several choices of cells and for both searches."""
    choices = found["figures"]["choices"]
    searched = any(choice["coarse"] for choice in choices)
    head = ["Error cells", "Cells", "Mean difference, points", "Rank correlation"]
    if searched:
        head += ["Mean difference, coarse", "Rank correlation, coarse"]
    rows = [_choice(choice, searched=searched) for choice in choices]
    return join((tag("h3", "How near the whole table comes"), table(head, rows, numbers=1), _nearer(found)))


def _choice(choice: Mapping[str, Any], *, searched: bool) -> list[Html | str]:
    words = without(choice["without"]).strip() or "all"
    cells: list[Html | str] = [words, str(choice["cells"]), *_pair(choice)]
    return [*cells, *_pair(choice["coarse"] or choice)] if searched else cells


def _pair(figures: Mapping[str, Any]) -> tuple[str, str]:
    correlation = figures["spearman"]
    text = "–" if correlation is None else f"{correlation:.3f}"
    return f"{figures['mean_absolute_difference']:.2f}", text


def _nearer(found: Mapping[str, Any]) -> Html | None:
    """Which search comes nearer to the paper."""
    nearer = found["figures"]["nearer"]
    if nearer is None:
        return None
    words = {"tight": "The bisected search for c", "coarse": "The coarse search for c"}[nearer]
    return tag("p", f"{words} is nearer to the paper here.")


def differences(found: Mapping[str, Any]) -> Html | None:
    """The cells that differ, gathered by reason."""
    gathered: dict[str, list[str]] = {}
    for row in found["rows"]:
        for column, cell in zip(found["columns"], row["cells"], strict=True):
            if cell["reason"] is not None:
                gathered.setdefault(cell["reason"], []).append(_difference(row["label"], column, cell))
    if not gathered:
        return None
    items = [
        tag("li", reason[0].upper() + reason[1:], tag("small", "; ".join(cells)))
        for reason, cells in gathered.items()
    ]
    return join((tag("h3", "What differs, and why"), tag("ul", *items, class_="notes")))


def _difference(row: str, column: str, cell: Mapping[str, Any]) -> str:
    unit = " %" if cell["unit"] == "percent" else ""
    ours = measured_text(cell, cell["measured"])
    coarse = cell["coarse"]
    beside = "" if coarse is None else f" (coarse {measured_text(cell, coarse['measured'])}{unit})"
    link = ", " if cell["column"] is None else " → "
    return f"{row}{link}{column}: {ours}{unit}{beside}, paper {printed_text(cell)}{unit}"


def open_questions(gathered: Sequence[tuple[str, Sequence[str]]]) -> Html | None:
    """Contested statements and printed inconsistencies, each once, with the tables that it concerns.

    gathered: the title of each table or figure, with its notes.
    """
    concerns: dict[str, list[str]] = {}
    for title, texts in gathered:
        for text in texts:
            concerns.setdefault(text, []).append(title)
    if not concerns:
        return None
    items = [
        tag(
            "li",
            text,
            tag("small", ", ".join(titles)),
            class_="contested" if text.startswith("Contested") else None,
        )
        for text, titles in sorted(concerns.items(), key=lambda item: item[0].startswith("Contested"))
    ]
    caption = "What is not printed or contradicts itself, and what was done about it. Marked ⚑: contested."
    return tag(
        "section",
        tag("h2", "What the paper leaves open"),
        tag("p", caption, class_="caption"),
        tag("ul", *items, class_="notes columns"),
        id="open",
    )
