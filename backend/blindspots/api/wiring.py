"""What routes get from outside: the service on behalf of who is asking, and their name."""

from typing import Annotated, cast

from fastapi import Depends, Header, Request

from blindspots.work.actor import Actor
from blindspots.work.service import Service

NOBODY = Actor("nobody", "system")  # sees nothing: for the routes that are open to strangers

ProjectHeader = Annotated[
    str | None,
    Header(
        alias="Blindspots-Project",
        pattern="^[a-z0-9][a-z0-9._-]{0,39}$",
        description="The project that is meant; by default `main`, or the first of yours.",
    ),
]


def _service(request: Request, meant_project: ProjectHeader = None) -> Service:
    service = cast(Service, request.app.state.service)
    actor: Actor | None = request.state.identity
    acting = service.acting(actor or NOBODY)
    return acting if meant_project is None else service.acting(acting.in_project(meant_project))


def _user(request: Request) -> str:
    return cast(Actor, request.state.identity).name


ServiceHere = Annotated[Service, Depends(_service)]
UserHere = Annotated[str, Depends(_user)]
