"""The four figures of an attack job, drawn from its joined columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.attack_summary import distance_to_error
from blindspots.experiments.base import Figure, Outcome, StoredResult
from blindspots.experiments.parameters import Array, Arrays, Theme

MOST_BINS = 60
SHARE_AXIS = {"range": [0, 1.02], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1], "showgrid": False}
CURVE_POINTS = 400
WEIGHT_EDGES = 10.0 ** ((np.arange(9 * 24 + 1) - 4 * 24 - 0.5) / 24)  # 24 bins per decade, one about 1
RATIO_EDGES = np.concatenate([[0.0], 10.0 ** ((np.arange(121) - 90.5) / 30), [np.inf]])  # 30 per decade


def draw_distortion(outcome: Outcome, theme: Theme) -> Any:
    """Histogram of the distortion, every image in one of three colours."""
    columns = _columns(outcome.result, "rms", "success", "already_wrong", "exact_rms")
    rms = columns["rms"].astype(np.float64)
    bins = int(np.clip(2 * np.sqrt(len(rms)), 10, MOST_BINS))
    edges = np.linspace(0, float(rms.max()) * 1.02 or 1.0, bins + 1)
    figure = go.Figure(layout=drawing.layout(theme))
    colours = drawing.colours(theme)
    groups = (
        ("changed by the attack", columns["success"] & ~columns["already_wrong"], colours.accent),
        ("already wrong", columns["success"] & columns["already_wrong"], colours.muted),
        ("failed: best attempt", ~columns["success"], colours.warning),
    )
    for name, chosen, colour in groups:
        if chosen.any():
            _bars(figure, edges, rms[chosen], name=f"{name} ({int(chosen.sum())})", colour=colour)
    top = float(np.histogram(rms, edges)[0].max()) * 1.05
    _line(figure, float(rms.mean()), top, name="mean", colour=colours.text, dash="solid")
    _line(figure, float(np.median(rms)), top, name="median", colour=colours.text, dash="dot")
    if "exact_rms" in columns and np.isfinite(columns["exact_rms"]).any():
        exact = columns["exact_rms"].astype(np.float64)
        mean = float(exact[np.isfinite(exact)].mean())
        _line(figure, mean, top, name="exact optimum, mean", colour=colours.reference, dash="dash")
    figure.update_layout(
        barmode="stack",
        bargap=0.05,
        xaxis={"title": {"text": "distortion (root mean square per pixel)"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "images"}, "rangemode": "tozero"},
        legend={"traceorder": "normal"},
        showlegend=True,
    )
    return figure


def _bars(figure: Any, edges: Array, values: Array, *, name: str, colour: str) -> None:
    counts, _ = np.histogram(values, edges)
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=edges[1] - edges[0],
        name=name,
        marker={"color": colour},
        hovertemplate="distortion %{x:.4f}<br>%{y} images<extra></extra>",
    )


def _line(figure: Any, x: float, top: float, *, name: str, colour: str, dash: str) -> None:
    figure.add_scatter(
        x=[x, x],
        y=[0, top],
        mode="lines",
        line={"color": colour, "dash": dash, "width": 1.5},
        name=f"{name} {x:.3g}",
        hoverinfo="name",
    )


def draw_security_curve(outcome: Outcome, theme: Theme) -> Any:
    """Accuracy that is left when every change up to a radius is allowed."""
    columns = _columns(outcome.result, "label", "reached", "already_wrong", "l2")
    distance = np.sort(distance_to_error(columns))
    reached = distance[np.isfinite(distance)]
    radius = (
        np.concatenate([[0.0], np.quantile(reached, np.linspace(0, 1, CURVE_POINTS))])
        if len(reached)
        else [0.0]
    )
    radius = np.unique(np.asarray(radius, dtype=np.float64))
    accuracy = 1 - np.searchsorted(distance, radius, side="right") / len(distance)
    colours = drawing.colours(theme)
    figure = go.Figure(layout=drawing.layout(theme))
    figure.add_scatter(
        x=radius,
        y=accuracy,
        mode="lines",
        line={"shape": "hv", "color": colours.accent, "width": 2},
        fill="tozeroy",
        name="this attack",
        hovertemplate="radius %{x:.3f}<br>accuracy %{y:.1%}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"title": {"text": "allowed change, L2 norm"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "accuracy"}, "range": [0, 1.02], "tickformat": ".0%"},
    )
    return figure


def draw_confusion(outcome: Outcome, theme: Theme) -> Any:
    """How many images of each true class ended in each class."""
    columns = _columns(outcome.result, "label", "reached")
    names = list(outcome.model(outcome.spec.model).class_names)  # type: ignore[attr-defined]
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (columns["label"], columns["reached"]), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(layout=drawing.layout(theme))
    figure.add_heatmap(
        z=counts,
        x=names,
        y=names,
        customdata=share,
        colorscale=drawing.sequential(theme),
        text=counts if len(names) <= 20 else None,
        texttemplate="%{text}" if len(names) <= 20 else None,
        showscale=len(names) > 20,
        hovertemplate="true %{y}, reached %{x}<br>%{z} images, %{customdata:.1%} of class "
        "%{y}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"title": {"text": "class reached"}, "type": "category", "constrain": "domain"},
        yaxis={
            "title": {"text": "true class"},
            "type": "category",
            "autorange": "reversed",
            "scaleanchor": "x",
        },
    )
    return figure


def trace_histograms(part: StoredResult) -> Arrays:
    """What the trace figure needs of one part, of a size that does not depend on its images.

    Each image has its own c, so each solve is placed relative to the c and the distortion at which the search
    of its image ended. Counts over both; and per weight the solves and the successes among them.
    """
    weight, distortion = part.array("trace_weight"), part.array("trace_distortion")
    success = part.array("trace_success")
    last_weight, last_distortion = part.array("weight")[:, None], part.array("rms")[:, None]
    tried = (success >= 0) & np.isfinite(weight) & (last_weight > 0) & (last_distortion > 0)
    ratio = np.divide(weight, last_weight, where=tried, out=np.ones_like(weight))[tried]
    stretch = np.divide(distortion, last_distortion, where=tried, out=np.ones_like(weight))[tried]
    joint, _, _ = np.histogram2d(ratio, stretch, bins=(WEIGHT_EDGES, RATIO_EDGES))
    solves, _ = np.histogram(ratio, WEIGHT_EDGES)
    won, _ = np.histogram(ratio[success[tried] == 1], WEIGHT_EDGES)
    counts = {"trace_joint": joint, "trace_solves": solves, "trace_successes": won}
    return {name: value.astype(np.int64) for name, value in counts.items()}


def used_bins(histograms: Arrays) -> Arrays:
    """The sums of `trace_histograms` over all parts, without the weights that nobody tried."""
    used = np.flatnonzero(histograms["trace_solves"])
    centres = np.sqrt(WEIGHT_EDGES[:-1] * WEIGHT_EDGES[1:])
    return {"trace_ratio": centres[used], **{name: counts[used] for name, counts in histograms.items()}}


def draw_trace(outcome: Outcome, theme: Theme) -> Any:
    """Distortion and success of all inner solves against c, both relative to where each search ended."""
    columns = _columns(outcome.result, "trace_ratio", "trace_joint", "trace_solves", "trace_successes")
    ratio, solves = columns["trace_ratio"], columns["trace_solves"]
    if len(ratio) == 0:
        return drawing.empty(theme, "This attack tried no weight c.")
    colours = drawing.colours(theme)
    figure = go.Figure(layout=drawing.layout(theme))
    low, middle, high = (_quantile(columns["trace_joint"], share) for share in (0.1, 0.5, 0.9))
    figure.add_scatter(
        x=np.concatenate([ratio, ratio[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself",
        mode="none", fillcolor=colours.accent, opacity=0.2, hoverinfo="skip", name="middle 80 % of the "
        "solves",
    )  # fmt: skip
    figure.add_scatter(
        x=ratio, y=middle, mode="lines+markers", line={"color": colours.accent}, name="median distortion",
        customdata=solves,
        hovertemplate="c × %{x:.3g}<br>distortion × %{y:.3f}<br>%{customdata} solves<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=ratio, y=columns["trace_successes"] / solves, mode="lines+markers", yaxis="y2",
        line={"color": colours.reference, "dash": "dash"}, name="share that reached its aim",
        hovertemplate="c × %{x:.3g}<br>%{y:.0%} reached their aim<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "weight c, relative to the image's final c"}, "type": "log"},
        yaxis={"title": {"text": "distortion, relative to the final one"}, "rangemode": "tozero"},
        yaxis2={**SHARE_AXIS, "title": {"text": "success"}, "overlaying": "y", "side": "right"},
    )
    return figure


def _quantile(counts: Array, share: float) -> Array:
    """Quantile of each row of a histogram over RATIO_EDGES, linear within its bin."""
    cumulated = np.cumsum(counts, axis=1)
    wanted = share * cumulated[:, -1]
    place = (cumulated < wanted[:, None]).sum(axis=1)
    rows = np.arange(len(counts))
    inside = np.maximum(counts[rows, place], 1)
    fraction = (wanted - (cumulated[rows, place] - counts[rows, place])) / inside
    edges = np.minimum(RATIO_EDGES, 10.0)
    quantile: Array = edges[place] + fraction * (edges[place + 1] - edges[place])
    return quantile


def _columns(result: StoredResult, *names: str) -> Arrays:
    return {name: result.array(name) for name in names if name in result.names}


FIGURES: Mapping[str, Figure] = {
    "distortion": Figure(
        title="How small a change is enough",
        reading="Each bar counts images by the size of the change that the attack found; further left means "
        "that less was needed. Images that were already answered wrongly and failed attempts are counted in "
        "their own colours.",
        formula="distortion = sqrt( Σᵢ (x'ᵢ − xᵢ)² / n ), n pixel values",
        source="Szegedy et al. 2013, section 4.1 and tables 1 to 4 (there also called stddev); exact optimum "
        "for linear networks by the box-constrained dual problem",
        draw=draw_distortion,
    ),
    "security_curve": Figure(
        title="Accuracy falls as larger changes are allowed",
        reading="At each radius, the share of images that stays right when every change up to that L2 norm "
        "is allowed; it starts at the accuracy on unchanged images. Another attack can only push the curve "
        "down.",
        formula="a(ε) = share of images with d > ε; d = 0 if wrong already, ‖x' − x‖₂ if the answer is "
        "wrong after the attack, otherwise infinite",
        source="Biggio and Roli 2018, section 3; Cinà et al. 2025 (AttackBench)",
        draw=draw_security_curve,
    ),
    "confusion": Figure(
        title="Where each class is pushed to",
        reading="Row: true class; column: what the model answers after the attack. The diagonal holds the "
        "images that stayed right.",
        formula="C[i, j] = number of images with label i and argmax z(x') = j",
        source="Measured on the stored float32 images",
        draw=draw_confusion,
    ),
    "trace": Figure(
        title="The price of distance: how c trades distortion against success",
        reading="Every value of c that was tried for any image, relative to the c and the distortion at "
        "which "
        "that image's search ended. Right of 1 the change is shorter and misses its aim, left of 1 it is "
        "longer than "
        "needed.",
        formula="minimise c |r| + loss(x + r, l) over x + r in [0, 1]ⁿ",
        source="Szegedy et al. 2013, section 4.1; the paper asks for the minimum c, which is the wrong end "
        "(see docs/science.md)",
        draw=draw_trace,
    ),
}
