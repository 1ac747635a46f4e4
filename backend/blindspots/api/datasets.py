"""Data sets and their images."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from blindspots.api.replies import IMMUTABLE, REVALIDATE, same, tagged_json, version_tag
from blindspots.api.schemas import ImagePage, Items
from blindspots.api.wiring import ServiceHere

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"])

Name = Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,99}(:P[12]:[0-9]{1,10})?$")]
Split = Annotated[str, Path(pattern="^[a-z]{1,20}$")]


@router.get("", response_model=Items)
def datasets(request: Request, service: ServiceHere) -> Response:
    """What is here, and what can be downloaded."""
    return tagged_json(request, {"items": service.datasets()})


@router.get("/{name}")
def dataset(request: Request, service: ServiceHere, name: Name) -> Response:
    """One data set, or a half of its training images: `mnist:P1:0`."""
    return tagged_json(request, service.dataset(name))


@router.get("/{name}/{split}/images", response_model=ImagePage)
def images(
    *,
    request: Request,
    service: ServiceHere,
    name: Name,
    split: Split,
    label: Annotated[int | None, Query(alias="class", ge=0, lt=2**31)] = None,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Indices and labels, all or of one class."""
    return tagged_json(request, service.dataset_images(name, split, label, offset, limit))


@router.get("/{name}/{split}/images/{index}.png", response_class=Response)
def image(
    *,
    request: Request,
    service: ServiceHere,
    name: Name,
    split: Split,
    index: Annotated[int, Path(ge=0, lt=2**31)],
    side: Annotated[int | None, Query(ge=16, le=1024)] = None,
) -> Response:
    """One image at its own size; with `side`, smaller, so that its longer side has that many pixels."""
    version, replaceable = service.dataset_version(name)
    headers = {
        "ETag": version_tag(version, split, index, side),
        "Cache-Control": REVALIDATE if replaceable else IMMUTABLE,
    }
    if same(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(service.dataset_image(name, split, index, side), media_type="image/png", headers=headers)


@router.delete("/{name}", status_code=204)
def delete(service: ServiceHere, name: Name) -> Response:
    """Delete an image set that no job refers to."""
    service.delete_dataset(name)
    return Response(status_code=204)
