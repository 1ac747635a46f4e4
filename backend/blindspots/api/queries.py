"""A query parameter that nothing reads is a mistake of the caller, and is said so."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from blindspots.api.bodies import printable
from blindspots.errors import InvalidInput


def _names(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
        else:
            yield field.alias
    for each in dependant.dependencies:
        yield from _names(each)


def only_known_parameters(request: Request) -> None:
    """Raises InvalidInput for unknown and repeated query parameters, and for text that no database stores.

    The address of a page is free: it holds the state of the view, which only the browser reads.
    """
    if not request.url.path.startswith("/api/"):
        return
    known = set(_names(request.scope["route"].dependant))
    for name, value in request.query_params.multi_items():
        shown = printable(name)
        if name not in known:
            allowed = ", ".join(sorted(known)) or "none"
            raise InvalidInput(f"There is no such query parameter here; known are: {allowed}.", field=shown)
        if len(request.query_params.getlist(name)) > 1:
            raise InvalidInput("This query parameter is given more than once.", field=shown)
        if "\x00" in value:
            raise InvalidInput("Text may not hold NUL.", field=shown)
