"""How every figure looks: one template per theme, and the few drawings that several kinds share.

The colours are those of frontend/style/tokens.css. SVG traces only: WebGL ones would need `unsafe-eval`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments.parameters import Array, Theme

FONT = (  # --sans of tokens.css
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", '
    '"Liberation Sans", Arial, sans-serif'
)
MID_GREY = "rgb(128, 128, 128)"
TRANSPARENT = "rgba(0, 0, 0, 0)"


@dataclass(frozen=True)
class Colours:
    """One theme's colours by meaning."""

    background: str
    surface: str
    text: str
    muted: str
    line: str  # grid, quiet borders
    edge: str  # axes, stronger borders
    accent: str  # what the figure is about
    reference: str  # what it is held against: the paper, an exact optimum
    warning: str
    good: str


LIGHT = Colours(
    background="#ffffff",
    surface="#f7f7f8",
    text="#17181c",
    muted="#63666f",
    line="#e3e4e8",
    edge="#8b8e99",
    accent="#3557d6",
    reference="#b5510f",
    warning="#b3261e",
    good="#1d7a4a",
)
DARK = Colours(
    background="#101114",
    surface="#17181c",
    text="#eceef2",
    muted="#9a9eab",
    line="#2a2c33",
    edge="#6b6f7c",
    accent="#8aa2ff",
    reference="#f2a365",
    warning="#ff9a90",
    good="#67c795",
)
DIVERGING = [
    [0.0, "rgb(8, 29, 88)"],
    [0.25, "rgb(44, 95, 178)"],
    [0.5, MID_GREY],
    [0.75, "rgb(233, 133, 56)"],
    [1.0, "rgb(255, 240, 200)"],
]


def colours(theme: Theme) -> Colours:
    """The colours of a theme, by meaning."""
    return DARK if theme == "dark" else LIGHT


def sequential(theme: Theme) -> list[list[float | str]]:
    """Colour scale from the surface (nothing) to the accent (much)."""
    palette = colours(theme)
    return [[0.0, palette.surface], [1.0, palette.accent]]


def layout(theme: Theme) -> go.Layout:
    """An empty layout with the template of a theme: every figure starts from it."""
    return go.Layout(template=template(theme))


@cache
def template(theme: Theme) -> go.layout.Template:
    """Transparent paper, system font, tabular numerals, quiet axes, one accent colour."""
    palette = colours(theme)
    axis, colour_bar = _axis(palette), _colour_bar(palette)
    return go.layout.Template(
        layout={
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
            "font": {"family": FONT, "size": 13, "color": palette.text},
            "colorway": [palette.accent, palette.reference, palette.muted, palette.good, palette.warning],
            "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "coloraxis": {"colorbar": colour_bar},
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "bgcolor": TRANSPARENT,
                "font": {"color": palette.muted},
            },
            "hoverlabel": {
                "bgcolor": palette.surface,
                "bordercolor": palette.edge,
                "font": {"color": palette.text, "family": FONT},
            },
            "modebar": {
                "bgcolor": TRANSPARENT,
                "color": palette.muted,
                "activecolor": palette.accent,
            },
            "separators": ".\u2009",
            "dragmode": "zoom",
        },
        data={"heatmap": [{"colorbar": colour_bar}], "scatter": [{"line": {"width": 2}}]},
    )


def _axis(palette: Colours) -> dict[str, Any]:
    return {
        "gridcolor": palette.line,
        "linecolor": palette.edge,
        "tickcolor": palette.edge,
        "tickfont": {"color": palette.muted},
        "title": {"font": {"color": palette.muted, "size": 13}, "standoff": 8},
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
    }


def _colour_bar(palette: Colours) -> dict[str, Any]:
    return {
        "outlinewidth": 0,
        "thickness": 12,
        "tickfont": {"color": palette.muted},
        "title": {"font": {"color": palette.muted}},
    }


def empty(theme: Theme, message: str) -> go.Figure:
    """A figure that says why there is nothing to draw."""
    figure = go.Figure(layout=layout(theme))
    figure.add_annotation(
        text=message,
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"color": colours(theme).muted},
    )
    figure.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
    return figure


def heat_map(
    theme: Theme,
    values: Array,
    *,
    columns: Sequence[str],
    rows: Sequence[str],
    column_title: str,
    row_title: str,
    value_title: str,
) -> go.Figure:
    """A matrix (rows, columns) of numbers: first row on top, square cells, stronger colour for more."""
    assert values.shape == (len(rows), len(columns))
    figure = go.Figure(layout=layout(theme))
    figure.add_heatmap(
        z=values,
        x=list(columns),
        y=list(rows),
        colorscale=sequential(theme),
        colorbar={"title": {"text": value_title}},
        hovertemplate=f"{row_title} %{{y}}<br>{column_title} %{{x}}<br>{value_title} %{{z}}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"title": {"text": column_title}, "type": "category", "constrain": "domain", "showgrid": False},
        yaxis={
            "title": {"text": row_title},
            "type": "category",
            "autorange": "reversed",
            "scaleanchor": "x",
            "showgrid": False,
        },
    )
    return figure


def curves(
    theme: Theme,
    x: Array,
    lines: Mapping[str, Array],
    *,
    x_title: str,
    y_title: str,
    logarithmic: bool = False,
    percent: bool = False,
) -> go.Figure:
    """One line per name over the same x, (n,); the legend appears with the second line."""
    palette = colours(theme)
    figure = go.Figure(layout=layout(theme))
    for (name, y), colour in zip(
        lines.items(), (palette.accent, palette.reference, palette.muted), strict=False
    ):
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines" if len(x) > 1 else "markers",
            name=name,
            line={"color": colour},
            hovertemplate=f"{x_title} %{{x}}<br>{name} %{{y:{'.2%' if percent else '.4g'}}}<extra></extra>",
        )
    figure.update_layout(
        showlegend=len(lines) > 1,
        xaxis={"title": {"text": x_title}},
        yaxis={"title": {"text": y_title}},
    )
    if logarithmic:
        figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    else:
        figure.update_yaxes(rangemode="tozero", tickformat=".1%" if percent else None)
    return figure


def image_grid(theme: Theme, images: Array, *, columns: int, value_title: str = "weight") -> go.Figure:
    """Signed images (n, h, w) side by side, each divided by its own largest magnitude, zero is mid-grey."""
    count, height, width = images.shape
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan, np.float32)
    for place, image in enumerate(images):
        top, left = place // columns * (height + 1), place % columns * (width + 1)
        grid[top : top + height, left : left + width] = image / (np.abs(image).max() or 1.0)
    figure = go.Figure(layout=layout(theme))
    figure.add_heatmap(
        z=grid,
        zmin=-1,
        zmax=1,
        colorscale=DIVERGING,
        showscale=False,
        hoverongaps=False,
        hovertemplate=f"%{{z:+.2f}} of the largest {value_title} of this image<extra></extra>",
    )
    hidden = {"visible": False, "constrain": "domain", "showgrid": False}
    figure.update_layout(
        xaxis=hidden,
        yaxis={**hidden, "autorange": "reversed", "scaleanchor": "x"},
        margin={"t": 8},
        showlegend=False,
    )
    return figure
