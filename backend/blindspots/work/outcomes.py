"""A finished job, as figures, examples, exports, and the jobs that are made of it read it."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from sqlalchemy import func, select

from blindspots.errors import Conflict, NotFound
from blindspots.experiments.base import Spec, StoredResult
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array
from blindspots.experiments.record import Record
from blindspots.store import history, models, steps
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database
from blindspots.store.tables import parts
from blindspots.work.catalog import DatasetFolders, model_facts
from blindspots.work.foundation import parse
from blindspots.work.pictures import decode_png
from blindspots.work.stored import Stored


class Shelf(Protocol):
    """Where results lie."""

    @property
    def database(self) -> Database: ...

    @property
    def artifacts(self) -> ArtifactStore: ...

    @property
    def folders(self) -> DatasetFolders: ...

    @property
    def kinds(self) -> Mapping[str, type[Spec]]: ...


class StoredOutcome:
    """Implements `experiments.base.Outcome`. Raises NotFound, and Conflict before the job has succeeded."""

    def __init__(self, shelf: Shelf, job_id: str) -> None:
        with shelf.database.read() as tx:
            row = history.find(tx, job_id)
        if row.state != "succeeded":
            raise Conflict(f"The job is {row.state}; there are results only of a job that has succeeded.")
        self._shelf = shelf
        self._row = row
        self.spec = parse(shelf.kinds, row.spec)
        self.result: StoredResult = self._stored(row.summary, row.result_sha256)

    def _stored(self, summary: Mapping[str, Any], sha256: str | None) -> Stored:
        return Stored(summary, self._shelf.artifacts.open_arrays(sha256) if sha256 else None)

    @property
    def record(self) -> Record:
        """How the job came about."""
        row = self._row
        with self._shelf.database.read() as tx:
            counts = history.count_parts(tx, row.id)
            seconds = tx.execute(
                select(func.coalesce(func.sum(parts.c.seconds), 0.0)).where(parts.c.job_id == row.id)
            ).scalar_one()
        return Record(
            job_id=row.id,
            title=row.title,
            versions=row.versions,
            created_at=history.stamp(row.created_at) or "",
            finished_at=history.stamp(row.finished_at) or "",
            seconds=round(float(seconds), 3),
            parts=counts["total"],
            parts_reused=counts["reused"],
        )

    def part(self, index: int) -> StoredResult:
        """The committed result of a part."""
        with self._shelf.database.read() as tx:
            row = history.part_row(tx, self._row.id, index)
        if row is None or row.state != "succeeded":
            raise NotFound("The job has no such part.")
        return self._stored(row.summary or {}, row.artifact_sha256)

    def part_count(self) -> int:
        """Parts of the job, without the merge."""
        with self._shelf.database.read() as tx:
            return history.count_parts(tx, self._row.id)["total"]

    def step(self, name: str) -> "StoredOutcome":
        """The finished step of that name. Raises KeyError."""
        return step_outcome(self._shelf, self._row.id, name)

    def model(self, reference: str) -> ModelFacts:
        """The model that the job worked on."""
        with self._shelf.database.read() as tx:
            return model_facts(models.require(tx, reference, self._row.project_id))

    def dataset(self, name: str, split: str) -> tuple[Array, Array]:
        """Images (n, c, h, w) uint8 and labels (n,) int64."""
        images, labels = self._shelf.folders.available(name).load(split)
        return np.asarray(images), np.asarray(labels)

    def image(self, reference: str) -> Array:
        """An uploaded image, (c, h, w) uint8."""
        return decode_png(self._shelf.artifacts.read(reference))


def step_outcome(shelf: Shelf, parent_id: str, name: str) -> StoredOutcome:
    """The finished step of a job. Raises KeyError."""
    with shelf.database.read() as tx:
        found = [row.job_id for row in steps.of(tx, parent_id) if row.name == name]
    if not found or found[0] is None:
        raise KeyError(name)
    return StoredOutcome(shelf, found[0])
