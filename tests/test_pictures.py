"""Uploaded pictures: every usual form is read, anything else is refused, nothing but pixels is kept."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from blindspots.errors import InvalidInput, TooLarge, UnsupportedMedia
from workbench import Workbench


@pytest.fixture
def bench(database_url, tmp_path):
    made = Workbench(database_url, tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def local(tmp_path):
    made = Workbench("", tmp_path / "data")
    yield made
    made.close()


def png(pixels, form="PNG", **options):
    stream = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(stream, form, **options)
    return stream.getvalue()


class TestPictures:
    def test_a_picture_is_kept_as_plain_png(self, bench):
        colour = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        stored = bench.service.store_image(png(colour))
        assert stored["shape"] == [3, 5, 7]
        again = np.asarray(Image.open(io.BytesIO(bench.service.image_png(stored["id"]))))
        np.testing.assert_array_equal(again, colour)
        assert bench.service.store_image(png(colour))["id"] == stored["id"]

    @pytest.mark.parametrize(
        ("content", "shape"),
        [
            (png(np.zeros((4, 6), np.uint8)), [1, 4, 6]),
            (png(np.zeros((4, 6), np.uint8), "JPEG"), [1, 4, 6]),
            (png(np.zeros((4, 6, 3), np.uint8), "WEBP"), [3, 4, 6]),
            (png(Image.new("RGBA", (6, 4), (255, 0, 0, 0))), [3, 4, 6]),
            (png(Image.new("P", (6, 4))), [3, 4, 6]),
            (png(Image.new("1", (6, 4))), [1, 4, 6]),
            (png(Image.fromarray(np.full((4, 6), 40_000, np.uint16))), [1, 4, 6]),
            (png(Image.new("CMYK", (6, 4)), "JPEG"), [3, 4, 6]),
        ],
        ids=["grey", "jpeg", "webp", "transparent", "palette", "bits", "16 bits", "cmyk"],
    )
    def test_every_usual_form_is_read(self, local, content, shape):
        assert local.service.store_image(content)["shape"] == shape

    def test_transparency_becomes_white(self, local):
        stored = local.service.store_image(png(Image.new("RGBA", (2, 2), (255, 0, 0, 0))))
        assert np.asarray(Image.open(io.BytesIO(local.service.image_png(stored["id"])))).min() == 255

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b"", UnsupportedMedia),
            (b"GIF89a" + b"\0" * 50, UnsupportedMedia),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedMedia),
            (b"%PDF-1.4", UnsupportedMedia),
            (png(np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8))[:900], InvalidInput),
            (b"\x89PNG\r\n\x1a\n" + b"\0" * 64, InvalidInput),
            (b"\xff\xd8\xff" + b"junk" * 20, InvalidInput),
            (b"RIFF\0\0\0\0AVI ", InvalidInput),
            (png(Image.new("1", (50_000, 50_000))), TooLarge),
        ],
        ids=["empty", "gif", "svg", "pdf", "cut off", "no header", "junk", "riff", "50,000 pixels wide"],
    )
    def test_anything_else_is_refused(self, local, content, error):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(error):
                local.service.store_image(content)

    def test_a_file_that_is_too_large_is_refused(self, tmp_path):
        bench = Workbench("", tmp_path / "data", max_image_bytes=2000)
        with pytest.raises(TooLarge):
            bench.service.store_image(b"\x89PNG\r\n\x1a\n" + b"\0" * 4000)
        bench.close()
