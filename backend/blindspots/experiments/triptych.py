"""Original, perturbation and adversarial image side by side: as a PNG for the gallery, as a figure to zoom
into.

The perturbation x' - x is signed: zero is mid-grey. Szegedy et al. 2013, figures 5 to 7.
"""

import base64
import io
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image
from plotly.colors import unlabel_rgb

from blindspots.experiments import drawing
from blindspots.experiments.examples import Example
from blindspots.experiments.parameters import Array, Theme

PANELS = ("Original", "Perturbation", "Adversarial")


def full_scale(perturbation: Array, magnification: float | None) -> float:
    """The size of a pixel's change that is drawn at the end of the colour scale.

    None normalises the image by its own largest change. A number is the paper's magnification: the change
    times that number is added to mid-grey, so 0.5 / magnification reaches black or white.
    """
    if magnification is None:
        return float(np.abs(perturbation).max()) or 1.0
    if not magnification > 0:
        raise ValueError(f"magnification must be positive, got {magnification}")
    return 0.5 / magnification


def triptych_png(
    original: Array, adversarial: Array, magnification: float | None = None, *, gap: int = 1
) -> bytes:
    """Original | perturbation | adversarial as one PNG at one pixel per pixel, `gap` transparent pixels
    between.

    original, adversarial: (c, h, w) float32 in [0, 1], c = 1 (the perturbation is coloured: blue took away,
    orange added) or 3 (it is drawn about mid-grey, channel by channel). magnification: see `full_scale`.
    """
    if original.shape != adversarial.shape or original.ndim != 3 or original.shape[0] not in (1, 3):
        raise ValueError(
            f"expected two images of 1 or 3 channels, got {original.shape} and {adversarial.shape}"
        )
    perturbation = adversarial.astype(np.float64) - original
    signed = np.clip(perturbation / full_scale(perturbation, magnification), -1, 1)
    panels = (colours(original), _signed_colours(signed), colours(adversarial))
    _, height, width = original.shape
    canvas = np.zeros((height, 3 * width + 2 * gap, 4), dtype=np.uint8)
    for place, panel in enumerate(panels):
        left = place * (width + gap)
        canvas[:, left : left + width, :3] = panel
        canvas[:, left : left + width, 3] = 255
    return _png(canvas)


def triptych_figure(example: Example, theme: Theme) -> Any:
    """The same three panels as heat maps that zoom together; every pixel tells row, column and value.

    The perturbation has its own `coloraxis2`, symmetric about zero; the browser magnifies it by changing its
    limits to -+ `layout.meta.max_abs_perturbation` / magnification. Colour images are drawn as pictures.
    """
    assert example.adversarial is not None, "only statistics were kept of this image"
    perturbation = example.adversarial.astype(np.float64) - example.original
    limit = full_scale(perturbation, None)
    channels, height, width = example.original.shape
    if channels == 1:
        traces = _heat_maps(example.original, perturbation, example.adversarial)
    else:
        signed = np.clip(perturbation / limit, -1, 1)
        traces = _pictures(colours(example.original), _signed_colours(signed), colours(example.adversarial))
    figure = go.Figure(data=traces, layout=drawing.layout(theme))
    figure.update_layout(
        meta={
            "max_abs_perturbation": float(np.abs(perturbation).max()),
            "shape": [channels, height, width],
        },
        coloraxis={"cmin": 0, "cmax": 1, "colorscale": "gray", "showscale": False},
        coloraxis2={
            "cmin": -limit,
            "cmax": limit,
            "colorscale": drawing.DIVERGING,
            "showscale": channels == 1,
            "colorbar": {"title": {"text": "change"}, "thickness": 12, "len": 0.9},
        },
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        annotations=[_panel_title(place, name) for place, name in enumerate(PANELS)],
        showlegend=False,
        dragmode="zoom",
    )
    for place in range(3):
        figure.update_layout(**_panel_axes(place, height, width))
    return figure


def colours(image: Array) -> Array:
    """(c, h, w) floats in [0, 1] -> (h, w, 3) uint8."""
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    if pixels.shape[0] == 1:
        pixels = np.repeat(pixels, 3, axis=0)
    ordered: Array = pixels.transpose(1, 2, 0)
    return ordered


def _signed_colours(signed: Array) -> Array:
    """(c, h, w) in [-1, 1] -> (h, w, 3) uint8, zero is mid-grey."""
    if signed.shape[0] == 3:
        mixed = 128 + 127.5 * signed.transpose(1, 2, 0)
    else:
        stops = np.array([unlabel_rgb(colour) for _, colour in drawing.DIVERGING])
        positions = np.linspace(-1, 1, len(stops))
        mixed = np.stack([np.interp(signed[0], positions, stop) for stop in stops.T], axis=-1)
    pixels: Array = np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)
    return pixels


def _png(pixels: Array) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def _heat_maps(original: Array, perturbation: Array, adversarial: Array) -> list[Any]:
    where = "row %{y}, column %{x}<br>"
    values = (original[0], perturbation[0].astype(np.float32), adversarial[0])
    formats = ("%{z:.4f}", "%{z:+.4f}", "%{z:.4f}")
    return [
        go.Heatmap(
            z=value,
            xaxis=f"x{_suffix(place)}",
            yaxis=f"y{_suffix(place)}",
            coloraxis="coloraxis2" if place == 1 else "coloraxis",
            hovertemplate=f"{where}{PANELS[place].lower()} {number}<extra></extra>",
        )
        for place, (value, number) in enumerate(zip(values, formats, strict=True))
    ]


def _pictures(*panels: Array) -> list[Any]:
    return [
        go.Image(
            source="data:image/png;base64," + base64.b64encode(_png(panel)).decode(),
            xaxis=f"x{_suffix(place)}",
            yaxis=f"y{_suffix(place)}",
            hovertemplate=f"row %{{y}}, column %{{x}}<br>{PANELS[place].lower()} %{{color}}<extra></extra>",
        )
        for place, panel in enumerate(panels)
    ]


def _suffix(place: int) -> str:
    return "" if place == 0 else str(place + 1)


def _panel_axes(place: int, height: int, width: int) -> dict[str, Any]:
    """Axes of one panel: hidden, square pixels, row 0 on top, zoomed together with the first panel's."""
    left = place * 0.335
    horizontal: dict[str, Any] = {"domain": [left, left + 0.32], "range": [-0.5, width - 0.5]}
    vertical: dict[str, Any] = {"range": [height - 0.5, -0.5], "scaleanchor": "x"}
    if place > 0:
        horizontal["matches"] = "x"
        vertical = {"range": [height - 0.5, -0.5], "matches": "y"}
    hidden = {"visible": False, "constrain": "domain", "zeroline": False, "showgrid": False}
    suffix = _suffix(place)
    vertical["constraintoward"] = "top"
    return {
        f"xaxis{suffix}": {**hidden, **horizontal, "anchor": f"y{suffix}"},
        f"yaxis{suffix}": {**hidden, **vertical, "anchor": f"x{suffix}"},
    }


def _panel_title(place: int, name: str) -> dict[str, Any]:
    return {
        "text": name,
        "x": place * 0.335 + 0.16,
        "y": 1.0,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "showarrow": False,
    }
