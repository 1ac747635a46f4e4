"""`blindspots doctor`: what is found, what is missing, and what to do about it."""

import importlib
import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from rich.table import Table

from blindspots.api.frontend import default_folder
from blindspots.client import Client
from blindspots.commands.console import out
from blindspots.errors import BlindspotsError
from blindspots.settings import Settings
from blindspots.store import migrations
from blindspots.store.database import Database, check_answers
from blindspots.work.embedded import FREE_BYTES
from blindspots.zoo import datasets

PACKAGES = ("torch", "numpy", "scipy", "numba", "fastapi", "sqlalchemy", "celery", "plotly")
MARKS = {"good": "[green]✓[/green]", "note": "[yellow]–[/yellow]", "bad": "[red]✗[/red]"}


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    verdict: Literal["good", "note", "bad"]
    subject: str
    detail: str


def python(_: Settings) -> Iterator[Finding]:
    """The interpreter and the packages that do the work."""
    enough = sys.version_info >= (3, 11)
    yield Finding(
        "good" if enough else "bad", "Python", f"{platform.python_version()} on {platform.platform()}"
    )
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding("bad", name, "is not installed; install Blindspots again")
    yield Finding("good", "packages", ", ".join(found))


def device(_: Settings) -> Iterator[Finding]:
    """What attacks will run on."""
    torch = importlib.import_module("torch")
    yield Finding("good", "CPU", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads in torch")
    if torch.cuda.is_available():
        yield Finding("good", "GPU", str(torch.cuda.get_device_name()))
    else:
        yield Finding("note", "GPU", "none found; everything runs on the CPU")


def folder(settings: Settings) -> Iterator[Finding]:
    """Where everything is kept."""
    place = settings.data_dir
    if not place.is_dir():
        yield Finding("bad", "data folder", f"{place} does not exist yet; it is made by: blindspots up")
        return
    writable = os.access(place, os.W_OK)
    yield Finding(
        "good" if writable else "bad", "data folder", f"{place}{'' if writable else ' is not writable'}"
    )
    free = shutil.disk_usage(place).free
    yield Finding("good" if free > FREE_BYTES else "bad", "disk", f"{free / 2**30:.1f} GiB free")
    for name in ("token", "secret"):
        file = place / name
        if not file.exists():
            yield Finding("bad", name, f"{file} is missing; it is made by: blindspots up")
        elif stat.S_IMODE(file.stat().st_mode) & 0o077:
            yield Finding("bad", name, f"{file} can be read by others; run: chmod 600 '{file}'")


def database(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers and is of this version."""
    if not settings.database_url and not (settings.data_dir / "blindspots.sqlite").exists():
        yield Finding("bad", "database", "there is none yet; it is made by: blindspots up")
        return
    opened = Database(settings.database)
    try:
        check_answers(opened)
        migrations.check_current(opened)
    finally:
        opened.close()
    yield Finding("good", "database", opened.url.render_as_string(hide_password=True))


def data_sets(settings: Settings) -> Iterator[Finding]:
    """What there is to attack and to train on."""
    folders = [settings.datasets_dir] if settings.datasets_dir else []
    found = datasets.find(folders, downloads=settings.downloads)
    here = sorted(name for name, each in found.items() if each.available)
    yield Finding("good", "data sets", ", ".join(here))
    if "mnist" not in here:
        yield Finding(
            "note", "MNIST", "not here; run: blindspots data fetch mnist, or set BLINDSPOTS_DATASETS_DIR"
        )


def pages(_: Settings) -> Iterator[Finding]:
    """The files that the browser gets."""
    index = default_folder() / "index.html"
    found = index.is_file()
    yield Finding(
        "good" if found else "bad", "frontend", str(index.parent if found else f"{index} is missing")
    )


def server(settings: Settings) -> Iterator[Finding]:
    """Whether an installation answers, and whether somebody works for it."""
    with Client(data_dir=settings.data_dir, timeout=5.0) as client:
        state = client.system()
        alive = [worker for worker in state["workers"] if worker["alive"]]
        yield Finding("good", "server", f"answers at {client.url}")
        if alive:
            lanes = ", ".join(sorted(str(worker["lane"]) for worker in alive))
            yield Finding("good", "workers", f"{len(alive)} alive: {lanes}")
        else:
            yield Finding("bad", "workers", "none is alive; jobs will wait")


CHECKS: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
    ("Python", python),
    ("device", device),
    ("data folder", folder),
    ("database", database),
    ("data sets", data_sets),
    ("frontend", pages),
    ("server", server),
)


def findings(settings: Settings) -> Iterator[Finding]:
    """Every check in order; one that cannot be made is a finding too."""
    for subject, check in CHECKS:
        try:
            yield from check(settings)
        except (BlindspotsError, OSError, ImportError) as error:
            yield Finding("bad", subject, str(error))


def doctor(settings: Settings) -> bool:
    """Print the report; returns whether nothing is bad."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    found = list(findings(settings))
    for each in found:
        table.add_row(MARKS[each.verdict], each.subject, each.detail)
    out.print(table)
    return all(each.verdict != "bad" for each in found)
