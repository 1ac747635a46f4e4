"""The drawings of a report as inline SVG, which takes its colours from the page: paper against measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blindspots.experiments.report_markup import Html, join, tag

SIDE, LEFT, BOTTOM, TOP = 380, 44, 40, 12  # of the scatter, in its own units
TICKS = (0, 20, 40, 60, 80, 100)


def scatter(found: Mapping[str, Any], *, comparable: bool) -> Html:
    """Every error cell of a table: the paper's across, ours up, with both intervals."""
    size = f"0 0 {LEFT + SIDE + 12} {TOP + SIDE + BOTTOM}"
    points = [
        _point(cell, f"{row['label']} → {column}", comparable=comparable)
        for row in found["rows"]
        for column, cell in zip(found["columns"], row["cells"], strict=True)
        if cell["unit"] == "percent" and not cell["given"]
    ]
    agreement = tag("line", x1=_x(0), y1=_y(0), x2=_x(100), y2=_y(100), class_="axis", stroke_dasharray="4 4")
    return tag(
        "svg",
        *_grid(),
        agreement,
        *points,
        viewBox=size,
        style="max-width:420px",
        role="img",
        aria_label="Paper against measured, in percent",
    )


def _x(value: float) -> float:
    return round(LEFT + SIDE * value / 100, 1)


def _y(value: float) -> float:
    return round(TOP + SIDE * (1 - value / 100), 1)


def _grid() -> Iterator[Html]:
    for tick in TICKS:
        yield tag("line", x1=_x(tick), y1=_y(0), x2=_x(tick), y2=_y(100), class_="grid")
        yield tag("line", x1=_x(0), y1=_y(tick), x2=_x(100), y2=_y(tick), class_="grid")
        yield tag("text", tick, x=_x(tick), y=_y(0) + 16, text_anchor="middle")
        yield tag("text", tick, x=LEFT - 8, y=_y(tick) + 4, text_anchor="end")
    yield tag("text", "paper, %", x=_x(50), y=_y(0) + 34, text_anchor="middle")
    yield tag("text", "measured, %", transform=f"translate(10 {_y(50)}) rotate(-90)", text_anchor="middle")


def _point(cell: Mapping[str, Any], label: str, *, comparable: bool) -> Html:
    x, y = _x(cell["paper"]), _y(cell["measured"])
    name = cell["verdict"] if comparable else "orientation"
    low, high = cell["paper_low"], cell["paper_high"]
    whiskers = (
        tag("line", x1=x, y1=_y(cell["low"]), x2=x, y2=_y(cell["high"]), class_="whisker"),
        tag("line", x1=_x(low), y1=y, x2=_x(high), y2=y, class_="whisker"),
    )
    title = tag("title", f"{label}: paper {cell['paper']:g} %, measured {cell['measured']:.1f} %, {name}")
    square = f"M{x} {y - 4.5}L{x + 4.5} {y}L{x} {y + 4.5}L{x - 4.5} {y}Z"
    mark = tag("path", d=square) if name == "differs" else tag("circle", cx=x, cy=y, r=3)
    return tag("g", title, *whiskers, mark, class_=name)


def heat_maps(found: Mapping[str, Any]) -> list[Html]:
    """The error cells twice, as printed and as measured: equal shades agree."""
    columns = [place for place, unit in enumerate(found["units"]) if unit == "percent"]
    return [_heat_map(found, columns, key) for key in ("paper", "measured")]


def _heat_map(found: Mapping[str, Any], columns: Sequence[int], key: str) -> Html:
    side, label, head = 44, 104, 56
    height = 30
    rows = found["rows"]
    parts: list[Html] = [
        tag(
            "text", found["columns"][column],
            transform=f"translate({label + place * side + 18} {head - 6}) rotate(-38)",
        )
        for place, column in enumerate(columns)
    ]  # fmt: skip
    for number, row in enumerate(rows):
        top = head + number * height
        parts.append(
            tag(
                "text",
                row["label"].replace(", amplified to", ","),
                x=label - 8,
                y=top + 19,
                text_anchor="end",
            )
        )
        parts += [
            _shade(row["cells"][column], key, left=label + place * side, top=top, width=side, height=height)
            for place, column in enumerate(columns)
        ]
    width = label + len(columns) * side + 30
    size = f"0 0 {width} {head + len(rows) * height}"
    name = "As printed, %" if key == "paper" else "As measured, %"
    return tag(
        "figure",
        tag("figcaption", tag("b", name)),
        tag("svg", *parts, viewBox=size, style=f"max-width:{width}px", role="img", aria_label=name),
    )


def _shade(
    cell: Mapping[str, Any], key: str, *, left: float, top: float, width: float, height: float
) -> Html:
    value = cell[key]
    # The square root keeps small errors apart, which is where most cells lie.
    strength = round(0.04 + 0.56 * (max(value, 0.0) / 100) ** 0.5, 3)
    text = f"{value:.{cell['paper_decimals']}f}" if key == "paper" else f"{value:.1f}"
    return join(
        (
            tag(
                "rect", x=left + 1, y=top + 1, width=width - 2, height=height - 2, rx=3,
                class_="heat", fill_opacity=strength,
            ),
            tag(
                "text", text, x=left + width / 2, y=top + height / 2 + 4,
                text_anchor="middle", class_="value",
            ),
        )
    )  # fmt: skip
