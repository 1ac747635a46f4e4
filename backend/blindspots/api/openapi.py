"""The OpenAPI 3.1 document: FastAPI's own, with the strict JSON bodies and the one error shape entered."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts

from blindspots import __version__
from blindspots.api.bodies import JsonBody
from blindspots.api.schemas import Problem

SUMMARY = "Jobs, results and figures of a Blindspots installation. Errors are application/problem+json."
EVERYWHERE = {"401": "Not signed in", "403": "Host or origin refused", "503": "The database does not answer"}
WITH_BODY = {
    "400": "Malformed",
    "413": "Too large",
    "415": "Not the promised type",
    "422": "Invalid",
    "409": "Conflict",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "attack": {
        "summary": "Smallest distortion for 256 test images",
        "value": {
            "kind": "attack",
            "model": "digits-softmax",
            "images": {"source": "dataset", "dataset": "digits", "split": "test", "count": 256},
            "method": {"name": "minimum_distortion", "mode": "tight", "target": "random"},
        },
    },
    "fetch": {"summary": "Download MNIST", "value": {"kind": "fetch_dataset", "dataset": "mnist"}},
}


def json_body(route: RouteContext) -> JsonBody[Any] | None:
    """The strict body that this route reads, if any."""
    dependant = getattr(route, "dependant", None)
    calls = (each.call for each in dependant.dependencies) if dependant else ()
    return next((call for call in calls if isinstance(call, JsonBody)), None)


def _problems(names: dict[str, str]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": text, "content": content} for status, text in names.items()}


def _enter(operation: dict[str, Any], body: JsonBody[Any] | None, components: dict[str, Any]) -> None:
    names = dict(EVERYWHERE)
    if operation.get("parameters"):
        names |= {"422": "Invalid parameter", "404": "No such object", "409": "Its state does not allow it"}
    if body is not None or "requestBody" in operation:
        names |= WITH_BODY
    if body is not None:
        schema = dict(body.schema)
        components.update(schema.pop("$defs", {}))
        content: dict[str, Any] = {"schema": schema}
        if "oneOf" in schema:
            content["examples"] = EXAMPLES
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    operation["responses"] |= _problems(names)


def document(app: FastAPI) -> dict[str, Any]:
    """Built once; everything in it follows from the code."""
    if app.openapi_schema:
        return app.openapi_schema
    built = get_openapi(
        title="Blindspots", version=__version__, openapi_version="3.1.0", summary=SUMMARY, routes=app.routes
    )
    components = built.setdefault("components", {}).setdefault("schemas", {})
    for leftover in ("HTTPValidationError", "ValidationError"):
        components.pop(leftover, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(problem.pop("$defs"), Problem=problem)
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ():
            operation = built["paths"].get(route.path, {}).get(method.lower())
            if operation is not None:
                _enter(operation, json_body(route), components)
    built["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    built["security"] = [{"token": []}]
    for path in ("/healthz", "/readyz"):
        built["paths"][path]["get"]["security"] = []
    built["paths"]["/api/v1/session"]["post"]["security"] = []
    app.openapi_schema = built
    return built
