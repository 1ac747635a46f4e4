"""Commands about people and their tokens, for whoever runs the machine: they go straight to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table

from blindspots.commands.console import Target, notes, out
from blindspots.errors import NotFound
from blindspots.settings import Settings
from blindspots.store import users
from blindspots.store.artifacts import ArtifactStore
from blindspots.work.actor import Role, Scope
from blindspots.work.embedded import prepare_data_folder, prepare_database
from blindspots.work.publishing import NoBroker
from blindspots.work.service import Service

user = typer.Typer(help="People: add, list, role, disable, enable, reset.", no_args_is_help=True)
token = typer.Typer(help="Tokens for programs: add, list, revoke.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name that they sign in with.")]
Project = Annotated[str, typer.Option(help="Short name of the project.")]


@contextmanager
def directly(context: typer.Context) -> Iterator[Service]:
    """The service on the database that the settings name. Raises StartupError."""
    target: Target = context.obj
    settings = Settings() if target.data_dir is None else Settings(data_dir=target.data_dir)
    prepare_data_folder(settings)
    database = prepare_database(settings)
    try:
        yield Service(settings, database, ArtifactStore(settings.artifacts), NoBroker())
    finally:
        database.close()


def _print_link(context: typer.Context, code: str) -> None:
    target: Target = context.obj
    settings = Settings() if target.data_dir is None else Settings(data_dir=target.data_dir)
    note = settings.data_dir / "address"
    address = target.url or (
        note.read_text().strip() if note.exists() else f"http://127.0.0.1:{settings.port}"
    )
    notes.print("They choose a password with this link; it works once, within two days:", markup=False)
    out.print(f"{address}/join?code={code}", markup=False, soft_wrap=True)


@user.command()
def add(
    context: typer.Context,
    name: Name,
    *,
    full_name: Annotated[str, typer.Option(help="As it is shown to others.")] = "",
    project: Project = "main",
    role: Annotated[Role, typer.Option(help="What they are in the project.")] = "member",
    service_admin: Annotated[bool, typer.Option("--service-admin", help="May manage everybody.")] = False,
) -> None:
    """Enter somebody; prints the link by which they choose a password."""
    with directly(context) as service:
        made = service.add_user(name, full_name, service_admin=service_admin)
        service.set_role(project, name, role)
    _print_link(context, made["code"])


@user.command("list")
def list_users(context: typer.Context) -> None:
    """List everybody, with their roles."""
    with directly(context) as service:
        found = service.users()
    table = Table("name", "full name", "roles", "", box=None, header_style="bold")
    for each in found:
        roles = ", ".join(f"{project}: {role}" for project, role in each["roles"].items())
        words = {"disabled": each["disabled"], "admin of the service": each["service_admin"],
                 "no password yet": not each["has_password"]}  # fmt: skip
        marks = ", ".join(word for word, true in words.items() if true)
        table.add_row(each["name"], each["display_name"], roles, marks)
    out.print(table)


@user.command("role")
def set_role(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Argument(help="viewer, member or admin.")],
    *,
    project: Project = "main",
) -> None:
    """Take somebody into a project, or change what they are in it."""
    with directly(context) as service:
        service.set_role(project, name, role)


@user.command()
def disable(context: typer.Context, name: Name) -> None:
    """Let somebody in no more; ends their sessions and tokens at once."""
    with directly(context) as service:
        service.change_user(name, disabled=True)


@user.command()
def enable(context: typer.Context, name: Name) -> None:
    """Let somebody in again; their old tokens stay worthless."""
    with directly(context) as service:
        service.change_user(name, disabled=False)


@user.command()
def reset(context: typer.Context, name: Name) -> None:
    """Print a fresh link by which somebody chooses a password."""
    with directly(context) as service:
        code = service.reset_user(name)["code"]
    _print_link(context, code)


def _id_of(service: Service, name: str) -> str:
    with service.database.write() as tx:
        return str(users.require(tx, name).id)


@token.command("add")
def add_token(
    context: typer.Context,
    name: Name,
    *,
    purpose: Annotated[str, typer.Option("--for", help="What it is for.")] = "command line",
    scope: Annotated[Scope, typer.Option(help="read, submit or admin.")] = "submit",
    project: Annotated[str | None, typer.Option(help="Only in this project.")] = None,
    days: Annotated[int, typer.Option(help="How long it lasts.", min=1, max=365)] = 90,
) -> None:
    """Make a token for somebody; it is printed once and never again."""
    with directly(context) as service:
        made = service.make_token_for(_id_of(service, name), purpose, scope, project, days)
    out.print(made["token"], markup=False, soft_wrap=True)


@token.command("list")
def list_tokens(context: typer.Context, name: Name) -> None:
    """List somebody's tokens; of each, only its first letters are known."""
    with directly(context) as service:
        found = service.tokens_of(_id_of(service, name))
    table = Table("begins with", "for", "scope", "project", "last used", "", box=None, header_style="bold")
    for each in found:
        used = (each["last_used_at"] or "never")[:16].replace("T", " ")
        begins = f"bs_{each['prefix']}"
        table.add_row(begins, each["name"], each["scope"], each["project"] or "all", used, each["state"])
    out.print(table)


@token.command()
def revoke(
    context: typer.Context, name: Name, begins: Annotated[str, typer.Argument(help="What it begins with.")]
) -> None:
    """Make a token worthless, at once."""
    with directly(context) as service:
        user_id = _id_of(service, name)
        found = [each for each in service.tokens_of(user_id) if f"bs_{each['prefix']}".startswith(begins)]
        if len(found) != 1:
            raise NotFound(f"{len(found)} tokens of {name} begin with {begins}; give more letters.")
        service.revoke_token_of(user_id, found[0]["id"])
