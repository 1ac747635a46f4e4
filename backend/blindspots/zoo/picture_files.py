"""Files that say they are pictures: what they are by their bytes, and their pixels brought to one size.

Runs in a process of its own (`picture_process`), and imports nothing of the package.
"""

import io
import re
from typing import Any

MARKUP = re.compile(rb"<(?:script|html|svg[\s>]|\?php|!doctype)", re.IGNORECASE)
SIGNATURES = ((b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff", "JPEG"))
OTHERS = (
    (b"PK\x03\x04", "an archive within the archive"), (b"\x1f\x8b", "an archive within the archive"),
    (b"7z\xbc\xaf", "an archive within the archive"), (b"Rar!", "an archive within the archive"),
    (b"BZh", "an archive within the archive"), (b"\xfd7zXZ", "an archive within the archive"),
    (b"%PDF", "a PDF document"), (b"GIF8", "a GIF"), (b"BM", "a BMP picture"), (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"), (b"\x80", "a pickle or PyTorch file"), (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file"), (b"\x7fELF", "a program"), (b"MZ", "a program"), (b"#!", "a program"),
)  # fmt: skip


class NotTaken(Exception):
    """An input that is refused: the HTTP status, and a sentence for the user."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Unfit(ValueError):
    """A picture that is whole, but not taken; the reason, and the HTTP status of its refusal."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def quoted(name: str) -> str:
    """A name of the user's in a sentence."""
    text = "".join(sign if sign.isprintable() else "?" for sign in name)
    return f"“{text if len(text) <= 120 else text[:120] + '…'}”"


def check_kind(name: str, data: bytes) -> None:
    """Raises NotTaken unless the bytes are those of a PNG, JPEG or WebP picture and of nothing else."""
    tail = data[-(1 << 16) :]
    end = tail.rfind(b"PK\5\6")
    if form_of(data) is None:
        what = next((words for magic, words in OTHERS if data.startswith(magic)), "not a picture")
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            what = "SVG, HTML or XML"
        raise NotTaken(
            415, f"The entry {quoted(name)} is {what}. Only PNG, JPEG, WebP and CSV files are taken."
        )
    comment = int.from_bytes(tail[end + 20 : end + 22], "little")
    if end >= 0 and end + 22 + comment == len(tail):
        raise NotTaken(415, f"The entry {quoted(name)} is a picture and an archive at once.")
    if b"%PDF-" in data[:1024] or MARKUP.search(data[:4096]) or MARKUP.search(tail[-4096:]):
        raise NotTaken(415, f"The entry {quoted(name)} is a picture and a document at once.")


def form_of(data: bytes) -> str | None:
    """The format by the first bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((form for magic, form in SIGNATURES if data.startswith(magic)), None)


def open_picture(data: bytes, most_pixels: int) -> Any:
    """The picture, its pixels not decoded yet. Raises Unfit and ValueError with a reason."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # our own limit, checked on the header before any pixel is decoded
    form = form_of(data)
    if form is None:
        raise ValueError("is not a PNG, JPEG or WebP picture")
    try:
        picture = Image.open(io.BytesIO(data), formats=[form])
        frames = getattr(picture, "n_frames", 1)
    except Exception as error:  # decoders raise many kinds
        raise ValueError("is damaged, or cut off in its header") from error
    if picture.width * picture.height > most_pixels:
        raise Unfit(413, f"has {picture.width} × {picture.height} pixels; at most {most_pixels:,} are read")
    if frames > 1:
        raise Unfit(422, "is an animation; send one frame")
    return picture


def pixels(data: bytes, order: dict[str, Any]) -> bytes:
    """height * width * channels bytes of the picture, brought to the size of the order. Raises ValueError."""
    from PIL import Image, ImageOps

    picture = open_picture(data, order["pixels"])
    if picture.mode.startswith(("I", "F")):
        raise ValueError("has more than 8 bits per channel; save it with 8")
    try:
        picture.load()
        picture = ImageOps.exif_transpose(picture)
    except Exception as error:
        raise ValueError("is damaged or cut off") from error
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    picture = picture.convert("L" if order["colour"] == "grey" else "RGB")
    resampling = Image.Resampling[order["resampling"].upper()]
    return bytes(fitted(picture, order["height"], order["width"], order["rule"], resampling).tobytes())


def fitted(picture: Any, height: int, width: int, rule: str, resampling: Any) -> Any:
    """crop: the shorter side is brought to the size, the middle of the longer one is kept. stretch: each side
    by its own factor. pad: the longer side is brought to the size, black beside it. A picture that has the
    size already stays as it is."""
    from PIL import Image

    if picture.size == (width, height):
        return picture
    if rule == "stretch":
        return picture.resize((width, height), resampling)
    across, down = picture.width / width, picture.height / height
    if rule == "crop":
        scale = min(across, down)
        left, top = (picture.width - scale * width) / 2, (picture.height - scale * height) / 2
        box = (left, top, picture.width - left, picture.height - top)
        return picture.resize((width, height), resampling, box=box)
    scale = max(across, down)
    inner = (max(1, round(picture.width / scale)), max(1, round(picture.height / scale)))
    whole = Image.new(picture.mode, (width, height))
    whole.paste(picture.resize(inner, resampling), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return whole
