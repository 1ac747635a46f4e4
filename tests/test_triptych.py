"""Original, perturbation and adversarial image as a picture and as a figure."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from blindspots.experiments.examples import Example
from blindspots.experiments.panel import magnified, panel_png
from blindspots.experiments.triptych import triptych_figure, triptych_png


def test_triptych_png_holds_three_panels_with_zero_at_mid_grey() -> None:
    original = np.zeros((1, 4, 5), np.float32)
    adversarial = original.copy()
    adversarial[0, 1, 2] = 0.5
    picture = Image.open(io.BytesIO(triptych_png(original, adversarial)))
    assert picture.size == (3 * 5 + 2, 4)
    pixels = np.asarray(picture.convert("RGBA"))
    assert pixels[0, 0].tolist() == [0, 0, 0, 255]
    assert pixels[0, 6].tolist() == [128, 128, 128, 255], "no change is mid-grey"
    assert pixels[1, 6 + 2].tolist() == [255, 240, 200, 255], "its own largest change ends the scale"
    assert pixels[1, 12 + 2].tolist() == [128, 128, 128, 255]
    assert (pixels[:, [5, 11], 3] == 0).all(), "the gaps are transparent"
    half = Image.open(io.BytesIO(triptych_png(original, adversarial, 0.5)))
    assert half.convert("RGB").getpixel((6 + 2, 1)) == (233, 133, 56), "0.5 × 0.5 is half the scale"


def test_colour_triptych_adds_the_magnified_change_to_mid_grey() -> None:
    original = np.full((3, 2, 2), 0.5, np.float32)
    adversarial = original.copy()
    adversarial[0, 0, 0] += 0.02
    adversarial[2, 0, 0] -= 0.5
    picture = Image.open(io.BytesIO(triptych_png(original, adversarial, 10)))
    red, green, blue = picture.convert("RGB").getpixel((3, 0))
    assert (green, blue) == (128, 0)
    assert red == pytest.approx(128 + 10 * 0.02 * 255, abs=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("channels", [1, 3])
def test_zoomable_triptych(theme: Any, channels: int) -> None:
    generator = np.random.default_rng(0)
    original = generator.random((channels, 6, 7), dtype=np.float32)
    adversarial = np.clip(original + generator.normal(0, 0.1, original.shape), 0, 1).astype(np.float32)
    drawn = json.loads(triptych_figure(Example({}, original, adversarial), theme).to_json())
    layout = drawn["layout"]
    largest = float(np.abs(adversarial.astype(np.float64) - original).max())
    assert layout["meta"] == {
        "max_abs_perturbation": pytest.approx(largest),
        "shape": [channels, 6, 7],
    }
    assert layout["coloraxis2"]["cmax"] == pytest.approx(largest) == -layout["coloraxis2"]["cmin"]
    assert layout["coloraxis2"]["colorscale"][2] == [0.5, "rgb(128, 128, 128)"]
    assert [trace["type"] for trace in drawn["data"]] == [{1: "heatmap", 3: "image"}[channels]] * 3
    assert [layout[axis].get("matches") for axis in ("xaxis2", "xaxis3")] == ["x", "x"]
    assert [layout[axis].get("matches") for axis in ("yaxis2", "yaxis3")] == ["y", "y"]
    assert layout["yaxis"]["range"] == [5.5, -0.5], "row 0 is on top"


def test_an_unchanged_image_still_has_a_triptych() -> None:
    image = np.full((1, 3, 3), 0.25, np.float32)
    assert triptych_png(image, image)
    drawn = json.loads(triptych_figure(Example({}, image, image), "light").to_json())
    assert drawn["layout"]["meta"]["max_abs_perturbation"] == 0
    assert drawn["layout"]["coloraxis2"]["cmax"] > 0


def example(channels: int, change: float, side: int = 6) -> Example:
    original = np.full((channels, side, side), 0.5, np.float32)
    return Example({}, original, original + np.float32(change))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_panel_of_figure_5_adds_ten_times_the_change_to_mid_grey(channels: int) -> None:
    drawn = Image.open(io.BytesIO(panel_png([example(channels, 0.02), example(channels, -0.2)])))
    assert drawn.size == (3 * 6 + 2, 2 * 6 + 1)
    pixels = np.asarray(drawn)
    assert pixels[0, 0].tolist() == [128, 128, 128, 255]
    assert pixels[0, 7].tolist() == [179, 179, 179, 255], "128 + 10 * 255 * 0.02"
    assert pixels[0, 14].tolist() == [133, 133, 133, 255]
    assert pixels[7, 7].tolist() == [0, 0, 0, 255], "a large change is cut off"
    assert pixels[0, 6, 3] == 0, "the ground shows between the pictures"


def test_the_channels_of_a_colour_change_are_magnified_one_by_one() -> None:
    change = np.zeros((3, 2, 2))
    change[0] = 0.02
    change[2] = -0.02
    assert magnified(change)[0, 0].tolist() == [179, 128, 77]
    assert magnified(change, 1)[0, 0].tolist() == [133, 128, 123]


def test_many_rows_stand_in_two_blocks() -> None:
    drawn = Image.open(io.BytesIO(panel_png([example(3, 0.01)] * 9)))
    assert drawn.size == (2 * (3 * 6 + 2) + 4, 5 * 7 - 1)
    with pytest.raises(ValueError, match="at least one example"):
        panel_png([])
