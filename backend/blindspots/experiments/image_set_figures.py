"""The figure of an image set: how many images each class has."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.base import Figure, Outcome
from blindspots.experiments.parameters import Theme

SHOWN_CLASSES = 60


def draw_classes(outcome: Outcome, theme: Theme) -> Any:
    """Bars of train and test images, the largest classes first."""
    palette = drawing.colours(theme)
    label, split = outcome.result.array("label"), outcome.result.array("split")
    names: Any = outcome.result.summary["class_names"]
    if not names:
        return drawing.empty(theme, f"{int((split >= 0).sum()):,} images without classes.")
    counts = np.array([np.bincount(label[split == number], minlength=len(names)) for number in (0, 1)])
    shown = np.argsort(-counts.sum(axis=0), kind="stable")[:SHOWN_CLASSES]
    figure = go.Figure(layout=drawing.layout(theme))
    for number, title, colour in ((0, "train", palette.accent), (1, "test", palette.reference)):
        if counts[number].any():
            figure.add_bar(
                x=[str(names[index]) for index in shown],
                y=counts[number][shown],
                name=title,
                marker={"color": colour},
                hovertemplate=f"%{{x}}<br>%{{y}} {title} images<extra></extra>",
            )
    rest = len(names) - len(shown)
    title = f"class ({rest:,} more are not shown)" if rest else "class"
    figure.update_layout(
        barmode="stack",
        xaxis={"type": "category", "title": {"text": title}},
        yaxis={"title": {"text": "images"}, "dtick": 1 if counts.sum(axis=0).max() < 6 else None},
    )
    return figure


FIGURES = {
    "classes": Figure(
        title="How many images each class has",
        reading="One bar for each class, the largest first. Where they differ much, an error rate says more "
        "of the large ones.",
        formula="Counted in the set as it was written, without pictures that could not be read.",
        source="No source: a description of the data.",
        draw=draw_classes,
    )
}
