"""The command reproduce: submit, show the plan while it runs, then paper beside measured."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from blindspots.api.schemas import JobDetail
from blindspots.client import Client
from blindspots.commands.console import Target, notes, out
from blindspots.commands.jobs import STYLES
from blindspots.experiments.reproduce_presets import Experiment, Preset

SIGNS = {"succeeded": "✓", "failed": "✗", "cancelled": "–", "running": "●", "queued": "○", "planned": "·"}
VERDICTS = {"consistent": ("✓", "green"), "differs": ("≠", "yellow")}
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Show the plan, and end with the job.")]


def reproduce(
    context: typer.Context,
    experiment: Annotated[
        Experiment, typer.Argument(help="A table, figure 7, all of these, or adversarial training.")
    ] = "tables",
    *,
    preset: Annotated[
        Preset,
        typer.Option(help="quick: digits, a minute; paper: MNIST, 256 images; full: MNIST, all images."),
    ] = "quick",
    seed: Annotated[int, typer.Option(help="Of images, targets, noise, halves and networks.", min=0)] = 0,
    wait: Wait = True,
    report: Annotated[Path | None, typer.Option(help="Save the report here, as one HTML file.")] = None,
) -> None:
    """Make the paper's tables anew and lay them beside the printed ones. A running service does it."""
    target: Target = context.obj
    document = {"kind": "reproduce", "experiment": experiment, "preset": preset, "seed": seed}
    with target.client() as client:
        estimate = client.estimate(document)
        if estimate.seconds is not None:
            notes.print(f"About {duration(estimate.seconds)} on this machine.", markup=False)
        job_id = client.submit(document).id
        if not wait:
            out.print(job_id)
            return
        job = follow(client, job_id)
        print_result(job.summary)
        if report is not None:
            client.export(job_id, "html", report)
            out.print(f"Report: {report}", markup=False, soft_wrap=True)
        else:
            out.print(f"Report: blindspots export {job_id} --format html", markup=False, soft_wrap=True)
        out.print(f"Page:   {client.url}/jobs/{job_id}", markup=False, soft_wrap=True)


def follow(client: Client, job_id: str) -> JobDetail:
    """The plan, redrawn while it runs. Raises JobFailed unless the job succeeded."""
    started = time.monotonic()
    try:
        with Live(console=notes, refresh_per_second=4) as live:
            job = client.wait(job_id, progress=lambda job: live.update(plan(job, time.monotonic() - started)))
    except KeyboardInterrupt:
        notes.print(f"The job goes on. Stop it with: blindspots cancel {job_id}", markup=False)
        raise
    notes.print()
    return job


def plan(job: JobDetail, seconds: float) -> Group:
    """The steps with their states, and how far the whole is."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for step in job.steps:
        style = STYLES.get(step.state, "dim")
        done = 1.0 if step.state == "succeeded" else step.fraction or 0.0
        time_taken = "" if step.seconds is None else duration(step.seconds)
        table.add_row(
            Text(SIGNS.get(step.state, "·"), style=style),
            Text(step.name, style="" if step.state in STYLES else "dim"),
            ProgressBar(total=1.0, completed=done, width=24),
            Text(time_taken, style="dim"),
        )
    left = job.progress.eta_seconds
    words = f"{job.waiting_for or job.state}, {100 * job.progress.fraction:.0f} % after {duration(seconds)}"
    if left is not None and job.state == "running":
        words += f", about {duration(left)} left"
    return Group(table, Text(words, style="bold"))


def duration(seconds: float) -> str:
    """ "40 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def print_result(summary: Mapping[str, Any]) -> None:
    """The conclusion and every table: measured above, the paper's number below."""
    for table in summary["tables"]:
        out.print(_drawn(table))
    if summary["figure7"] is not None:
        out.print(_panels(summary["figure7"]))
    for sentence in summary["conclusion"]:
        out.print(sentence, markup=False)


def _drawn(found: Mapping[str, Any]) -> Table:
    number = found["name"].removeprefix("table")
    title = f"Table {number}. {found['title']}" if number.isdigit() else found["title"]
    table = Table(
        title=title, title_justify="left", title_style="bold", header_style="dim", caption=_caption(found)
    )
    table.add_column("measured\npaper")
    for column in found["columns"]:
        table.add_column(column, justify="right")
    for row in found["rows"]:
        table.add_row(row["label"], *(_cell(cell) for cell in row["cells"]))
    return table


def _caption(found: Mapping[str, Any]) -> str | None:
    figures = found["figures"]
    if figures is None:
        return None
    words = f"{figures['consistent']} of {figures['judged']} consistent (✓); errors "
    words += f"{figures['mean_absolute_difference']:.2f} points apart on average"
    if figures["without"]:
        words += f", without {', '.join(figures['without'])}"
    return words


def _cell(cell: Mapping[str, Any]) -> Text:
    """Measured with its sign; under it the paper's number."""
    silent = cell["given"] and cell["verdict"] == "consistent"
    sign, style = VERDICTS.get("" if silent else cell["verdict"], ("", ""))
    percent = cell["unit"] == "percent"
    ours = f"{cell['measured']:.1f}" if percent else f"{cell['measured']:.3f}"
    text = Text(f"{ours} {sign}".rstrip(), style=style)
    paper = "" if cell["paper"] is None else f"{cell['paper']:.{cell['paper_decimals']}f}"
    return text.append(f"\n{paper}", style="dim")


def _panels(found: Mapping[str, Any]) -> Table:
    table = Table(
        "panel", "network", "distortion", "paper", "accuracy", "paper", title="Figure 7", header_style="dim"
    )
    table.title_justify = "left"
    for panel in found["panels"]:
        accuracy = panel["paper_accuracy"]
        table.add_row(
            panel["letter"],
            panel["model"],
            f"{panel['distortion']:.3f}",
            f"{panel['paper_distortion']:g}",
            f"{panel['accuracy']:.1f} %",
            "" if accuracy is None else f"{accuracy:g} %",
        )
    return table
