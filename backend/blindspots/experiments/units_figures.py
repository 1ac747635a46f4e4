"""The figures of a units job: how pure and how alike the rows of each arm are, and the way between."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.base import Figure, Outcome
from blindspots.experiments.parameters import Array, Theme

BINS = 40
PROFILE_RANKS = 50


def draw_purity(outcome: Outcome, theme: Theme) -> Any:
    """Share of directions of each arm with at least a given label purity."""
    return _survival(outcome, theme, "purity", "label purity of the top images")


def draw_coherence(outcome: Outcome, theme: Theme) -> Any:
    """Share of directions of each arm whose top images are at least so alike."""
    return _survival(outcome, theme, "coherence", "mean cosine between two of the top images")


def _survival(outcome: Outcome, theme: Theme, score: str, axis: str) -> Any:
    figure = go.Figure(layout=drawing.layout(theme))
    values, arms = outcome.result.array(score), _arms(outcome)
    seen = values[np.isfinite(values)]
    steps = np.unique(np.quantile(seen, np.linspace(0, 1, 4 * BINS)))
    for place, arm in enumerate(arms):
        mine = np.sort(values[_rows(outcome, place)])
        if len(mine):
            above = 1 - np.searchsorted(mine, steps, side="left") / len(mine)
            figure.add_scatter(
                x=steps, y=above, mode="lines", name=arm["title"],
                line={**_line(place, theme), "shape": "vh"},
                hovertemplate=f"{arm['title']}<br>%{{y:.0%}} have %{{x:.3f}} or more<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": axis}},
        yaxis={"title": {"text": "directions with at least that"}, "tickformat": ".0%", "range": [0, 1.02]},
        showlegend=True,
    )
    return figure


def draw_profile(outcome: Outcome, theme: Theme) -> Any:
    """How far the top images stand out, in standard deviations of the direction's scores."""
    figure = go.Figure(layout=drawing.layout(theme))
    score, mean = outcome.result.array("score"), outcome.result.array("mean")
    deviation = outcome.result.array("deviation")
    for place, arm in enumerate(_arms(outcome)):
        rows = _rows(outcome, place)
        rows = rows[deviation[rows] > 0]
        if len(rows) == 0:
            continue
        height = (score[rows] - mean[rows, None]) / deviation[rows, None]
        ranks = np.arange(1, min(height.shape[1], PROFILE_RANKS) + 1)
        figure.add_scatter(
            x=ranks, y=np.median(height, axis=0)[: len(ranks)], mode="lines+markers", name=arm["title"],
            line=_line(place, theme),
            hovertemplate=f"{arm['title']}<br>rank %{{x}}<br>%{{y:.2f}} standard deviations<extra></extra>",
        )  # fmt: skip
    if not figure.data:
        return drawing.empty(theme, "No direction of this job has scores that differ between images.")
    figure.update_layout(
        xaxis={"title": {"text": "rank of the image"}, "dtick": 1 if len(ranks) < 12 else 5},
        yaxis={"title": {"text": "score above the mean, median of the arm"}, "rangemode": "tozero"},
        showlegend=True,
    )
    return figure


def draw_rotation(outcome: Outcome, theme: Theme) -> Any:
    """Mean scores on the way from the natural basis to the random one."""
    shares = {"natural": 0.0, "random": 1.0}
    on_the_way = [
        (shares.get(arm["arm"], arm["share"]), place, arm) for place, arm in enumerate(_arms(outcome))
    ]
    stops = sorted((each for each in on_the_way if each[0] is not None), key=lambda each: each[0])
    if len(stops) < 3:
        return drawing.empty(theme, "This job has no stops between the natural and the random basis.")
    figure, palette = go.Figure(layout=drawing.layout(theme)), drawing.colours(theme)
    for score, name, colour in (
        ("purity", "label purity", palette.accent),
        ("coherence", "likeness of the pixels", palette.reference),
    ):
        samples = [outcome.result.array(score)[_rows(outcome, place)] for _, place, _ in stops]
        spread = [
            1.96 * sample.std(ddof=1) / np.sqrt(len(sample)) if len(sample) > 1 else 0 for sample in samples
        ]
        figure.add_scatter(
            x=[share for share, _, _ in stops],
            y=[sample.mean() if len(sample) else None for sample in samples],
            mode="lines+markers", name=name, line={"color": colour},
            error_y={"type": "data", "array": spread, "color": colour, "thickness": 1.5, "width": 4},
            hovertemplate=f"%{{x:.0%}} of the rotation<br>{name} %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "share of the rotation"}, "tickformat": ".0%"},
        yaxis={"title": {"text": "mean over the directions, 95 % interval"}, "rangemode": "tozero"},
        showlegend=True,
    )
    return figure


def _arms(outcome: Outcome) -> list[dict[str, Any]]:
    arms: Any = outcome.result.summary["arms"]
    return list(arms)


def _rows(outcome: Outcome, place: int) -> Array:
    """Rows of one arm, without the directions that answer the same to all images."""
    found: Array = np.flatnonzero((outcome.result.array("arm") == place) & ~outcome.result.array("constant"))
    return found


def _line(place: int, theme: Theme) -> dict[str, Any]:
    palette = drawing.colours(theme)
    colours = (palette.accent, palette.reference, palette.good, palette.muted, palette.warning)
    dashes = ("solid", "solid", "dash", "dot", "dashdot", "dash")
    return {"color": colours[place % len(colours)], "dash": dashes[place % len(dashes)]}


FIGURES: Mapping[str, Figure] = {
    "purity": Figure(
        title="How often the top images share a label",
        reading="Each line is one arm: how many of its directions have top images of which at least that "
        "share bears one label. A line further right means purer rows; images drawn by chance are the "
        "floor.",
        formula="purity = max over labels of (top images with that label) / k; the k images of largest "
        "⟨φ(x), v⟩",
        source="Measure by this project; the rows are those of Szegedy et al. 2013, section 3",
        draw=draw_purity,
    ),
    "coherence": Figure(
        title="How alike the top images are in their pixels",
        reading="Each line is one arm: how many of its directions have top images that are at least that "
        "alike. If the untrained copy does as well as the trained network, likeness of pixels is all there "
        "is to see.",
        formula="coherence = mean over pairs of top images of ⟨x, x'⟩ / (‖x‖ ‖x'‖)",
        source="Measure by this project; the rows are those of Szegedy et al. 2013, section 3",
        draw=draw_coherence,
    ),
    "profile": Figure(
        title="How far the top images stand out",
        reading="The score of the first, second ... image of a direction, in standard deviations above the "
        "mean of all images; the median over the directions of an arm. Higher lines answer strongly to few "
        "images.",
        formula="(⟨φ(x_r), v⟩ − mean over x) / standard deviation over x, for rank r = 1 ... k",
        source="Measured on all chosen images",
        draw=draw_profile,
    ),
    "rotation": Figure(
        title="From single units to random directions",
        reading="At 0 the directions are single units, at 100 % random directions; between them the same "
        "rotation is carried out in part. If single units meant more, the line would fall.",
        formula="v_i(t) = exp(t log Q) e_i, Q a random rotation; mean ± 1.96 s / √n over directions i",
        source="After Bau et al. 2017, figure 4; fractional powers by the real Schur form",
        draw=draw_rotation,
    ),
}
