"""What every route asks of whoever calls it: one table. A route that is not in it cannot be reached.

This is the first of two looks. It knows the person and not yet the object; whether *this* job or model may be
seen and changed is decided in `work`, where it is read.
"""

from collections.abc import Mapping
from enum import Enum

import anyio.to_thread
from fastapi import Request

from blindspots.errors import Forbidden
from blindspots.work.actor import Actor
from blindspots.work.service import Service


class Need(Enum):
    """What it takes, at least."""

    OPEN = "nothing: strangers may come"
    PAGE = "nothing for the files of the pages, which the door knows; for all else, to be signed in"
    READ = "to be signed in, or a token of any scope"
    WRITE = "to be a member of a project, or a token with scope submit"
    SELF = "a person at a browser: no token will do"
    MANAGE = "to be an admin of a project"
    SERVICE = "to be an admin of the whole service"


OPEN, PAGE, READ, WRITE, SELF, MANAGE, SERVICE = Need

NEEDS: Mapping[tuple[str, str], Need] = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("GET", "/login"): OPEN,
    ("POST", "/login"): OPEN,
    ("GET", "/join"): OPEN,
    ("POST", "/join"): OPEN,
    ("POST", "/api/v1/session"): OPEN,
    ("GET", "/api/openapi.json"): READ,
    ("GET", "/{path:path}"): PAGE,
    ("HEAD", "/{path:path}"): PAGE,
    ("GET", "/api/v1/catalog"): READ,
    ("GET", "/api/v1/jobs"): READ,
    ("POST", "/api/v1/jobs"): WRITE,
    ("POST", "/api/v1/jobs/estimate"): READ,
    ("GET", "/api/v1/jobs/{job_id}"): READ,
    ("PATCH", "/api/v1/jobs/{job_id}"): WRITE,
    ("DELETE", "/api/v1/jobs/{job_id}"): WRITE,
    ("POST", "/api/v1/jobs/{job_id}/cancel"): WRITE,
    ("POST", "/api/v1/jobs/{job_id}/rerun"): WRITE,
    ("POST", "/api/v1/jobs/{job_id}/keep"): WRITE,
    ("GET", "/api/v1/jobs/{job_id}/parts"): READ,
    ("GET", "/api/v1/jobs/{job_id}/figures/{name}"): READ,
    ("GET", "/api/v1/jobs/{job_id}/examples"): READ,
    ("GET", "/api/v1/jobs/{job_id}/examples/{row}"): READ,
    ("GET", "/api/v1/jobs/{job_id}/examples/{row}/triptych.png"): READ,
    ("GET", "/api/v1/jobs/{job_id}/panel.png"): READ,
    ("GET", "/api/v1/jobs/{job_id}/export/{form}"): READ,
    ("GET", "/api/v1/jobs/{job_id}/pins"): READ,
    ("PUT", "/api/v1/jobs/{job_id}/pins/{row}"): WRITE,
    ("DELETE", "/api/v1/jobs/{job_id}/pins/{row}"): WRITE,
    ("GET", "/api/v1/jobs/{job_id}/blind-tests"): READ,
    ("POST", "/api/v1/jobs/{job_id}/blind-tests"): WRITE,
    ("GET", "/api/v1/blind-tests/{test_id}"): READ,
    ("POST", "/api/v1/blind-tests/{test_id}/rows/{position}"): WRITE,
    ("GET", "/api/v1/blind-tests/{test_id}/rows/{position}/{place}.png"): READ,
    ("GET", "/api/v1/models"): READ,
    ("GET", "/api/v1/models/{reference}"): READ,
    ("PATCH", "/api/v1/models/{reference}"): WRITE,
    ("DELETE", "/api/v1/models/{reference}"): WRITE,
    ("POST", "/api/v1/weights"): WRITE,
    ("GET", "/api/v1/weights/{weights_id}"): READ,
    ("GET", "/api/v1/datasets"): READ,
    ("GET", "/api/v1/datasets/{name}"): READ,
    ("GET", "/api/v1/datasets/{name}/{split}/images"): READ,
    ("GET", "/api/v1/datasets/{name}/{split}/images/{index}.png"): READ,
    ("DELETE", "/api/v1/datasets/{name}"): SERVICE,
    ("POST", "/api/v1/archives"): WRITE,
    ("GET", "/api/v1/archives/{archive_id}"): READ,
    ("GET", "/api/v1/image-roots"): READ,
    ("POST", "/api/v1/images"): WRITE,
    ("GET", "/api/v1/images/{image_id}.png"): READ,
    ("GET", "/api/v1/events"): READ,
    ("GET", "/api/v1/events/poll"): READ,
    ("GET", "/api/v1/system"): READ,
    ("GET", "/api/v1/workers"): READ,
    ("PATCH", "/api/v1/workers/{worker_id}"): SERVICE,
    ("GET", "/api/v1/session"): READ,
    ("DELETE", "/api/v1/session"): READ,
    ("DELETE", "/api/v1/sessions"): SELF,
    ("POST", "/api/v1/session/link"): SELF,
    ("PUT", "/api/v1/account/password"): SELF,
    ("GET", "/api/v1/tokens"): SELF,
    ("POST", "/api/v1/tokens"): SELF,
    ("DELETE", "/api/v1/tokens/{token_id}"): SELF,
    ("GET", "/api/v1/projects"): READ,
    ("POST", "/api/v1/projects"): SERVICE,
    ("PATCH", "/api/v1/projects/{project}"): MANAGE,
    ("GET", "/api/v1/projects/{project}/members"): READ,
    ("PUT", "/api/v1/projects/{project}/members/{user}"): MANAGE,
    ("DELETE", "/api/v1/projects/{project}/members/{user}"): MANAGE,
    ("GET", "/api/v1/projects/{project}/invites"): MANAGE,
    ("POST", "/api/v1/projects/{project}/invites"): MANAGE,
    ("DELETE", "/api/v1/projects/{project}/invites/{invite_id}"): MANAGE,
    ("GET", "/api/v1/users"): SERVICE,
    ("POST", "/api/v1/users"): SERVICE,
    ("PATCH", "/api/v1/users/{user}"): SERVICE,
    ("POST", "/api/v1/users/{user}/reset"): SERVICE,
    ("GET", "/api/v1/audit"): MANAGE,
}

STRANGERS = frozenset(route for route, need in NEEDS.items() if need is OPEN)


def _meets(actor: Actor, need: Need) -> bool:
    if need is READ:
        return True
    if need is SELF:
        return actor.way in ("session", "local")
    if need is SERVICE:
        return actor.service_admin
    enough = ("admin",) if need is MANAGE else ("member", "admin")
    return actor.everywhere or actor.service_admin or any(role in enough for role in actor.roles.values())


async def allowed(request: Request) -> None:
    """Raises Forbidden, and enters that into the audit log."""
    need = NEEDS.get((request.method, request.scope["route"].path))
    actor: Actor | None = request.state.identity
    if need in (OPEN, PAGE):
        return
    if need is None or actor is None:
        raise Forbidden("This address is not open to anybody.")
    if _meets(actor, need):
        return
    raise Forbidden(f"This takes more than you may do here. Needed: {need.value}.")


async def note_refusal(request: Request) -> None:
    """Enter into the audit log that somebody who is known was refused, up to some lines a minute each."""
    service: Service | None = request.app.state.service
    actor: Actor | None = getattr(request.state, "identity", None)
    if service is None or actor is None or not request.app.state.refusals.counts(actor.name):
        return
    await anyio.to_thread.run_sync(service.acting(actor).note_refusal, request.method, request.url.path)
