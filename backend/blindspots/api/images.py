"""Uploaded images: recognised by their first bytes, parsed in a limited process, kept as a fresh PNG."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from starlette.responses import Response

from blindspots.api import imageparser
from blindspots.api.bodies import read_body
from blindspots.api.replies import png, reply
from blindspots.api.schemas import StoredImage
from blindspots.api.wiring import ServiceHere
from blindspots.errors import InvalidInput, UnsupportedMedia
from blindspots.settings import Settings

router = APIRouter(prefix="/api/v1/images", tags=["images"])

PARSER_SECONDS = 20.0
TAKEN = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
AT_ONCE = asyncio.Semaphore(2)

# First bytes -> what it is. Each is refused by name, so that its owner learns what to do instead.
CODE = "can run code when it is opened, so it is never opened here"
NEVER_OPENED = (
    (b"\x80\x02", "A pickle or PyTorch file"),
    (b"\x80\x03", "A pickle or PyTorch file"),
    (b"\x80\x04", "A pickle or PyTorch file"),
    (b"\x80\x05", "A pickle or PyTorch file"),
    (b"PK\x03\x04", "A zip archive, as PyTorch's .pt and .pth files and TorchScript are,"),
    (b"\x89HDF", "An HDF5 (.h5, Keras) file"),
    (b"\x1f\x8b", "A gzip archive"),
    (b"\x93NUMPY", "A NumPy file"),
)


def recognise(data: bytes) -> str | None:
    """The format by its first bytes, or None."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def check_kind(content_type: str, data: bytes) -> str:
    """The format to parse as. Raises UnsupportedMedia or InvalidInput."""
    if not data:
        raise InvalidInput("The body is empty; send the bytes of an image.", field="image")
    for magic, what in NEVER_OPENED:
        if data.startswith(magic):
            raise UnsupportedMedia(
                f"{what} {CODE}. Train one of the registered networks instead "
                "(`blindspots submit train.json`), or send an image as PNG, JPEG or WebP."
            )
    declared = TAKEN.get(content_type.split(";", maxsplit=1)[0].strip().lower())
    if declared is None:
        raise UnsupportedMedia(
            "Send a PNG, JPEG or WebP image, with its Content-Type (image/png, image/jpeg, image/webp)."
        )
    found = recognise(data)
    if found is None:
        raise UnsupportedMedia("This is not a PNG, JPEG or WebP image. Convert it to PNG and send it again.")
    if found != declared:
        raise InvalidInput(f"The Content-Type says {declared}, but the bytes are {found}.", field="image")
    return found


async def parse(data: bytes, form: str, *, most_pixels: int) -> bytes:
    """The image as PNG, decoded in a process without environment or credentials. Raises InvalidInput."""
    arguments = ("-I", str(Path(imageparser.__file__)), form, str(most_pixels))
    async with AT_ONCE:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            cwd="/",
        )
        try:
            async with asyncio.timeout(PARSER_SECONDS):
                image, message = await process.communicate(data)
        except TimeoutError:
            raise InvalidInput(
                f"The image took longer than {PARSER_SECONDS:.0f} s to decode.", field="image"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode == imageparser.BAD_IMAGE:
        raise InvalidInput(message.decode("utf-8", "replace"), field="image")
    if process.returncode != 0 or not image:
        raise InvalidInput(
            "The image could not be decoded within the limits on memory and time.", field="image"
        )
    return image


IMAGE_BODY = {
    "requestBody": {
        "required": True,
        "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in TAKEN},
    }
}


@router.post("", status_code=201, response_model=StoredImage, openapi_extra=IMAGE_BODY)
async def upload(
    request: Request,
    service: ServiceHere,
    model: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] = None,
) -> Response:
    """Store an image, sent as the raw body. With `model`, it takes that model's input size and channels."""
    settings: Settings = request.app.state.settings
    data = await read_body(request, limit=settings.max_image_bytes, field="image")
    form = check_kind(request.headers.get("content-type", ""), data)
    image = await parse(data, form, most_pixels=settings.max_image_pixels)
    return reply(await anyio.to_thread.run_sync(service.store_image, image, model), status=201)


@router.get("/{image_id}.png", response_class=Response)
def image(
    request: Request,
    service: ServiceHere,
    image_id: Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$", description="Content hash.")],
) -> Response:
    """A stored image."""
    return png(request, service.image_png(image_id))
