"""The figures of a reproduction: tables as heat maps, paper against measured, and figure 7."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.base import Figure, Outcome
from blindspots.experiments.parameters import Array, Theme

SOURCE = "Szegedy et al. 2013, arXiv 1312.6199, first edition"
PANEL_LETTERS = ("a", "b", "c")


def draw_table(name: str, outcome: Outcome, theme: Theme) -> Any:
    """The errors of one table twice: as printed, and as measured."""
    table = _table(outcome, name)
    if table is None:
        return drawing.empty(theme, f"This job did not make table {name[-1]}.")
    columns = [place for place, unit in enumerate(table["units"]) if unit == "percent"]
    names = [table["columns"][place] for place in columns]
    labels = [row["label"] for row in table["rows"]]
    figure = go.Figure(layout=drawing.layout(theme))
    for place, (key, title) in enumerate((("paper", "paper"), ("measured", "measured"))):
        values = [[row["cells"][column][key] for column in columns] for row in table["rows"]]
        figure.add_heatmap(
            z=values, x=names, y=labels, zmin=0, zmax=100,
            colorscale=drawing.sequential(theme), showscale=False, text=_texts(table, columns, key),
            texttemplate="%{text}", xaxis=_axis("x", place), yaxis=_axis("y", place),
            hovertemplate=f"%{{y}}, on %{{x}}<br>{title} %{{text}} %<extra></extra>",
        )  # fmt: skip
    hidden = {"type": "category", "showgrid": False}
    figure.update_layout(
        xaxis={**hidden, "domain": [0, 0.49], "title": {"text": "paper, %"}, "side": "top"},
        xaxis2={**hidden, "domain": [0.51, 1], "title": {"text": "measured, %"}, "side": "top"},
        yaxis={**hidden, "autorange": "reversed"},
        yaxis2={**hidden, "autorange": "reversed", "matches": "y", "anchor": "x2", "visible": False},
        margin={"t": 72},
    )
    return figure


def _axis(letter: str, place: int) -> str:
    return letter if place == 0 else f"{letter}{place + 1}"


def _texts(table: Mapping[str, Any], columns: Sequence[int], key: str) -> list[list[str]]:
    def text(cell: Mapping[str, Any]) -> str:
        value = cell[key]
        return f"{value:.1f}" if key == "measured" else f"{value:.{cell['paper_decimals']}f}"

    return [[text(row["cells"][column]) for column in columns] for row in table["rows"]]


def _table(outcome: Outcome, name: str) -> dict[str, Any] | None:
    tables: Any = outcome.result.summary["tables"]
    return next((table for table in tables if table["name"] == name), None)


def draw_agreement(outcome: Outcome, theme: Theme) -> Any:
    """Every error: the paper's across, ours up, each with its interval; the diagonal is agreement."""
    tables: Any = outcome.result.summary["tables"]
    if not tables:
        return drawing.empty(theme, "This job made no table.")
    palette = drawing.colours(theme)
    figure = go.Figure(layout=drawing.layout(theme))
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name="agreement", hoverinfo="skip",
        line={"color": palette.edge, "dash": "dash", "width": 1},
    )  # fmt: skip
    groups = (
        ("consistent", palette.accent, "circle"),
        ("differs", palette.warning, "diamond"),
        ("not comparable", palette.muted, "circle-open"),
    )
    for verdict, colour, symbol in groups:
        cells = list(_error_cells(tables, verdict))
        if cells:
            _points(figure, cells, name=verdict, colour=colour, symbol=symbol)
    figure.update_layout(
        xaxis={"title": {"text": "paper, % of images"}, "range": [-2, 102], "constrain": "domain"},
        yaxis={"title": {"text": "measured, % of images"}, "range": [-2, 102], "scaleanchor": "x"},
        showlegend=True,
    )
    return figure


