"""Fixtures that every test may ask for: real services, a real installation, a real browser."""

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import hypothesis
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

import services
from installation import Installation, running

if TYPE_CHECKING:
    from team import Team

hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")

STARTED_ONCE = {"installation": "embedded", "team_installation": "team"}


def pytest_report_header() -> list[str]:
    """Say which real services this run uses."""
    return services.report()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one installation in one process, so that each installation is started once."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        callspec = getattr(item, "callspec", None)
        mode = callspec.params.get("each_installation") if callspec else None
        if callspec and "team" in callspec.params:
            mode = f"people on {callspec.params['team']}"
        group = mode or next((STARTED_ONCE[name] for name in sorted(names & STARTED_ONCE.keys())), None)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Start every test with ordinary arithmetic.

    A worker that runs inside a test lets denormal numbers count as zero; Hypothesis then draws no numbers.
    """
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`blindspots up` as a newcomer has it, its demo networks trained. Shared: leave it as you found it."""
    with running(tmp_path_factory.mktemp("embedded") / "data") as started:
        yield started.wait_for_demo()


@pytest.fixture(scope="session")
def team_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The same program on PostgreSQL and Redis."""
    database = create_database()
    settings = {"database_url": database, "broker_url": services.redis_url()}
    with running(tmp_path_factory.mktemp("team") / "data", **settings) as started:
        yield started.wait_for_demo()
    drop_database(database)


@pytest.fixture(params=["embedded", "team"])
def each_installation(request: pytest.FixtureRequest) -> Installation:
    """Once in embedded mode, once on PostgreSQL and Redis."""
    names = {mode: name for name, mode in STARTED_ONCE.items()}
    found: Installation = request.getfixturevalue(names[request.param])
    return found


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def team(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Team"]:
    """Team mode with people of every role, once per kind of database. Shared: leave it as you found it."""
    from team import Team

    url = "" if request.param == "sqlite" else create_database()
    started = Team(url, tmp_path_factory.mktemp("people") / "data")
    yield started
    started.close()
    if url:
        drop_database(url)


@pytest.fixture
def client(installation: Installation) -> httpx2.Client:
    """An HTTP client that is signed in to the embedded installation."""
    return installation.client


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once per kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    url = create_database()
    yield url
    drop_database(url)


@pytest.fixture
def broker_url() -> str:
    """The URL of a running Redis."""
    return services.redis_url()


@pytest.fixture
def flush_denormal() -> None:
    """Denormal numbers count as zero, as in every worker: saturated sigmoids are slow otherwise."""
    import torch

    torch.set_flush_denormal(True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. One per module: playwright keeps an event loop running as long as it is open."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=services.chromium_path())
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser, installation: Installation) -> Iterator[BrowserContext]:
    """A fresh browser profile that is signed in. (The printed link works once, this one always.)"""
    profile = browser.new_context(base_url=installation.base_url, viewport={"width": 1280, "height": 800})
    page = profile.new_page()
    page.goto(f"/login?token={installation.token}")
    page.close()
    yield profile
    profile.close()


@pytest.fixture
def problems() -> list[str]:
    """What the page complained about: errors on the console, uncaught exceptions, violations of the CSP.

    A test that provokes one on purpose looks at it and clears the list.
    """
    return []


@pytest.fixture
def page(context: BrowserContext, problems: list[str]) -> Iterator[Page]:
    """A signed-in page. The test fails when the page reported a problem that the test did not clear."""

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(f"{message.text} ({message.location.get('url', '')})")

    tab = context.new_page()
    tab.on("console", heard)
    tab.on("pageerror", lambda error: problems.append(str(error)))
    yield tab
    tab.close()
    assert not problems, "\n".join(problems)


def create_database() -> str:
    """The URL of a new, empty PostgreSQL database."""
    server = services.postgres_url()
    name = f"test_{secrets.token_hex(6)}"
    _administer(server, f'CREATE DATABASE "{name}"')
    return server.rpartition("/")[0] + f"/{name}"


def drop_database(url: str) -> None:
    """Remove a database that `create_database` made, and whoever is still connected to it."""
    _administer(services.postgres_url(), f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)
