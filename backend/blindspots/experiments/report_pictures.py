"""Figure 7 in a report: each panel one PNG inside the page."""

import base64
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from blindspots.experiments.parameters import Array
from blindspots.experiments.report_markup import Html, tag


def figure7(found: Mapping[str, Any], pictures: Callable[[str], Array], *, comparable: bool) -> Html:
    """All panels; `pictures` answers the images (n, h, w) of a panel."""
    columns = found["columns"]
    panels = [
        _panel(panel, _png(pictures(f"figure7.{panel['letter']}"), columns), comparable=comparable)
        for panel in found["panels"]
    ]
    return tag(
        "section",
        tag("h2", "Figure 7"),
        tag(
            "p",
            "In every pair the original stands on the left, its distorted copy on the right.",
            class_="caption",
        ),
        tag("div", *panels, class_="panels"),
        id="figure7",
    )


def _panel(panel: Mapping[str, Any], png: bytes, *, comparable: bool) -> Html:
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    caption = f"{panel['caption']}."
    return tag(
        "figure",
        tag("img", src=source, alt=caption),
        tag(
            "figcaption",
            tag("b", f"({panel['letter']}) {panel['model']}. "),
            caption,
            " ",
            _numbers(panel, comparable=comparable),
        ),
    )


def _numbers(panel: Mapping[str, Any], *, comparable: bool) -> str:
    """What was measured beside what is printed."""
    paper = "paper" if comparable else "paper, on MNIST"
    if panel["paper_accuracy"] is None:
        return f"Mean distortion {panel['distortion']:.3f} ({paper} {panel['paper_distortion']:g})."
    interval = f"[{panel['low']:.1f}, {panel['high']:.1f}]"
    printed = f"({paper} {panel['paper_accuracy']:g} %)"
    return f"Accuracy {panel['accuracy']:.1f} % {interval} of {panel['images']:,} images {printed}."


def _png(images: Array, columns: int) -> bytes:
    """Images (n, h, w) in [0, 1] in rows of `columns`: a little space within a pair, more between pairs."""
    count, height, width = images.shape
    gap, between = max(1, width // 14), max(2, width // 5)
    lefts = [place * (width + gap) + place // 2 * (between - gap) for place in range(columns)]
    rows = -(-count // columns)
    canvas = np.zeros((rows * (height + between) - between, lefts[-1] + width, 2), dtype=np.uint8)
    for number, image in enumerate(images):
        top, left = number // columns * (height + between), lefts[number % columns]
        canvas[top : top + height, left : left + width, 0] = np.rint(255 * np.clip(image, 0, 1))
        canvas[top : top + height, left : left + width, 1] = 255
    stream = io.BytesIO()
    Image.fromarray(canvas, mode="LA").save(stream, format="PNG", optimize=True)
    return stream.getvalue()
