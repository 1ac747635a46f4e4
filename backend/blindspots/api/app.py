"""The web application, put together from what it is given."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from blindspots import __version__
from blindspots.api import (
    access,
    account,
    archives,
    blind_tests,
    catalog,
    datasets,
    events,
    frontend,
    images,
    jobs,
    models,
    openapi,
    people,
    pins,
    problems,
    sign_in,
    system,
    weights,
)
from blindspots.api.auth import Authenticator, Throttle
from blindspots.api.guard import Guard
from blindspots.api.pace import Pace
from blindspots.api.proxies import Proxies
from blindspots.api.queries import only_known_parameters
from blindspots.api.reception import Reception
from blindspots.api.replies import tagged_json
from blindspots.settings import Settings
from blindspots.work.service import Service

PARTS = (
    catalog, jobs, pins, blind_tests, models, weights, datasets, archives, images, events, system, account,
    people,
)  # fmt: skip


def create_app(settings: Settings, service: Service, *, frontend_folder: Path | None = None) -> FastAPI:
    """The API and the frontend of one installation. Imports no torch, computes nothing.

    Raises StartupError when the files that hold the secrets cannot be made or trusted.
    """
    feed = events.Feed(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        feed.close()

    app = FastAPI(
        title="Blindspots",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(access.allowed), Depends(only_known_parameters)],
    )
    app.state.settings, app.state.service, app.state.feed = settings, service, feed
    app.state.authenticator = None if settings.team else Authenticator(settings.data_dir)
    app.state.reception = Reception(service) if settings.team else None
    app.state.doorkeeper = app.state.reception or app.state.authenticator
    app.state.refusals, app.state.note_refusal = Throttle(), access.note_refusal
    app.state.assets = frontend.Assets(frontend_folder or frontend.default_folder())
    problems.install(app)

    for part in PARTS:
        app.include_router(part.router)
    app.include_router(system.health)

    @app.get("/api/openapi.json", include_in_schema=False)
    def openapi_document(request: Request) -> Response:
        return tagged_json(request, openapi.document(app))

    app.include_router(sign_in.router)
    app.include_router(frontend.router)

    _close(app)
    return app


def _close(app: FastAPI) -> None:
    """Put the door in front of everything, and compression behind it."""
    settings: Settings = app.state.settings
    assets: frontend.Assets = app.state.assets

    def is_open(method: str, path: str) -> bool:
        return (method, path) in access.STRANGERS or (method in ("GET", "HEAD") and path in assets)

    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(
        Guard,
        doorkeeper=app.state.doorkeeper,
        allowed_hosts=settings.allowed_hosts,
        proxies=Proxies(settings.trusted_proxies),
        is_open=is_open,
        pace=Pace(settings.requests_per_minute),
    )
