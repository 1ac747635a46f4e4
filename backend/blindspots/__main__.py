"""`blindspots`: the command line, and the only place where settings are built and the pieces are wired."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from blindspots import __version__
from blindspots.api.schemas import Lane
from blindspots.commands import jobs, library, models, people, reproduce
from blindspots.commands.console import Target, notes, out
from blindspots.errors import BlindspotsError, StartupError
from blindspots.settings import Settings

app = typer.Typer(
    help="Find, measure and keep adversarial examples on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.command()(jobs.submit)
app.command("jobs")(jobs.list_jobs)
app.command()(jobs.show)
app.command()(jobs.cancel)
app.command()(jobs.export)
app.command()(reproduce.reproduce)
app.add_typer(models.models, name="models")
app.add_typer(library.data, name="data")
app.add_typer(people.user, name="user")
app.add_typer(people.token, name="token")

DataDir = Annotated[Path | None, typer.Option(help="Folder of everything that is kept.")]


def settings_from(**given: Any) -> Settings:
    """The environment's settings, with what the command line gave laid over. Raises StartupError."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = f"BLINDSPOTS_{'_'.join(str(step) for step in first['loc']).upper()}"
        raise StartupError(f"{name} makes no sense: {first['msg']}.") from error


@app.callback()
def options(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help="Address of another installation.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Options that stand before the command's name."""
    context.obj = Target(url, data_dir)


@app.command()
def up(
    context: typer.Context,
    *,
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    host: Annotated[str | None, typer.Option(help="Loopback address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Start the server and its workers."""
    from blindspots.commands import running

    target: Target = context.obj
    running.up(settings_from(host=host, port=port, data_dir=data_dir or target.data_dir), browser=browser)


@app.command()
def worker(
    context: typer.Context,
    *,
    lane: Annotated[Lane, typer.Option(help="Which jobs to work on.")] = "batch",
    data_dir: DataDir = None,
) -> None:
    """Start a worker beside those of `up`, on this or another machine."""
    from blindspots.commands import running

    target: Target = context.obj
    running.worker(settings_from(data_dir=data_dir or target.data_dir), lane)


@app.command()
def migrate(context: typer.Context, *, data_dir: DataDir = None) -> None:
    """Bring the database to this version's state; `up` does it by itself."""
    from blindspots.commands import running

    target: Target = context.obj
    running.migrate(settings_from(data_dir=data_dir or target.data_dir))


@app.command()
def doctor(context: typer.Context, *, data_dir: DataDir = None) -> None:
    """Say what is found and what is missing."""
    from blindspots.commands import checks

    target: Target = context.obj
    if not checks.doctor(settings_from(data_dir=data_dir or target.data_dir)):
        raise typer.Exit(1)


@app.command()
def login(context: typer.Context) -> None:
    """Print a fresh link that signs a browser in once."""
    target: Target = context.obj
    with target.client() as client:
        out.print(client.sign_in_link(), markup=False, soft_wrap=True)


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__)


def main() -> None:
    """Run a command; a mistake of the user's ends with one sentence and status 1."""
    try:
        app()
    except BlindspotsError as error:
        field = f"{error.field}: " if error.field else ""
        notes.print(f"{field}{error.message}", markup=False, soft_wrap=True, style="red")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
