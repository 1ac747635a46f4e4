"""The figure of an added model: where it is right and where it errs on clean images."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.base import Figure, Outcome
from blindspots.experiments.parameters import Theme

MOST_CLASSES = 40  # of a matrix that can still be read
NOT_MEASURED = "No labelled images were chosen, so the clean error is not known."


def draw_clean_answers(outcome: Outcome, theme: Theme) -> Any:
    """Truth against answer; of many classes the error of each, the worst first."""
    palette = drawing.colours(theme)
    figure = go.Figure(layout=drawing.layout(theme))
    if "label" not in outcome.result.names:
        figure.add_annotation(text=NOT_MEASURED, showarrow=False, font={"color": palette.muted})
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False)
        return figure
    names = list(outcome.spec.class_names)  # type: ignore[attr-defined]
    truth, answer = outcome.result.array("label"), outcome.result.array("prediction")
    if len(names) <= MOST_CLASSES:
        counts = np.zeros((len(names), len(names)), dtype=np.int64)
        np.add.at(counts, (truth[answer >= 0], answer[answer >= 0]), 1)
        figure.add_heatmap(
            z=counts, x=names, y=names, colorscale=drawing.sequential(theme), xgap=1, ygap=1,
            hovertemplate="%{y} answered as %{x}: %{z} images<extra></extra>",
            colorbar={"title": {"text": "images"}}, texttemplate="%{z}" if len(names) <= 12 else None,
        )  # fmt: skip
        figure.update_layout(
            xaxis={"title": {"text": "answer"}, "type": "category"},
            yaxis={"title": {"text": "truth"}, "type": "category", "autorange": "reversed"},
        )
        return figure
    images = np.bincount(truth, minlength=len(names))
    wrong = np.bincount(truth[truth != answer], minlength=len(names))
    error = wrong / np.maximum(images, 1)
    worst = np.argsort(-error, kind="stable")[:MOST_CLASSES]
    figure.add_bar(
        x=[names[index] for index in worst], y=error[worst], customdata=images[worst],
        hovertemplate="%{x}: %{y:.0%} of %{customdata} wrong<extra></extra>",
    )  # fmt: skip
    figure.update_layout(yaxis={"title": {"text": "error"}, "tickformat": ".0%"}, xaxis={"type": "category"})
    return figure


FIGURES = {
    "clean_answers": Figure(
        title="What it answers to clean images",
        reading="Right answers lie on the diagonal; of many classes only the worst are shown, as bars.",
        formula="counts of (true class, argmax of the logits)",
        source="the chosen split, in its order",
        draw=draw_clean_answers,
    ),
}
