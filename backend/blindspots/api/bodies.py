"""Reading request bodies strictly: capped while they arrive, and JSON that means one thing only."""

import asyncio
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Generic, NoReturn, TypeVar

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect

from blindspots.api.problems import InvalidBody, sentence
from blindspots.errors import InvalidInput, MalformedRequest, TooLarge, UnsupportedMedia
from blindspots.experiments.fieldpaths import field_path
from blindspots.settings import Settings

MAX_DEPTH = 64
BODY_SECONDS = 30.0
INT64 = range(-(2**63), 2**63)

T = TypeVar("T")


async def read_body(
    request: Request, *, limit: int, field: str | None = None, seconds: float = BODY_SECONDS
) -> bytes:
    """The whole body. Raises TooLarge as soon as the limit is passed, MalformedRequest when it never ends."""
    too_large = TooLarge(f"The body is larger than {limit} bytes, the most that is taken here.", field=field)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large
    chunks = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                chunks += chunk
                if len(chunks) > limit:
                    raise too_large
    except TimeoutError:
        raise MalformedRequest(f"The body did not arrive within {seconds:.0f} seconds.") from None
    except ClientDisconnect:
        raise MalformedRequest("The connection closed before the body was complete.") from None
    return bytes(chunks)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedRequest("The same key is given twice; which one is meant?", field=printable(twice))
    return found


def _constant(name: str) -> NoReturn:
    raise InvalidInput(f"{name} is not a JSON number; give a finite one.")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidInput(f"{text[:40]} is too large for a number.")
    return value


def _integer(text: str) -> int:
    # Python refuses to parse more than 4,300 digits, so the length is checked first.
    if len(text) > 20 or int(text) not in INT64:
        raise InvalidInput(f"{text[:40]} is outside the 64-bit integers.")
    return int(text)


def printable(text: str) -> str:
    """A user's key or value, safe to send back: short, and without lone surrogates."""
    return text[:100].encode("utf-8", "replace").decode()


def _walk(document: Any) -> Iterator[tuple[Any, tuple[str | int, ...]]]:
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(document, ())]
    while stack:
        node, path = stack.pop()
        yield node, path
        if isinstance(node, dict):
            stack += [(key, (*path, key)) for key in node]
            stack += [(value, (*path, key)) for key, value in node.items()]
        elif isinstance(node, list):
            stack += [(value, (*path, index)) for index, value in enumerate(node)]


def _check(document: Any) -> None:
    for node, path in _walk(document):
        if len(path) > MAX_DEPTH:
            raise MalformedRequest(f"The document is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(node, str) and ("\x00" in node or any("\ud800" <= each <= "\udfff" for each in node)):
            name = printable(".".join(str(step) for step in path))
            raise InvalidInput("Text may hold neither NUL nor half of a surrogate pair.", field=name or None)


def parse_json(body: bytes) -> Any:
    """A document that every JSON parser reads alike.

    Raises MalformedRequest (not JSON, not UTF-8, byte order mark, duplicate keys, too deep) or InvalidInput
    (numbers that no float64 or int64 holds, NUL in text).
    """
    if not body.strip():
        raise MalformedRequest("The body is empty; a JSON document is due.")
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise MalformedRequest("The body begins with a byte order mark; send plain UTF-8.")
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        raise MalformedRequest("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedRequest(f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise MalformedRequest(f"The document is nested deeper than {MAX_DEPTH} levels.") from None
    _check(document)
    return document


class JsonBody(Generic[T]):
    """A dependency that reads, checks and validates a JSON body.

    FastAPI's own reading takes the last of duplicate keys and validates Python objects, where our strict
    models would refuse a JSON list for a tuple; this validates the JSON itself.
    """

    def __init__(self, kind: Any) -> None:
        self.adapter: TypeAdapter[T] = TypeAdapter(kind)
        self.schema = self.adapter.json_schema(ref_template="#/components/schemas/{model}")

    async def __call__(self, request: Request) -> T:
        settings: Settings = request.app.state.settings
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if content_type != "application/json":
            raise UnsupportedMedia("Send the body as application/json.")
        body = await read_body(request, limit=settings.max_body_bytes)
        return self.validate(body)

    def validate(self, body: bytes) -> T:
        """Raises InvalidBody with the path of each wrong field, as the user wrote it."""
        document = parse_json(body)
        try:
            return self.adapter.validate_json(body, strict=True)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            raise InvalidBody([(self._path(each, document), sentence(each)) for each in found]) from None

    def _path(self, error: Mapping[str, Any], document: Any) -> str:
        path = field_path(self.schema, error["loc"], document)
        if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
            # Pydantic blames the whole union; the user wrote, or forgot, one key of it.
            path = ".".join(filter(None, (path, str(error["ctx"]["discriminator"]).strip("'"))))
        return printable(path)
