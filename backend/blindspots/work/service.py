"""Everything the application can do, one transaction per sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from blindspots.experiments.base import ExampleQuery, Spec, Theme
from blindspots.settings import Settings
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database
from blindspots.store.job_query import JobQuery
from blindspots.work.publishing import Publisher

__all__ = ["JobQuery", "Service"]

Lane = Literal["batch", "interactive"]
Json = dict[str, Any]


class Service:
    """What the API, the CLI and the tests call. Thread-safe; raises only the classes of `errors`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        artifacts: ArtifactStore,
        publisher: Publisher,
        *,
        kinds: Mapping[str, type[Spec]] | None = None,
    ) -> None: ...

    def submit(
        self,
        spec: Spec,
        *,
        owner: str,
        lane: Lane = "batch",
        idempotency_key: str | None = None,
        fresh: bool = False,
        depends_on: Sequence[str] = (),
    ) -> Json:
        """Store the job with its parts, then tell the workers. Answers the Job view.

        The same owner and key with the same request answer the first job again; with another request InvalidInput is
        raised. `fresh` computes parts again that an earlier job has finished. The parts wait until every job of
        `depends_on` has succeeded.
        """

    def estimate(self, spec: Spec) -> Json:
        """What a job would cost: parts, reused_parts, images, seconds, seconds_basis, bytes_kept, waiting_for."""

    def rerun(self, job_id: str, changes: Mapping[str, Any], owner: str) -> Json:
        """Submit the job's Spec again with `changes` laid over its top-level fields (objects are merged)."""

    def cancel(self, job_id: str) -> Json:
        """End the job for good; nothing of it is committed afterwards. Answers the detail. Conflict when it has ended."""

    def delete(self, job_id: str) -> None:
        """Forget an ended job. Conflict while it runs."""

    def keep(self, job_id: str) -> Json:
        """Show an interactive job in the history. Answers the detail."""

    def rename(self, job_id: str, title: str) -> Json:
        """Give a job another title. Answers the detail."""

    def job(self, job_id: str) -> Json:
        """The detail: the Job view with spec, versions, parts, figures, exports, models, duration_seconds."""

    def jobs(self, query: JobQuery) -> Json:
        """A page of the history: items, next_cursor."""

    def parts(self, job_id: str) -> list[Json]:
        """Every part: index, label, merge, state, attempt, progress, seconds, worker, device, reused, error."""

    def events(self, after: int, limit: int) -> list[Json]:
        """Events with an id above `after`, oldest first: event_id, id, kind, state, progress, error, model ..."""

    def latest_event(self) -> int:
        """The id of the newest event, 0 where there is none."""

    def figure(self, job_id: str, name: str, theme: Theme) -> bytes:
        """JSON document {figure: {data, layout}, title, reading, formula, source}. Conflict before the job succeeded."""

    def examples(self, job_id: str, query: ExampleQuery) -> Json:
        """A page of the per-image results: total, matching, rows."""

    def example(self, job_id: str, index: int) -> Json:
        """One image's full record: {facts}. NotFound where there is no such row."""

    def example_figure(self, job_id: str, index: int, theme: Theme) -> bytes:
        """JSON {data, layout} of the zoomable triptych; `null` where the image was not kept."""

    def triptych(self, job_id: str, index: int, magnification: float | Literal["auto"], scale: int) -> bytes:
        """PNG of original, perturbation and adversarial image side by side. NotFound where it was not kept."""

    def export(self, job_id: str, form: Literal["csv", "json", "npz"]) -> tuple[str, str, Iterator[bytes]]:
        """File name, media type and content."""

    def catalog(self) -> Json:
        """version, kinds with their schemas and figures, networks, methods, defaults."""

    def models(self) -> list[Json]:
        """Every trained network, newest first."""

    def model(self, reference: str) -> Json:
        """One trained network, by id or name."""

    def rename_model(self, reference: str, name: str) -> Json:
        """Conflict when another model has that name."""

    def delete_model(self, reference: str) -> None:
        """Conflict while another job refers to it."""

    def datasets(self) -> list[Json]:
        """Every data set that is here, or can be downloaded."""

    def dataset(self, name: str) -> Json:
        """One data set."""

    def dataset_images(self, name: str, split: str, class_: int | None, offset: int, limit: int) -> Json:
        """total, and items of index and label, in the order of the data set."""

    def dataset_image(self, name: str, split: str, index: int) -> bytes:
        """PNG at the image's own size."""

    def store_image(self, content: bytes, model: str | None = None) -> Json:
        """Decode, check, re-encode and keep an uploaded picture: id, shape, width, height.

        `model` names the model it is meant for, and is checked. Raises UnsupportedMedia, TooLarge, InvalidInput.
        """

    def image_png(self, image_id: str) -> bytes:
        """The stored picture."""

    def workers(self) -> list[Json]:
        """Every worker seen lately: host, pid, lane, device, device_name, threads, alive, part, job, seen_at."""

    def system(self) -> Json:
        """version, mode, python, torch, platform, database, broker, artifacts_bytes, disk_free_bytes, data_dir,
        workers, queue."""
