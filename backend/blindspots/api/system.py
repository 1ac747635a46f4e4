"""The installation itself: who is signed in, what it runs on, whether it is well."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from blindspots.api.auth import Authenticator, Identity, cookie_name
from blindspots.api.bodies import JsonBody
from blindspots.api.frontend import welcome
from blindspots.api.replies import reply
from blindspots.api.schemas import Items, Session
from blindspots.api.schemas import System as SystemAnswer
from blindspots.api.wiring import ServiceHere

router = APIRouter(prefix="/api/v1", tags=["system"])
health = APIRouter(tags=["health"])


class SignIn(BaseModel):
    """The token of this installation, or the code of a sign-in link."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: str = Field(min_length=1, max_length=200)


@router.get("/system", response_model=SystemAnswer)
def system(service: ServiceHere) -> Response:
    """Versions, places, workers and queue."""
    return reply(service.system())


@router.get("/workers", response_model=Items)
def workers(service: ServiceHere) -> Response:
    """Every worker that was alive lately, and what it does."""
    return reply({"items": service.workers()})


@router.get("/session", response_model=Session)
def session(request: Request) -> Response:
    """Who is signed in."""
    identity: Identity = request.state.identity
    return reply({"user": identity.user, "role": identity.role})


@router.post("/session", status_code=204)
def sign_in(request: Request, body: Annotated[SignIn, Depends(JsonBody(SignIn))]) -> Response:
    """Sign a browser in with the token; the answer sets the session cookie."""
    authenticator: Authenticator = request.app.state.authenticator
    opened = authenticator.sign_in(body.token, request.client.host if request.client else "")
    return welcome(request, opened, Response(status_code=204))


@router.delete("/session", status_code=204)
def sign_out(request: Request) -> Response:
    """Sign this browser out."""
    authenticator: Authenticator = request.app.state.authenticator
    name = cookie_name(request.scope)
    authenticator.end_session(request.cookies.get(name, ""))
    response = Response(status_code=204)
    response.delete_cookie(name, httponly=True, samesite="strict")
    return response


@router.post("/session/link", status_code=201)
def sign_in_link(request: Request) -> Response:
    """A link that signs a browser in once, within a quarter of an hour."""
    authenticator: Authenticator = request.app.state.authenticator
    code = authenticator.issue_link_code()
    return reply({"url": f"{request.url.scheme}://{request.headers['host']}/login?token={code}"}, status=201)


@health.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return reply({"status": "ok"})


@health.get("/readyz")
def ready(service: ServiceHere) -> Response:
    """The database answers too."""
    service.latest_event()
    return reply({"status": "ready"})