def _error_cells(tables: Sequence[Mapping[str, Any]], verdict: str) -> Any:
    """Cells in percent that were searched or found, with a label; the diagonal tells nothing."""
    for table in tables:
        for row in table["rows"]:
            for column, cell in zip(table["columns"], row["cells"], strict=True):
                if cell["unit"] == "percent" and cell["verdict"] == verdict and not cell["given"]:
                    yield f"{table['name'].replace('table', 'table ')}: {row['label']}, on {column}", cell


def _points(
    figure: Any, cells: Sequence[tuple[str, Mapping[str, Any]]], *, name: str, colour: str, symbol: str
) -> None:
    def column(key: str) -> Array:
        return np.array([cell[key] for _, cell in cells], dtype=np.float64)

    def interval(value: str, low: str, high: str) -> dict[str, Any]:
        bars = {"array": column(high) - column(value), "arrayminus": column(value) - column(low)}
        return {"type": "data", "symmetric": False, **bars, "thickness": 0.6, "width": 0, "color": colour}

    figure.add_scatter(
        x=column("paper"), y=column("measured"), mode="markers", name=f"{name} ({len(cells)})",
        marker={"color": colour, "symbol": symbol, "size": 7},
        error_x=interval("paper", "paper_low", "paper_high"), error_y=interval("measured", "low", "high"),
        text=[label for label, _ in cells],
        hovertemplate="%{text}<br>paper %{x:.3g} %<br>measured %{y:.3g} %<extra></extra>",
    )  # fmt: skip


def draw_panel(letter: str, outcome: Outcome, theme: Theme) -> Any:
    """Originals in the odd columns, their distorted copies in the even ones."""
    name = f"figure7.{letter}"
    if name not in outcome.result.names:
        return drawing.empty(theme, "This job did not make figure 7.")
    found: Any = outcome.result.summary["figure7"]
    # `image_grid` is for signed images, each scaled by its own largest magnitude: -1 is always present here.
    figure = drawing.image_grid(theme, 2 * outcome.result.array(name) - 1, columns=found["columns"])
    figure.update_traces(
        colorscale="gray", zmin=-1, zmax=1, hovertemplate="row %{y}, column %{x}<extra></extra>"
    )
    return figure


def _drawn(draw: Callable[[str, Outcome, Theme], Any], name: str) -> Callable[[Outcome, Theme], Any]:
    return partial(draw, name)


FIGURES: Mapping[str, Figure] = {
    **{
        f"table{number}": Figure(
            title=f"Table {number}: the printed errors beside the measured ones",
            reading="The two halves have the same rows and columns; equal shades agree.",
            formula="share of images that are not given their true label; on the left as printed, on the "
            "right as measured with the bisected search for c",
            source=f"{SOURCE}, table {number}",
            draw=_drawn(draw_table, f"table{number}"),
        )
        for number in (1, 2, 3, 4)
    },
    "agreement": Figure(
        title="Every printed error against the measured one",
        reading="Each point is one cell with both 95 % intervals; on the dashed line both agree.",
        formula="Wilson intervals; the paper's errors on attacked images are taken to be of 256 images",
        source=f"{SOURCE}, tables 1 to 4; Wilson 1927",
        draw=draw_agreement,
    ),
    **{
        f"figure7{letter}": Figure(
            title=title,
            reading="Odd columns are originals, and the image to the right of each is its distorted copy.",
            formula="x' with the least sqrt(mean((x' - x)²)) that makes the network err; in panel c, x plus "
            "independent normal noise of standard deviation 1, clipped to [0, 1] for display only",
            source=f"{SOURCE}, figure 7{letter}",
            draw=_drawn(draw_panel, letter),
        )
        for letter, title in zip(
            PANEL_LETTERS,
            (
                "Figure 7a: digits changed until the linear softmax1 errs",
                "Figure 7b: digits changed until N200-200-10 errs",
                "Figure 7c: digits under noise of standard deviation 1",
            ),
            strict=True,
        )
    },
}
