"""The figures of a training: how it went, whether it converged, and what its first layer looks at."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.base import Figure, Outcome, StoredResult
from blindspots.experiments.parameters import Array, Theme

SHOWN_IMAGES = 100
SHOWN_POINTS = 2000
FIRST_LAYER = ("convolution", "encoder", "hidden.0", "output")  # the first of these that a network has


def draw_curves(outcome: Outcome, theme: Theme) -> Any:
    """Loss above, errors below, against iterations or epochs."""
    palette = drawing.colours(theme)
    rows = _shown(outcome.result)
    step, word = outcome.result.array("iteration")[rows], _step_word(outcome)
    figure = go.Figure(layout=drawing.layout(theme))
    mode = "lines" if len(step) > 1 else "markers"
    lines = (
        ("loss", "loss", "y2", palette.text, ".4g"),
        ("train_error", "train error", "y", palette.accent, ".2%"),
        ("test_error", "test error", "y", palette.reference, ".2%"),
    )
    for name, title, axis, colour, number in lines:
        figure.add_scatter(
            x=step,
            y=outcome.result.array(name)[rows],
            yaxis=axis,
            name=title,
            mode=mode,
            line={"color": colour},
            hovertemplate=f"{word} %{{x}}<br>{title} %{{y:{number}}}<extra></extra>",
        )
    figure.update_layout(
        xaxis={"title": {"text": word}},
        yaxis={
            "title": {"text": "error"},
            "domain": [0, 0.46],
            "tickformat": ".1%",
            "range": [0, _top_error(outcome.result)],
        },
        yaxis2={
            "title": {"text": "loss"},
            "domain": [0.54, 1],
            "type": "log",
            "exponentformat": "power",
            "dtick": 1,
        },
        hovermode="x unified",
    )
    return figure


def draw_gradient_norm(outcome: Outcome, theme: Theme) -> Any:
    """The largest component of the gradient, which is zero at a minimum."""
    rows = _shown(outcome.result)
    return drawing.curves(
        theme,
        outcome.result.array("iteration")[rows],
        {"largest component of the gradient": outcome.result.array("gradient_norm")[rows]},
        x_title=_step_word(outcome),
        y_title="largest component of the gradient",
        logarithmic=True,
    )


def draw_first_layer(outcome: Outcome, theme: Theme) -> Any:
    """The weights of the first layer, each unit as an image."""
    part = outcome.part(0)
    layer = next(name for name in FIRST_LAYER if f"weight.{name}.weight" in part.names)
    weights = part.array(f"weight.{layer}.weight")
    if weights.ndim == 2:
        images, _ = outcome.dataset(outcome.spec.dataset, "test")  # type: ignore[attr-defined]
        weights = weights.reshape(len(weights), *images.shape[1:])
    averaged = weights[:SHOWN_IMAGES].mean(axis=1)  # over colour channels
    columns = 5 if len(averaged) == 10 else 10
    return drawing.image_grid(theme, averaged, columns=columns)


def _shown(result: StoredResult) -> Array:
    """Rows to draw: all, or as many as the eye can tell apart, the last included."""
    count = len(result.array("iteration"))
    return np.unique(np.linspace(0, count - 1, min(count, SHOWN_POINTS)).round().astype(np.int64))


def _top_error(result: StoredResult) -> float:
    """End of the error axis: what comes after the steep beginning fills it."""
    errors = np.maximum(result.array("train_error"), result.array("test_error"))
    return float(np.clip(1.3 * errors[len(errors) // 10 :].max(), 0.01, 1.05))


def _step_word(outcome: Outcome) -> str:
    return "iteration" if outcome.result.summary["optimiser"] == "lbfgs" else "epoch"


FIGURES: Mapping[str, Figure] = {
    "curves": Figure(
        title="Loss and errors while it learnt",
        reading="Test error often still falls long after the training error has reached zero. The steep "
        "beginning of the errors is cut off. With Adam, loss and train error are means over an epoch, with "
        "dropout.",
        formula=r"-\tfrac1N \sum_k \log p_{y_k}(x_k) + "
        r"\tfrac{\lambda}{2} (\lVert w \rVert^2 + \lVert b \rVert^2)"
        r" \text{ in the default reading of the weight decay; error: share of wrong answers}",
        source="Szegedy et al. 2013, section 3.1",
        draw=draw_curves,
    ),
    "gradient_norm": Figure(
        title="Whether it converged",
        reading="At a minimum the gradient is zero; the further it fell, the better the training has "
        "converged. With Adam it is the mean gradient over an epoch.",
        formula=r"\lVert \nabla_\theta \, \mathrm{loss} \rVert_\infty",
        source="Nocedal and Wright 2006, section 2.1",
        draw=draw_gradient_norm,
    ),
    "first_layer": Figure(
        title="What the first layer looks at",
        reading="One image per unit, or per class for a linear network: where it is orange a brighter pixel "
        "raises the unit's sum, where it is blue it lowers it, mid-grey is zero. Each is scaled by its own "
        "largest weight.",
        formula=r"w_{ij} / \max_j \lvert w_{ij} \rvert, \text{ averaged over colour channels}",
        source="The trained weights; such filters as in Szegedy et al. 2013, section 3.1",
        draw=draw_first_layer,
    ),
}
