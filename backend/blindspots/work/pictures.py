"""Uploaded pictures: decoded within limits, and kept as plain PNG."""

import io
import warnings
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from blindspots.errors import InvalidInput, TooLarge, UnsupportedMedia
from blindspots.experiments.parameters import Array

FORMATS = ("PNG", "JPEG", "WEBP")
SIGNATURES = ((b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"RIFF", "WEBP"))
GREY_MODES = ("1", "L", "I;16", "I", "F", "LA", "La")


def decode_upload(content: bytes, max_pixels: int) -> Array:
    """(1 or 3, height, width) uint8. Grey stays grey, transparent becomes white, the camera's turn is undone.

    Raises UnsupportedMedia for anything but PNG, JPEG and WebP, TooLarge and InvalidInput for pictures that
    are too large or broken.
    """
    if not any(content.startswith(magic) for magic, _ in SIGNATURES):
        raise UnsupportedMedia("Only PNG, JPEG and WebP pictures are read.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is dropped anyway; the size is checked below
            return _decode(content, max_pixels)
    except UnidentifiedImageError as error:
        raise InvalidInput("The file is not a picture that can be read. Save it again as PNG.") from error
    except Image.DecompressionBombError as error:
        raise TooLarge(f"The picture has more than {max_pixels:,} pixels. Make it smaller.") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, MemoryError, ArithmeticError) as error:
        raise InvalidInput("The picture is damaged or cut off. Save it again as PNG.") from error


def _decode(content: bytes, max_pixels: int) -> Array:
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        if opened.width * opened.height > max_pixels:
            raise TooLarge(
                f"The picture is {opened.width} × {opened.height} pixels; at most {max_pixels:,} are read. "
                "Make it smaller."
            )
        if getattr(opened, "n_frames", 1) > 1:
            raise InvalidInput("The picture is an animation. Save one frame of it as PNG.")
        opened.load()
        picture: Any = ImageOps.exif_transpose(opened)
    grey = picture.mode in GREY_MODES
    if picture.mode in ("I;16", "I", "F"):
        pixels = np.asarray(picture, dtype=np.float64)
        scale = 257.0 if pixels.max(initial=0) > 255 else 1.0
        picture = Image.fromarray(np.clip(pixels / scale, 0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        picture = Image.alpha_composite(
            Image.new("RGBA", picture.size, (255, 255, 255, 255)), picture.convert("RGBA")
        )
    pixels = np.asarray(picture.convert("L" if grey else "RGB"), dtype=np.uint8)
    return pixels[None] if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def thumbnail(image: Array, side: int) -> Array:
    """The image (1 or 3, height, width) with its longer side brought to `side` pixels, where it is longer."""
    _, height, width = image.shape
    if max(height, width) <= side:
        return image
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(
        image[0] if image.shape[0] == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    )
    pixels = np.asarray(picture.resize(size, Image.Resampling.BOX), dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def encode_png(image: Array) -> bytes:
    """(1 or 3, height, width) uint8 -> PNG without any metadata."""
    pixels = image[0] if image.shape[0] == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def decode_png(content: bytes) -> Array:
    """What `encode_png` made."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
        pixels = np.asarray(picture, dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
