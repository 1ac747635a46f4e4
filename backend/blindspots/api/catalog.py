"""What can be done here: every job kind with its schema, and the names that a Spec may hold."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from blindspots.api.replies import tagged_json
from blindspots.api.schemas import CatalogAnswer
from blindspots.api.wiring import ServiceHere

router = APIRouter(prefix="/api/v1/catalog", tags=["catalog"])


@router.get("", response_model=CatalogAnswer)
def catalog(request: Request, service: ServiceHere) -> Response:
    """All kinds with the JSON Schema of their parameters, networks, methods and defaults."""
    return tagged_json(request, service.catalog())
