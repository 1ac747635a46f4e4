"""Small pictures and archives of them, and what the service sees in an archive."""

import io
import json
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blindspots.experiments.facts import Pictures
from blindspots.zoo.picture_process import command
from installation import datasets_dir

LIMITS = {"entries": 100_000, "bytes": 10 << 20, "pixels": 16_000_000}
ENVIRONMENT: dict[str, str] = {}


def picture(
    seed: int = 0, *, size: tuple[int, int] = (20, 12), form: str = "PNG", mode: str = "RGB"
) -> bytes:
    """A picture of noise, width and height as given."""
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise[..., 0] if channels == 1 else noise, mode).save(stream, form)
    return stream.getvalue()


def archive(files: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive, always the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, compression)
    return stream.getvalue()


def two_classes(each: int = 3, **options: Any) -> dict[str, bytes]:
    """Pictures in two folders."""
    return {
        f"set/{name}/{number}.png": picture(number + 100 * place, **options)
        for place, name in enumerate(("cat", "dog"))
        for number in range(each)
    }


def look_into(content: bytes, folder: Path) -> dict[str, Any]:
    """The listing, or the refusal with its status."""
    path = folder / "archive.zip"
    path.write_bytes(content)
    with open(path, "rb") as stream:
        done = subprocess.run(
            command("check", LIMITS), stdin=stream, capture_output=True, env=ENVIRONMENT, cwd="/", check=False
        )
    assert done.returncode in (0, 3), done.stderr.decode()[-2000:]
    found: dict[str, Any] = json.loads(done.stderr if done.returncode else done.stdout)
    return found


def pictures_of(content: bytes, folder: Path) -> Pictures:
    """The archive as a job sees it."""
    listing = look_into(content, folder)
    return Pictures(
        "f" * 64, folder / "archive.zip", True, tuple(listing["images"]), listing["broken"],
        listing["tables"], listing["unread"], LIMITS,
    )  # fmt: skip


def sample_folder() -> Path | None:
    """The photographs that developers try, where they are on this machine."""
    folder = datasets_dir()
    found = folder / "imagenet-sample" if folder else None
    return found if found and found.is_dir() else None
