"""The figures of a spectral job: bounds, singular values, growth through the network, gain, radius."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.base import Figure, Outcome
from blindspots.experiments.parameters import Theme

SOURCE = "Szegedy et al. 2013, section 4.3"
UNMEASURED = "This job looked only at the weights."
MOST_CURVES = 12  # of layers, whose singular values are drawn one over another
SHOWN_IMAGES = 2000
POWERS = {"type": "log", "exponentformat": "power"}


def draw_bounds(outcome: Outcome, theme: Theme) -> Any:
    """Norm and smallest singular value of every layer."""
    palette, layers = drawing.colours(theme), _layers(outcome)
    names = [line["name"] for line in layers]
    figure = go.Figure(layout=drawing.layout(theme))
    lowest = [line["smallest"] if line["smallest"] > 0 else None for line in layers]
    for name, low, line in zip(names, lowest, layers, strict=True):
        if low is not None:
            figure.add_scatter(
                x=[name, name], y=[low, line["upper"]], mode="lines", hoverinfo="skip", showlegend=False,
                line={"color": palette.line, "width": 6},
            )  # fmt: skip
    figure.add_scatter(
        x=names, y=[line["upper"] for line in layers], mode="markers", name="largest: upper bound",
        marker={"color": palette.accent, "size": 10},
        hovertemplate="%{x}<br>upper bound %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=names, y=lowest, mode="markers", name="smallest",
        marker={"color": palette.reference, "size": 9, "symbol": "diamond"},
        hovertemplate="%{x}<br>smallest singular value %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=1, line={"color": palette.muted, "dash": "dot", "width": 1})
    figure.update_layout(
        xaxis={"type": "category"}, yaxis={"title": {"text": "singular value"}, **POWERS}, showlegend=True
    )
    return figure


def draw_spectrum(outcome: Outcome, theme: Theme) -> Any:
    """Sorted singular values of every layer over their rank."""
    layers, quantiles = _layers(outcome), outcome.result.array("quantiles")
    chosen = np.unique(np.linspace(0, len(layers) - 1, min(len(layers), MOST_CURVES)).round().astype(int))
    figure = go.Figure(layout=drawing.layout(theme))
    share = np.linspace(0, 1, quantiles.shape[1])
    for place, number in enumerate(chosen):
        values = quantiles[number][::-1].tolist()
        figure.add_scatter(
            x=share, y=[value if value > 0 else None for value in values], mode="lines",
            name=layers[number]["name"], line=_line(place, theme),
            hovertemplate=layers[number]["name"] + "<br>%{x:.0%} are larger than %{y:.4g}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "share of the singular values"}, "tickformat": ".0%", "range": [0, 1.02]},
        yaxis={"title": {"text": "singular value"}, **POWERS},
        showlegend=True,
    )
    return figure


def draw_growth(outcome: Outcome, theme: Theme) -> Any:
    """The bound after every layer, and what an attack's change has grown to there."""
    palette, layers = drawing.colours(theme), _layers(outcome)
    names = [line["name"] for line in layers]
    lines = [
        ("product of the norms", [line["product"] for line in layers], palette.muted, "dot"),
        ("bound, all operations", [line["bound"] for line in layers], palette.accent, "solid"),
    ]
    if all(line["amplification"] for line in layers):
        lines += [
            ("attack, largest", [line["amplification"]["max"] for line in layers], palette.reference, "dot"),
            (
                "attack, median",
                [line["amplification"]["median"] for line in layers],
                palette.reference,
                "solid",
            ),
        ]
    figure = go.Figure(layout=drawing.layout(theme))
    for name, values, colour, dash in lines:
        figure.add_scatter(
            x=names, y=[value if value > 0 else None for value in values], mode="lines+markers", name=name,
            line={"color": colour, "dash": dash},
            hovertemplate=f"%{{x}}<br>{name}: %{{y:.4g}} times<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"type": "category"}, yaxis={"title": {"text": "times the change"}, **POWERS}, showlegend=True
    )
    return figure


def draw_gain(outcome: Outcome, theme: Theme) -> Any:
    """Histogram of the local gain, beside the bound."""
    if outcome.result.summary["measured"] is None:
        return drawing.empty(theme, UNMEASURED)
    palette, bound = drawing.colours(theme), float(str(outcome.result.summary["bound"]))
    gain = outcome.result.array("gain")
    gain = gain[gain > 0]
    if not len(gain) or bound <= 0:
        return drawing.empty(theme, "The network does not change near these images.")
    logs = np.log10(gain)
    counts, edges = np.histogram(logs, bins=int(np.clip(2 * np.sqrt(len(gain)), 8, 50)))
    figure = go.Figure(layout=drawing.layout(theme))
    figure.add_bar(
        x=10 ** ((edges[:-1] + edges[1:]) / 2), y=counts, width=10 ** edges[1:] - 10 ** edges[:-1],
        name="images", marker={"color": palette.accent},
        hovertemplate="gain %{x:.3g}<br>%{y} images<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[bound, bound], y=[0, int(counts.max())], mode="lines", name=f"bound {bound:.3g}",
        line={"color": palette.reference, "dash": "dash"}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "largest local gain ‖J(x)‖"}, **POWERS},
        yaxis={"title": {"text": "images"}}, showlegend=True,
    )  # fmt: skip
    return figure


