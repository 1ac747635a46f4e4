"""The installation itself: what it runs on, and whether it is well."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from blindspots.api.bodies import JsonBody
from blindspots.api.replies import reply
from blindspots.api.schemas import Items
from blindspots.api.schemas import System as SystemAnswer
from blindspots.api.wiring import ServiceHere

router = APIRouter(prefix="/api/v1", tags=["system"])
health = APIRouter(tags=["health"])
WorkerId = Annotated[
    str, Path(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="The worker's id.")
]


@router.get("/system", response_model=SystemAnswer)
def system(service: ServiceHere) -> Response:
    """Versions, places, workers and queue."""
    return reply(service.system())


@router.get("/workers", response_model=Items)
def workers(service: ServiceHere) -> Response:
    """Every worker that was alive lately, and what it does."""
    return reply({"items": service.workers()})


class Drain(BaseModel):
    """Whether a worker shall take no more parts."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"draining": True}]}
    )

    draining: bool


@router.patch("/workers/{worker_id}", response_model=Items)
def drain(
    service: ServiceHere, worker_id: WorkerId, body: Annotated[Drain, Depends(JsonBody(Drain))]
) -> Response:
    """Let a worker finish its part and take no more, or take parts again."""
    return reply({"items": service.drain_worker(worker_id, draining=body.draining)})


@health.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return reply({"status": "ok"})


@health.get("/readyz")
def ready(service: ServiceHere) -> Response:
    """The database answers too."""
    service.latest_event()
    return reply({"status": "ready"})
