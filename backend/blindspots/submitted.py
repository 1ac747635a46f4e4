"""A job in the hands of a Python program or a notebook: wait for it, and take what it found."""

import html
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import PrivateAttr
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from blindspots.api.schemas import Job, JobDetail

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from blindspots.client import Array, Client

MOST_TOLD = 12  # numbers of a result that a notebook shows


class SubmittedJob(Job):
    """A job as it was when it was last asked for; `wait` and `reload` ask again.

    In a notebook the last expression `job` shows what it is and what it found, `job.figure(name)` draws.
    """

    _client: "Client" = PrivateAttr()

    @classmethod
    def of(cls, client: "Client", job: Job) -> Self:
        """The same job, with a way to ask about it."""
        here = cls.model_validate(job.model_dump(include=set(Job.model_fields)))
        here._client = client
        return here

    def reload(self) -> Self:
        """The job as it is now."""
        return self.of(self._client, self._client.job(self.id))

    def wait(self, *, timeout: float | None = None, progress: bool = True) -> Self:
        """The job when it has ended, with a progress bar on standard error or in the notebook.

        Raises JobFailed unless it succeeded, TimeoutError after `timeout` seconds.
        """
        done = (
            follow(self._client, self.id, timeout=timeout)
            if progress
            else self._client.wait(self.id, timeout=timeout)
        )
        return self.of(self._client, done)

    def cancel(self) -> Self:
        """Stop it; it ends within ten seconds."""
        return self.of(self._client, self._client.cancel(self.id))

    def results(self) -> "dict[str, Array]":
        """Everything that it found, as numpy arrays by name."""
        return self._client.results(self.id)

    def figures(self) -> list[str]:
        """Names of what it draws."""
        return self._client.job(self.id).figures

    def figure(self, name: str, *, theme: Literal["light", "dark"] = "light") -> "Figure":
        """One figure, to be shown or changed."""
        return self._client.figure(self.id, name, theme=theme)

    def export(self, form: Literal["csv", "json", "npz", "html"], path: Path) -> int:
        """Save the numbers (csv, json), all arrays (npz) or the report (html); returns the size in bytes."""
        return self._client.export(self.id, form, path)

    def _repr_html_(self) -> str:
        """For notebooks."""
        told = {"state": self.state, **self.summary} if self.summary else {"state": self.state}
        single = [(name, value) for name, value in told.items() if not isinstance(value, list | dict)]
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name.replace('_', ' '))}</th>"
            f"<td>{html.escape(f'{value:.4g}' if isinstance(value, float) else str(value))}</td></tr>"
            for name, value in single[:MOST_TOLD]
        )
        heading = html.escape(self.title or f"{self.kind} {self.id}")
        return f"<table><caption style='text-align:left'><b>{heading}</b></caption>{rows}</table>"


def follow(
    client: "Client", job_id: str, *, timeout: float | None = None, console: Console | None = None
) -> JobDetail:
    """Show the progress until the job has ended. Raises as `Client.wait` does."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    shown = console or Console(stderr=True, highlight=False)
    with Progress(*columns, TimeRemainingColumn(), console=shown, transient=True) as bar:
        task = bar.add_task("queued", total=1.0)

        def seen(job: JobDetail) -> None:
            description = job.waiting_for or job.progress.message or job.state
            bar.update(task, completed=job.progress.fraction, description=description)

        return client.wait(job_id, timeout=timeout, progress=seen)
