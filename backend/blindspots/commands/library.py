"""Commands about data sets: list, fetch, import, delete."""

import json
from typing import Annotated

import typer
from rich.table import Table

from blindspots.commands import image_sets
from blindspots.commands.console import Target, out
from blindspots.commands.jobs import AsJson, print_summary, watch

data = typer.Typer(help="Data sets: list, fetch, import, delete.", no_args_is_help=True)
data.command("import")(image_sets.import_images)
data.command("delete")(image_sets.delete_data)


@data.command("list")
def list_data(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List data sets: those here, and those to be fetched."""
    target: Target = context.obj
    with target.client() as client:
        found = client.datasets()
    if as_json:
        out.print_json(json.dumps(found))
        return
    table = Table("name", "title", "images", "from", box=None, header_style="bold")
    for each in found:
        images = ", ".join(f"{split} {count}" for split, count in (each["sizes"] or {}).items())
        table.add_row(
            each["name"], each["title"], images, each["source"] if each["available"] else "fetch it"
        )
    out.print(table)


@data.command()
def fetch(context: typer.Context, name: Annotated[str, typer.Argument(help="For instance mnist.")]) -> None:
    """Download a data set; its checksums are verified."""
    target: Target = context.obj
    with target.client() as client:
        job = client.submit({"kind": "fetch_dataset", "dataset": name})
        print_summary(watch(client, job.id))
