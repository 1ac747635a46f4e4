"""Pinned rows of a job."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from blindspots.api.bodies import JsonBody
from blindspots.api.replies import reply, tagged_json
from blindspots.api.schemas import Items
from blindspots.api.wiring import ServiceHere

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Identifier = Annotated[str, Path(pattern=UUID, description="The job's id, a UUID.")]
Row = Annotated[int, Path(ge=0, lt=2**31, description="Row of the example within the job.")]


class Caption(BaseModel):
    """What the images of the row share, in a few words."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"caption": "loops"}]}
    )

    caption: str = Field("", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")


@router.get("/{job_id}/pins", response_model=Items)
def pinned(request: Request, service: ServiceHere, job_id: Identifier) -> Response:
    """Rows that the team pinned, with their captions."""
    return tagged_json(request, items(service.pins(job_id)))


@router.put("/{job_id}/pins/{row}", response_model=Items)
def pin(
    service: ServiceHere, job_id: Identifier, row: Row, body: Annotated[Caption, Depends(JsonBody(Caption))]
) -> Response:
    """Pin a row, or change its caption."""
    return reply(items(service.pin(job_id, row, body.caption.strip())))


@router.delete("/{job_id}/pins/{row}", status_code=204)
def unpin(service: ServiceHere, job_id: Identifier, row: Row) -> Response:
    """Take the pin away."""
    service.unpin(job_id, row)
    return Response(status_code=204)


def items(found: list[dict[str, Any]]) -> dict[str, Any]:
    """A list as every route answers it."""
    return {"items": found}
