"""Every error has one shape: RFC 9457 problem+json with a code, the field to blame and the request's id."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from blindspots.errors import BlindspotsError, Forbidden, InvalidInput, RateLimited, Unavailable

CODES = {400: "malformed_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
DRAINED_BYTES = 32 << 20
RETRY_SECONDS = {RateLimited.status: 60, Unavailable.status: 5}

log = logging.getLogger("blindspots.api")


class InvalidBody(InvalidInput):
    """Several fields of one body are wrong; the first one is the headline."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        field, message = errors[0]
        super().__init__(message, field=field or None)
        self.errors = errors


class TryLater(RateLimited):
    """Too many attempts from this address."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def problem(
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    errors: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The one error answer."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "field": field,
        "request_id": scope.get("state", {}).get("request_id", ""),
        "errors": [{"field": name, "message": message} for name, message in errors],
    }
    return Response(
        orjson.dumps(document),
        status_code=status,
        media_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _worth_reading(scope: Scope) -> bool:
    """Whether the rest of a refused body is short enough to be read and thrown away, so that a client that is
    still sending sees the answer. Otherwise the connection is closed."""
    declared = dict(scope["headers"]).get(b"content-length", b"")
    return declared.isdigit() and int(declared) <= DRAINED_BYTES


def problem_for(scope: Scope, error: BlindspotsError) -> Response:
    """The answer to one of our own errors."""
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="blindspots"'
    if error.status in RETRY_SECONDS:
        headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_SECONDS[error.status]))
    if error.status == 413 and not _worth_reading(scope):
        headers["Connection"] = "close"
    errors = getattr(error, "errors", None) or ([(error.field, error.message)] if error.field else [])
    return problem(
        scope, error.status, error.code, error.message, field=error.field, errors=errors, headers=headers
    )


def unexpected(scope: Scope, error: BaseException) -> Response:
    """The answer to a bug of ours: the trace goes to the log, the request's id to the user."""
    log.error("request %s failed", scope.get("state", {}).get("request_id"), exc_info=error)
    detail = "Something went wrong on our side. The server's log has the details under this request's id."
    return problem(scope, 500, "internal", detail)


def _request_errors(error: RequestValidationError) -> list[tuple[str, str]]:
    """`("query", "limit")` becomes `limit`: where a parameter travels is not part of its name."""
    return [(".".join(str(step) for step in each["loc"][1:]), sentence(each)) for each in error.errors()]


def sentence(error: Mapping[str, Any]) -> str:
    """Pydantic's message, in the words of somebody who filled in a form."""
    if error["type"] == "extra_forbidden":
        return "There is no such field here."
    if error["type"] in ("missing", "union_tag_not_found"):
        return "This field is required."
    if error["type"] == "union_tag_invalid":
        return f"One of {error['ctx']['expected_tags']} is due here."
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].upper() + message[1:] + ("" if message.endswith(".") else ".")


def allowed_methods(request: Request) -> str:
    """All methods that some route answers at this path."""
    methods: set[str] = set() if request.url.path.startswith("/api/") else {"GET", "HEAD"}
    for route in iter_route_contexts(request.app.routes):
        match, _ = route.matches(request.scope)
        if match is not Match.NONE and route.path != "/{path:path}":
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


def install(app: FastAPI) -> None:
    """Give every error that can leave a route the one shape."""

    @app.exception_handler(BlindspotsError)
    async def ours(request: Request, error: BlindspotsError) -> Response:
        if isinstance(error, Forbidden):
            await request.app.state.note_refusal(request)
        return problem_for(request.scope, error)

    @app.exception_handler(RequestValidationError)
    async def parameters(request: Request, error: RequestValidationError) -> Response:
        return problem_for(request.scope, InvalidBody(_request_errors(error)))

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        detail = str(error.detail)
        status = error.status_code
        if status == 405:
            headers["Allow"] = allowed_methods(request)
            detail = f"This address answers {headers['Allow']}."
            if request.url.path.startswith("/api/") and not headers["Allow"]:
                status = 404
        if status == 404:
            detail = "There is nothing at this address."
        return problem(request.scope, status, CODES.get(status, "http_error"), detail, headers=headers)
