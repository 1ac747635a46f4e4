"""Answers as JSON without NaN, with an ETag where they are asked for again and again."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response, StreamingResponse

REVALIDATE = "private, no-cache"
IMMUTABLE = "private, max-age=86400, immutable"


def reply(content: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON; NaN and infinities become null."""
    body = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(
        body,
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def same(request: Request, etag: str) -> bool:
    """Whether the client already holds this version."""
    held = (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(","))
    return any(each in (etag.removeprefix("W/"), "*") for each in held if each)


def tagged(
    request: Request, body: bytes, *, media_type: str = "application/json", cache: str = REVALIDATE
) -> Response:
    """The body, or 304 when the client holds it already. The tag is weak: a proxy may compress."""
    etag = f'W/"{blake2b(body, digest_size=16).hexdigest()}"'
    # Another person at the same browser must not be shown what it kept for the one before.
    headers = {"ETag": etag, "Cache-Control": cache, "Vary": "Cookie, Authorization"}
    if same(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def version_tag(*parts: object) -> str:
    """An ETag of what determines a body, so that the body need not be made to compare it."""
    return f'W/"{blake2b(repr(parts).encode(), digest_size=16).hexdigest()}"'


def tagged_json(request: Request, content: Any, *, cache: str = REVALIDATE) -> Response:
    """JSON with an ETag."""
    return tagged(request, orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY), cache=cache)


def png(request: Request, body: bytes, *, cache: str = IMMUTABLE) -> Response:
    """An image that we encoded ourselves."""
    return tagged(request, body, media_type="image/png", cache=cache)


def attachment(filename: str, media_type: str, chunks: Iterator[bytes]) -> Response:
    """A file to be saved, never shown. `filename` is ours: letters, digits, dot and dash."""
    headers = {
        "Content-Disposition": f'attachment; filename="{filename}"',
        "Cache-Control": "private, no-cache",
    }
    return StreamingResponse(chunks, media_type=media_type, headers=headers)
