"""What routes get from outside: the service, and who is asking."""

from typing import Annotated, cast

from fastapi import Depends, Request

from blindspots.api.auth import Identity
from blindspots.work.service import Service


def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


def _user(request: Request) -> str:
    return cast(Identity, request.state.identity).user


ServiceHere = Annotated[Service, Depends(_service)]
UserHere = Annotated[str, Depends(_user)]
