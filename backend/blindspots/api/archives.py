"""Uploaded archives of pictures, and the folders of the server from which pictures may be taken."""

import asyncio
import json
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from blindspots.api.replies import reply, tagged_json
from blindspots.api.schemas import Items, StoredArchive
from blindspots.api.wiring import ServiceHere
from blindspots.errors import InvalidInput, MalformedRequest, TooLarge, UnsupportedMedia
from blindspots.settings import Settings
from blindspots.store.artifacts import Arriving
from blindspots.work.service import Service
from blindspots.zoo import picture_process

router = APIRouter(prefix="/api/v1", tags=["datasets"])

TAKEN = ("application/zip", "application/x-zip-compressed")
SILENCE_SECONDS = 30.0
LOOKING_SECONDS = 60.0  # and one more for every so many bytes
BYTES_A_SECOND = 10 << 20
PIECE = 1 << 20
AT_ONCE = asyncio.Semaphore(2)
REFUSALS = {413: TooLarge, 415: UnsupportedMedia, 422: InvalidInput}


async def receive(request: Request, service: Service, arriving: Arriving, *, limit: int) -> None:
    """Write the body to the disk as it comes. Raises TooLarge, MalformedRequest, Unavailable."""
    too_large = TooLarge(
        f"The archive is larger than {limit:,} bytes, the most that is taken (BLINDSPOTS_MAX_ARCHIVE_BYTES).",
        field="archive",
    )
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    service.check_room(int(declared) if declared.isdigit() else 0)
    piece = bytearray()
    chunks = request.stream().__aiter__()
    try:
        while True:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await anext(chunks, None)
            if chunk is not None:
                piece += chunk
            if arriving.bytes + len(piece) > limit:
                raise too_large
            if len(piece) >= PIECE or chunk is None:
                await anyio.to_thread.run_sync(service.take_piece, arriving, bytes(piece))
                piece.clear()
            if chunk is None:
                return
    except TimeoutError:
        raise MalformedRequest(f"Nothing of the body came for {SILENCE_SECONDS:.0f} seconds.") from None
    except ClientDisconnect:
        raise MalformedRequest("The connection closed before the archive was complete.") from None


async def look_into(arriving: Arriving, limits: dict[str, int]) -> dict[str, Any]:
    """What the archive holds, said by a process without environment or credentials.

    Raises TooLarge, UnsupportedMedia and InvalidInput that name the entry.
    """
    patience = LOOKING_SECONDS + arriving.bytes / BYTES_A_SECOND
    with open(arriving.path, "rb") as archive:
        async with AT_ONCE:
            process = await asyncio.create_subprocess_exec(
                *picture_process.command("check", limits),
                stdin=archive,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={},
                cwd="/",
            )
            try:
                async with asyncio.timeout(patience):
                    listing, problem = await process.communicate()
            except TimeoutError:
                raise InvalidInput(f"Looking into the archive took longer than {patience:.0f} s.") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    if process.returncode == picture_process.BAD_INPUT:
        refusal = json.loads(problem)
        raise REFUSALS[refusal["status"]](refusal["message"], field="archive")
    if process.returncode != 0:
        raise InvalidInput(
            "The archive could not be looked into within the limits on memory and time.", field="archive"
        )
    return dict(json.loads(listing))


ZIP_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/archives", status_code=201, response_model=StoredArchive, openapi_extra=ZIP_BODY)
async def upload(request: Request, service: ServiceHere) -> Response:
    """Store a zip archive of pictures, sent as the raw body, for a job of kind `image_set`."""
    settings: Settings = request.app.state.settings
    content_type = request.headers.get("content-type", "").split(";", maxsplit=1)[0].strip().lower()
    if content_type not in TAKEN:
        raise UnsupportedMedia("Send a zip archive, with its Content-Type: application/zip.")
    with service.receive_archive() as arriving:
        await receive(request, service, arriving, limit=settings.max_archive_bytes)
        if not arriving.bytes:
            raise InvalidInput("The body is empty; send the bytes of a zip archive.", field="archive")
        listing = await look_into(arriving, service.sources.limits())
        kept = await anyio.to_thread.run_sync(service.keep_archive, arriving, listing)
    return reply(kept, status=201)


@router.get("/archives/{archive_id}", response_model=StoredArchive)
def archive(
    request: Request,
    service: ServiceHere,
    archive_id: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="Content hash.")],
) -> Response:
    """What is known of an uploaded archive."""
    return tagged_json(request, service.archive(archive_id))


@router.get("/image-roots", response_model=Items)
def image_roots(request: Request, service: ServiceHere) -> Response:
    """Folders of the server below which a job of kind `image_set` may take pictures."""
    return tagged_json(request, {"items": service.sources.offered()})
