"""Files of weights: safetensors and ONNX, read in a limited process and kept as plain arrays."""

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from blindspots.api.bodies import read_body
from blindspots.api.replies import reply, tagged_json
from blindspots.api.schemas import StoredWeights
from blindspots.api.wiring import ServiceHere
from blindspots.errors import InvalidInput
from blindspots.settings import Settings

router = APIRouter(prefix="/api/v1/weights", tags=["models"])

UPLOAD_SECONDS = 600.0
AT_ONCE = anyio.CapacityLimiter(1)  # a large file fills memory twice while it is read
Identifier = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="Content hash.")]
FILE_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=201, response_model=StoredWeights, openapi_extra=FILE_BODY)
async def upload(request: Request, service: ServiceHere) -> Response:
    """Store a safetensors or ONNX file, sent as the raw body; then add it as a model by a job of the kind
    `import_model`."""
    settings: Settings = request.app.state.settings
    content = await read_body(request, limit=settings.max_weights_bytes, field="file", seconds=UPLOAD_SECONDS)
    if not content:
        raise InvalidInput("The body is empty; send the bytes of a safetensors or ONNX file.", field="file")
    stored = await anyio.to_thread.run_sync(service.store_weights, content, limiter=AT_ONCE)
    return reply(stored, status=201)


@router.get("/{weights_id}", response_model=StoredWeights)
def weights(request: Request, service: ServiceHere, weights_id: Identifier) -> Response:
    """What is known of an uploaded file."""
    return tagged_json(request, service.weights_facts(weights_id))
