"""The installation itself: what it runs on, and whether it is well."""

from fastapi import APIRouter
from starlette.responses import Response

from blindspots.api.replies import reply
from blindspots.api.schemas import Items
from blindspots.api.schemas import System as SystemAnswer
from blindspots.api.wiring import ServiceHere

router = APIRouter(prefix="/api/v1", tags=["system"])
health = APIRouter(tags=["health"])


@router.get("/system", response_model=SystemAnswer)
def system(service: ServiceHere) -> Response:
    """Versions, places, workers and queue."""
    return reply(service.system())


@router.get("/workers", response_model=Items)
def workers(service: ServiceHere) -> Response:
    """Every worker that was alive lately, and what it does."""
    return reply({"items": service.workers()})


@health.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return reply({"status": "ok"})


@health.get("/readyz")
def ready(service: ServiceHere) -> Response:
    """The database answers too."""
    service.latest_event()
    return reply({"status": "ready"})
