"""The figures of a transfer, drawn from its summary: matrices, and how far the images are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from blindspots.experiments import drawing
from blindspots.experiments.base import Figure, Outcome
from blindspots.experiments.parameters import Array, Theme

ROW_HEIGHT = 30  # pixels
EVEN_LUMINANCE = 0.179  # where black and white contrast equally: (L + 0.05)^2 = 0.05 * 1.05
SOURCE_ROWS = ("attack", "direction", "amplified")
Value = Callable[[Mapping[str, Any]], float | None]


def draw_error(outcome: Outcome, theme: Theme) -> Any:
    """Error of every evaluated model on the images of every row."""
    return _draw(outcome, theme, lambda cell: cell["error"], kinds=None, what="error", percent=True)


def draw_excess(outcome: Outcome, theme: Theme) -> Any:
    """What the change added to the error."""
    kinds = (*SOURCE_ROWS, "noise")
    return _draw(outcome, theme, lambda cell: cell["excess"], kinds=kinds, what="excess error", percent=True)


def draw_equal_l2(outcome: Outcome, theme: Theme) -> Any:
    """Error when every change has one length."""

    def value(cell: Mapping[str, Any]) -> float | None:
        error: float | None = cell["equal_l2"]["error"] if cell["equal_l2"] else None
        return error

    norm: Any = outcome.result.summary["equal_l2_norm"]
    what = "error" if norm is None else f"error at L2 norm {norm:.3g}"
    return _draw(outcome, theme, value, kinds=("attack",), what=what, percent=True)


def draw_cosine(outcome: Outcome, theme: Theme) -> Any:
    """Whether two attacks change an image in the same direction."""
    return _draw(
        outcome, theme, lambda cell: cell["cosine"], kinds=("attack",), what="mean cosine", percent=False
    )


def _draw(
    outcome: Outcome, theme: Theme, value: Value, *, kinds: Sequence[str] | None, what: str, percent: bool
) -> Any:
    summary: Any = outcome.result.summary
    rows = [row for row in summary["rows"] if kinds is None or row["kind"] in kinds]
    values = np.array(
        [[np.nan if (v := value(cell)) is None else v for cell in row["cells"]] for row in rows], np.float64
    )
    if not np.isfinite(values).any():
        return drawing.empty(theme, "There is no source among the evaluated models." if not percent else
                             "This transfer has no source model.")  # fmt: skip
    return _matrix(
        theme,
        values,
        rows=[row["label"] for row in rows],
        columns=[model["name"] for model in summary["models"]],
        what=what,
        percent=percent,
    )


def _matrix(
    theme: Theme, values: Array, *, rows: Sequence[str], columns: Sequence[str], what: str, percent: bool
) -> go.Figure:
    """Numbers in cells, first row on top; the scale starts at 0, so that below it a cell has no colour."""
    text = [[_text(value, percent=percent) for value in row] for row in values]
    top = 1.0 if not percent else max(0.01, float(np.nanmax(values)))
    figure = go.Figure(layout=drawing.layout(theme))
    figure.add_heatmap(
        z=values,
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        text=text,
        customdata=[[[row, column] for column in columns] for row in rows],
        colorscale=drawing.sequential(theme),
        zmin=0,
        zmax=top,
        showscale=False,
        hoverongaps=False,
        xgap=1,
        ygap=1,
        hovertemplate=f"images: %{{customdata[0]}}<br>shown to %{{customdata[1]}}<br>{what} %{{text}}"
        "<extra></extra>",
    )
    places = np.indices(values.shape).reshape(2, -1)
    figure.add_scatter(
        x=places[1],
        y=places[0],
        mode="text",
        text=[number for row in text for number in row],
        textfont={"color": _readable(theme, np.clip(np.nan_to_num(values.ravel() / top), 0, 1))},
        hoverinfo="skip",
        showlegend=False,
    )
    quiet = {"showgrid": False, "ticks": "", "showline": False, "fixedrange": True}
    figure.update_layout(
        height=ROW_HEIGHT * len(rows) + 90,
        xaxis={**quiet, **_ticks(columns), "side": "top", "range": [-0.5, len(columns) - 0.5]},
        yaxis={**quiet, **_ticks(rows), "range": [len(rows) - 0.5, -0.5]},
    )
    return figure


def _readable(theme: Theme, shares: Array) -> list[str]:
    """Black or white, whichever contrasts more with the cell of each share (n,) of the colour scale."""
    palette = drawing.colours(theme)
    ends = np.array([hex_to_rgb(palette.surface), hex_to_rgb(palette.accent)]) / 255
    channels = ends[0] + shares[:, None] * (ends[1] - ends[0])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])  # WCAG 2.2, relative luminance
    return ["#000000" if bright else "#ffffff" for bright in luminance > EVEN_LUMINANCE]


def _ticks(names: Sequence[str]) -> dict[str, Any]:
    """Names on an axis of numbers: names that are alike when cut short still have their own places."""
    short = [name if len(name) <= 34 else f"{name[:16]}…{name[-16:]}" for name in names]
    return {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": short}


def _text(value: float, *, percent: bool) -> str:
    if not np.isfinite(value):
        return ""
    return f"{100 * value:.1f}" if percent else f"{value:.2f}"


def draw_distortion(outcome: Outcome, theme: Theme) -> Any:
    """Mean distortion of each row, with its interval."""
    summary: Any = outcome.result.summary
    rows = [row for row in summary["rows"] if row["kind"] != "clean"]
    if not rows:
        return drawing.empty(theme, "No image was changed.")
    colours = drawing.colours(theme)
    mean = np.array([row["mean_distortion"] for row in rows])
    figure = go.Figure(layout=drawing.layout(theme))
    figure.add_scatter(
        x=mean,
        y=list(range(len(rows))),
        mode="markers",
        marker={"color": colours.accent, "size": 9},
        error_x={
            "array": np.array([row["distortion_high"] for row in rows]) - mean,
            "arrayminus": mean - np.array([row["distortion_low"] for row in rows]),
            "color": colours.accent,
        },
        name="measured, with 95 % interval",
        customdata=[row["label"] for row in rows],
        hovertemplate="%{customdata}<br>mean distortion %{x:.4f}<extra></extra>",
    )
    printed = [(place, row["paper_distortion"]) for place, row in enumerate(rows) if row["paper_distortion"]]
    if printed:
        figure.add_scatter(
            x=[value for _, value in printed],
            y=[place for place, _ in printed],
            mode="markers",
            marker={"color": colours.reference, "symbol": "line-ns-open", "size": 14},
            name="paper",
            hovertemplate="paper %{x}<extra></extra>",
        )
    figure.update_layout(
        height=ROW_HEIGHT * len(rows) + 110,
        xaxis={"title": {"text": "mean distortion (root mean square per pixel)"}, "rangemode": "tozero"},
        yaxis={**_ticks([row["label"] for row in rows]), "autorange": "reversed"},
        showlegend=bool(printed),
    )
    return figure


SOURCE = "Szegedy et al. 2013, section 4.1, tables 2 and 4"
FIGURES: Mapping[str, Figure] = {
    "error_matrix": Figure(
        title="Images that were made for one model, shown to every model",
        reading="Row: how the images were changed, and for which model; column: the model that answers. The "
        "number is the percentage of images that are not given their true label. Where row and column name "
        "one model, 100 says that its attack succeeded on every image.",
        formula="error = images with argmax z(x') ≠ y, of all images of the row",
        source=SOURCE,
        draw=draw_error,
    ),
    "excess": Figure(
        title="What the change added to the error",
        reading="As above, less the model's error on the same images unchanged: a poor model errs on many "
        "images anyway, and that is no transfer.",
        formula="excess = error(x') − error(x), on the same images",
        source="Ours, beside the paper's raw error",
        draw=draw_excess,
    ),
    "equal_l2": Figure(
        title="Transfer when every change is equally long",
        reading="Each change keeps its direction and is brought to one length; otherwise the model whose "
        "attack needs long changes looks as if its images transferred best.",
        formula="error on x + L r / ‖r‖₂, with one L for all images and all sources",
        source="Ours, beside the paper's raw error",
        draw=draw_equal_l2,
    ),
    "cosine": Figure(
        title="Do two attacks change an image in the same direction?",
        reading="Mean cosine between the changes that the row's and the column's own attack made of the same "
        "images. Two random directions in n dimensions have about ±1 / √n.",
        formula="cos = r_A · r_B / (‖r_A‖₂ ‖r_B‖₂), averaged over images where neither is 0",
        source="Ours, beside the paper's raw error",
        draw=draw_cosine,
    ),
    "distortion": Figure(
        title="How far the images of each row are",
        reading="Mean distortion of the images of each row with its bootstrap interval; a mark where the "
        "paper prints one.",
        formula="distortion = sqrt( Σᵢ (x'ᵢ − xᵢ)² / n ), n pixel values",
        source=SOURCE + ", last column",
        draw=draw_distortion,
    ),
}
