"""One's own account: who is signed in, the password, the tokens."""

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from blindspots.api.auth import Authenticator, client_address, session_cookie
from blindspots.api.bodies import JsonBody
from blindspots.api.people_schemas import MadeToken, Session
from blindspots.api.reception import Reception
from blindspots.api.replies import reply
from blindspots.api.schemas import Items
from blindspots.api.sign_in import farewell, welcome
from blindspots.api.wiring import ServiceHere
from blindspots.errors import Conflict, InvalidInput
from blindspots.work.actor import Scope

router = APIRouter(prefix="/api/v1", tags=["account"])

PlainText = r"^[^\x00-\x1f\x7f]*$"
Identifier = Annotated[str, Path(pattern="^[0-9a-f-]{36}$")]


class SignIn(BaseModel):
    """Name and password; or, where there is one user only, the token or the code of a sign-in link."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: str | None = Field(None, min_length=1, max_length=200)
    name: str | None = Field(None, min_length=1, max_length=100, pattern=PlainText)
    password: str | None = Field(None, min_length=1, max_length=200)


class NewPassword(BaseModel):
    """The present password, and the one to come."""

    model_config = ConfigDict(extra="forbid", strict=True)

    old: str = Field(max_length=200)
    new: str = Field(max_length=200)


class TokenRequest(BaseModel):
    """What a token is for."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"name": "notebook", "scope": "submit", "project": "main"}]},
    )

    name: str = Field(min_length=1, max_length=100, pattern=PlainText)
    scope: Scope = "submit"
    project: str | None = Field(None, max_length=40, pattern="^[a-z0-9][a-z0-9._-]*$")
    days: int = Field(90, ge=1, le=365)


@router.get("/session", response_model=Session)
def session(service: ServiceHere) -> Response:
    """Who is signed in, and what they may do in which project."""
    return reply(service.account())


@router.post("/session", status_code=204)
async def sign_in(request: Request, body: Annotated[SignIn, Depends(JsonBody(SignIn))]) -> Response:
    """Sign a browser in; the answer sets the session cookie."""
    opened = await anyio.to_thread.run_sync(_opened, request, body)
    return welcome(request, opened, Response(status_code=204))


def _opened(request: Request, given: SignIn) -> str:
    reception: Reception | None = request.app.state.reception
    address = client_address(request.scope)
    if reception is None:
        authenticator: Authenticator = request.app.state.authenticator
        if given.token is None:
            raise InvalidInput("This field is required.", field="token")
        return authenticator.sign_in(given.token, address)
    if given.name is None or given.password is None:
        missing = "name" if given.name is None else "password"
        raise InvalidInput("Sign in with name and password; programs send a bearer token.", field=missing)
    return reception.sign_in(given.name, given.password, address)


@router.delete("/session", status_code=204)
def sign_out(request: Request, service: ServiceHere) -> Response:
    """Sign this browser out."""
    authenticator: Authenticator | None = request.app.state.authenticator
    cookie = session_cookie(request.scope)
    if authenticator is not None:
        authenticator.end_session(cookie)
    elif cookie:
        service.sign_out(cookie)
    return farewell(request, Response(status_code=204))


@router.delete("/sessions", status_code=204)
def sign_out_everywhere(request: Request, service: ServiceHere) -> Response:
    """Sign out every browser of yours."""
    service.sign_out_everywhere()
    return farewell(request, Response(status_code=204))


@router.post("/session/link", status_code=201)
def sign_in_link(request: Request) -> Response:
    """A link that signs a browser in once, within a quarter of an hour. For the one local user only."""
    authenticator: Authenticator | None = request.app.state.authenticator
    if authenticator is None:
        raise Conflict("People sign in with name and password here.")
    code = authenticator.issue_link_code()
    return reply({"url": f"{here(request)}/login?token={code}"}, status=201)


def here(request: Request) -> str:
    """Scheme and host by which the caller reached this service."""
    return f"{request.scope['scheme']}://{request.headers['host']}"


@router.put("/account/password", status_code=204)
def change_password(
    request: Request, service: ServiceHere, body: Annotated[NewPassword, Depends(JsonBody(NewPassword))]
) -> Response:
    """Choose another password. Every other browser of yours is signed out."""
    reception: Reception | None = request.app.state.reception
    if reception is None:
        raise Conflict("There is one local user here, who has no password.")
    opened = reception.change_password(service, body.old, body.new)
    return welcome(request, opened, Response(status_code=204))


@router.get("/tokens", response_model=Items)
def tokens(service: ServiceHere) -> Response:
    """Your tokens; of each, only its first letters are known."""
    return reply({"items": service.tokens()})


@router.post("/tokens", status_code=201, response_model=MadeToken)
def make_token(
    service: ServiceHere, body: Annotated[TokenRequest, Depends(JsonBody(TokenRequest))]
) -> Response:
    """A token for a program. This answer is the only one that holds it."""
    made: dict[str, Any] = service.make_token(body.name, body.scope, body.project, body.days)
    return reply(made, status=201)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(service: ServiceHere, token_id: Identifier) -> Response:
    """Make a token worthless, at once."""
    service.revoke_token(token_id)
    return Response(status_code=204)
