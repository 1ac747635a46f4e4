"""Commands about jobs: submit, jobs, show, cancel, export."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from blindspots.api.schemas import Job, JobDetail, Lane
from blindspots.client import Client
from blindspots.commands.console import Target, notes, out
from blindspots.errors import InvalidInput
from blindspots.submitted import follow

STYLES = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "queued": "dim"}
JobId = Annotated[str, typer.Argument(help="Id of the job.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_spec(source: str) -> dict[str, Any]:
    """The JSON document of a file, or of standard input for `-`. Raises InvalidInput."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as error:
        raise InvalidInput(f"Cannot read {source}: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInput(f"{source} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{source} holds no JSON object.")
    return document


def apply(document: dict[str, Any], assignment: str) -> None:
    """`images.count=512` sets `document["images"]["count"]`; the value is JSON, or else text.

    Raises InvalidInput.
    """
    path, equals, text = assignment.partition("=")
    if not equals or not path:
        raise InvalidInput(f"--set takes key=value, not {assignment!r}.")
    *parents, last = path.split(".")
    node = document
    for parent in parents:
        child = node.setdefault(parent, {})
        if not isinstance(child, dict):
            raise InvalidInput(f"--set {path}: {parent} is not an object.")
        node = child
    try:
        node[last] = json.loads(text)
    except ValueError:
        node[last] = text


def watch(client: Client, job_id: str) -> JobDetail:
    """Show the progress until the job has ended. Raises JobFailed unless it succeeded."""
    return follow(client, job_id, console=notes)


def print_summary(job: Job) -> None:
    """State and results, one per line."""
    style = STYLES.get(job.state, "")
    out.print(f"{job.id}  {job.kind}  [{style}]{job.state}[/{style}]  {job.title}", markup=True)
    if job.waiting_for:
        out.print(f"  waiting for: {job.waiting_for}", markup=False)
    if job.error:
        out.print(f"  {job.error.message}", markup=False)
    for name, value in job.summary.items():
        shown = f"{value:.4g}" if isinstance(value, float) else value
        out.print(f"  {name}: {shown}", markup=False)


def submit(
    context: typer.Context,
    spec: Annotated[
        str, typer.Argument(help="File with the job's parameters as JSON, or - for standard input.")
    ],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress and end with the job.")] = False,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="Change a parameter: images.count=512")
    ] = None,
    lane: Annotated[Lane, typer.Option(help="interactive goes past long jobs.")] = "batch",
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not reuse finished parts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a job; prints its id, or with --wait its results."""
    document = read_spec(spec)
    for each in assignments or []:
        apply(document, each)
    target: Target = context.obj
    with target.client() as client:
        job: Job = client.submit(document, lane=lane, fresh=fresh)
        if wait:
            job = watch(client, job.id)
    if as_json:
        out.print_json(job.model_dump_json())
    elif wait:
        print_summary(job)
    else:
        out.print(job.id)


def list_jobs(
    context: typer.Context,
    *,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    state: Annotated[str | None, typer.Option(help="Only this state.")] = None,
    search: Annotated[str | None, typer.Option(help="Words in the title.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    given = {"kind": kind, "state": state, "search": search}
    target: Target = context.obj
    with target.client() as client:
        jobs = list(client.jobs(limit=limit, **{name: value for name, value in given.items() if value}))
    if as_json:
        out.print_json(json.dumps([job.model_dump() for job in jobs]))
        return
    table = Table("id", "kind", "state", "done", "title", "created", box=None, header_style="bold")
    for job in jobs:
        done = f"{100 * job.progress.fraction:.0f} %"
        state_text = f"[{STYLES.get(job.state, '')}]{job.state}[/]"
        table.add_row(job.id, job.kind, state_text, done, job.title, job.created_at[:19].replace("T", " "))
    out.print(table)


def show(context: typer.Context, job_id: JobId, *, as_json: AsJson = False) -> None:
    """Show one job: parameters, state, results."""
    target: Target = context.obj
    with target.client() as client:
        job = client.job(job_id)
    if as_json:
        out.print_json(job.model_dump_json())
        return
    print_summary(job)
    out.print(f"  parts: {job.parts.succeeded} of {job.parts.total}   figures: {', '.join(job.figures)}")
    out.print_json(json.dumps(job.spec))


def cancel(context: typer.Context, job_id: JobId) -> None:
    """Cancel a job; it stops within ten seconds."""
    target: Target = context.obj
    with target.client() as client:
        print_summary(client.cancel(job_id))


def export(
    context: typer.Context,
    job_id: JobId,
    *,
    form: Annotated[
        Literal["csv", "json", "npz", "html"], typer.Option("--format", help="What to save.")
    ] = "csv",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.")] = None,
) -> None:
    """Save numbers (csv, json), everything as numpy arrays (npz), or a reproduction's report (html)."""
    path = output or Path(f"{job_id}.{form}")
    target: Target = context.obj
    with target.client() as client:
        size = client.export(job_id, form, path)
    notes.print(f"{path}: {size} bytes", markup=False)
