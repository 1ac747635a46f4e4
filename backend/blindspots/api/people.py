"""People, projects, who may do what in them, and what was done."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from blindspots.api.account import PlainText, here
from blindspots.api.bodies import JsonBody
from blindspots.api.people_schemas import AuditPage
from blindspots.api.replies import reply
from blindspots.api.schemas import Items
from blindspots.api.wiring import ServiceHere
from blindspots.work.actor import Role

router = APIRouter(prefix="/api/v1", tags=["people"])

NAME = "^[a-z0-9][a-z0-9._-]{0,39}$"
ProjectName = Annotated[str, Path(pattern=NAME)]
UserName = Annotated[str, Path(pattern=NAME)]
Identifier = Annotated[str, Path(pattern="^[0-9a-f-]{36}$")]


class NewProject(BaseModel):
    """A project's name, as programs and addresses hold it, and its title, as people read it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=NAME)
    title: str = Field("", max_length=100, pattern=PlainText)


class Title(BaseModel):
    """Another title."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1, max_length=100, pattern=PlainText)


class InRole(BaseModel):
    """What somebody may do in a project: look, submit, or decide."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Role


class NewUser(BaseModel):
    """Somebody who shall be able to sign in."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=NAME)
    display_name: str = Field("", max_length=100, pattern=PlainText)
    service_admin: bool = False


class UserChange(BaseModel):
    """What to change of somebody."""

    model_config = ConfigDict(extra="forbid", strict=True)

    disabled: bool | None = None
    service_admin: bool | None = None


class AuditQuery(BaseModel):
    """Which lines of the audit log."""

    model_config = ConfigDict(extra="forbid")

    who: str | None = Field(None, max_length=100, pattern=PlainText)
    action: str | None = Field(None, max_length=64, pattern="^[a-z_]+$")
    before: int | None = Field(None, ge=1, lt=2**63)
    limit: int = Field(50, ge=1, le=200)


def with_link(request: Request, made: dict[str, Any]) -> dict[str, Any]:
    """The code as the link that is sent to somebody."""
    code = made.pop("code")
    return {**made, "url": f"{here(request)}/join?code={code}"}


@router.get("/projects", response_model=Items)
def projects(service: ServiceHere) -> Response:
    """The projects that you are a member of, and what you are in each."""
    return reply({"items": service.account()["projects"]})


@router.post("/projects", status_code=201)
def add_project(service: ServiceHere, body: Annotated[NewProject, Depends(JsonBody(NewProject))]) -> Response:
    """A new project; you are its admin."""
    return reply(service.add_project(body.name, body.title), status=201)


@router.patch("/projects/{project}")
def retitle_project(
    service: ServiceHere, project: ProjectName, body: Annotated[Title, Depends(JsonBody(Title))]
) -> Response:
    """Give the project another title."""
    return reply(service.retitle_project(project, body.title))


@router.get("/projects/{project}/members", response_model=Items)
def members(service: ServiceHere, project: ProjectName) -> Response:
    """Who is what in the project."""
    return reply({"items": service.members(project)})


@router.put("/projects/{project}/members/{user}", status_code=204)
def set_role(
    service: ServiceHere,
    project: ProjectName,
    user: UserName,
    body: Annotated[InRole, Depends(JsonBody(InRole))],
) -> Response:
    """Take somebody into the project, or change what they are in it."""
    service.set_role(project, user, body.role)
    return Response(status_code=204)


@router.delete("/projects/{project}/members/{user}", status_code=204)
def remove_member(service: ServiceHere, project: ProjectName, user: UserName) -> Response:
    """Take somebody out of the project; what they made stays."""
    service.remove_member(project, user)
    return Response(status_code=204)


@router.get("/projects/{project}/invites", response_model=Items)
def invites(service: ServiceHere, project: ProjectName) -> Response:
    """Links that were not used yet."""
    return reply({"items": service.invites(project)})


@router.post("/projects/{project}/invites", status_code=201)
def invite(
    request: Request,
    service: ServiceHere,
    project: ProjectName,
    body: Annotated[InRole, Depends(JsonBody(InRole))],
) -> Response:
    """A link that lets one newcomer in, once, within a week. This answer is the only one that holds it."""
    return reply(with_link(request, service.invite(project, body.role)), status=201)


@router.delete("/projects/{project}/invites/{invite_id}", status_code=204)
def withdraw_invite(service: ServiceHere, project: ProjectName, invite_id: Identifier) -> Response:
    """Make a link worthless."""
    service.withdraw_invite(project, invite_id)
    return Response(status_code=204)


@router.get("/users", response_model=Items)
def users(service: ServiceHere) -> Response:
    """Everybody who has a name here."""
    return reply({"items": service.users()})


@router.post("/users", status_code=201)
def add_user(
    request: Request, service: ServiceHere, body: Annotated[NewUser, Depends(JsonBody(NewUser))]
) -> Response:
    """Enter somebody. The answer holds the link by which they choose a password."""
    made = service.add_user(body.name, body.display_name, service_admin=body.service_admin)
    return reply(with_link(request, made), status=201)


@router.patch("/users/{user}")
def change_user(
    service: ServiceHere, user: UserName, body: Annotated[UserChange, Depends(JsonBody(UserChange))]
) -> Response:
    """Let somebody in no more, or again; make them an admin of the service, or no longer."""
    return reply(service.change_user(user, disabled=body.disabled, service_admin=body.service_admin))


@router.post("/users/{user}/reset", status_code=201)
def reset_user(request: Request, service: ServiceHere, user: UserName) -> Response:
    """A fresh link by which somebody chooses a password."""
    return reply(with_link(request, service.reset_user(user)), status=201)


@router.get("/audit", response_model=AuditPage)
def audit(service: ServiceHere, query: Annotated[AuditQuery, Query()]) -> Response:
    """Who did what, the newest first. Admins of a project read what concerns it."""
    return reply(service.audit_page(**query.model_dump()))
