"""Trained networks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from blindspots.api.bodies import JsonBody
from blindspots.api.replies import reply, tagged_json
from blindspots.api.schemas import Items
from blindspots.api.wiring import ServiceHere

router = APIRouter(prefix="/api/v1/models", tags=["models"])

Reference = Annotated[str, Path(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", description="Id or name.")]


class NewName(BaseModel):
    """Another name for a model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$")


@router.get("", response_model=Items)
def models(request: Request, service: ServiceHere) -> Response:
    """All trained networks with what they reached."""
    return tagged_json(request, {"items": service.models()})


@router.get("/{reference}")
def model(request: Request, service: ServiceHere, reference: Reference) -> Response:
    """One trained network."""
    return tagged_json(request, service.model(reference))


@router.patch("/{reference}")
def rename(
    service: ServiceHere, reference: Reference, body: Annotated[NewName, Depends(JsonBody(NewName))]
) -> Response:
    """Give the network another name."""
    return reply(service.rename_model(reference, body.name))


@router.delete("/{reference}", status_code=204)
def delete(service: ServiceHere, reference: Reference) -> Response:
    """Delete a network that no job needs any more."""
    service.delete_model(reference)
    return Response(status_code=204)