def draw_radius(outcome: Outcome, theme: Theme) -> Any:
    """Certified radius of every image beside the distance of the attack's image."""
    measured: Any = outcome.result.summary["measured"]
    if not measured or not measured["attack"]:
        return drawing.empty(theme, "This job attacked no image.")
    palette = drawing.colours(theme)
    columns = {name: outcome.result.array(name) for name in ("index", "l2", "radius", "success")}
    rows = np.flatnonzero(columns["success"] & (columns["l2"] > 0) & (columns["radius"] > 0))[:SHOWN_IMAGES]
    if not len(rows):
        return drawing.empty(theme, "The attack fooled none of the images that were answered rightly.")
    l2, radius = columns["l2"][rows], columns["radius"][rows]
    ends = [float(min(l2.min(), radius.min())) / 1.3, float(max(l2.max(), radius.max())) * 1.3]
    figure = go.Figure(layout=drawing.layout(theme))
    figure.add_scatter(
        x=l2, y=radius, mode="markers", name="images", customdata=columns["index"][rows],
        marker={"color": palette.accent, "size": 6, "opacity": 0.7},
        hovertemplate="image %{customdata}<br>attack %{x:.3g}<br>certified %{y:.3g}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="equal", line={"color": palette.reference, "dash": "dash"},
        hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "distance of the attack's image, L2"}, **POWERS},
        yaxis={"title": {"text": "certified radius, L2"}, **POWERS},
        showlegend=True,
    )
    return figure


def _layers(outcome: Outcome) -> list[Mapping[str, Any]]:
    layers: Any = outcome.result.summary["layers"]
    return list(layers)


def _line(place: int, theme: Theme) -> dict[str, Any]:
    """Four colours, then the same with other dashes."""
    palette = drawing.colours(theme)
    colours = (palette.accent, palette.reference, palette.good, palette.muted)
    return {"color": colours[place % 4], "dash": ("solid", "dash", "dot")[place // 4 % 3]}


FIGURES = {
    "bounds": Figure(
        title="How far each layer can stretch a change, and how little",
        reading="The upper point is the layer's norm, its largest singular value; the lower the smallest. "
        "Above the dotted line at 1 a change can grow.",
        formula="‖W‖ = sup over θ of σ₁(A(θ)), A(θ) = Σᵤ w[u] e^{iθ·u} of the S² polyphase components; "
        "dense layers: σ₁(W)",
        source=SOURCE + ", table 5",
        draw=draw_bounds,
    ),
    "spectrum": Figure(
        title="All singular values of each layer",
        reading="Sorted from the largest on the left: a flat curve treats all directions alike, a steep one "
        "stretches few.",
        formula="singular values of A(θ) at every frequency of a grid; those at θ and −θ are equal",
        source=SOURCE + "; Sedghi, Gupta and Long 2019 for stride 1",
        draw=draw_spectrum,
    ),
    "growth": Figure(
        title="How a change may grow on its way to the logits, and how it does",
        reading="The bounds multiply layer by layer; with an attack, the lines below show how far its "
        "changes have grown there, before each layer's activation.",
        formula="L ≤ Πₖ ‖Wₖ‖ · (factors of pooling, activation, normalisation); ‖hₖ(x′) − hₖ(x)‖ / ‖x′ − x‖",
        source=SOURCE,
        draw=draw_growth,
    ),
    "gain": Figure(
        title="The largest gain near each image, beside the bound",
        reading="The distance from the bars to the dashed line is what the product of the layers' norms "
        "overstates near these images.",
        formula="‖J(x)‖₂ of the logits' Jacobian J(x) = ∂z/∂x",
        source="Ours, beside " + SOURCE,
        draw=draw_gain,
    ),
    "radius": Figure(
        title="Where the bound excludes an attack, and where one was found",
        reading="Each point is an image; below the dashed line the found image lies outside the certified "
        "radius, as it must.",
        formula="radius = margin(x) / (√2 L), margin = z_y − max of the other logits, L the bound",
        source="Ours, from " + SOURCE,
        draw=draw_radius,
    ),
}
