"""What a running part sees of the world. Implements `experiments.base.Context`."""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from blindspots.errors import Conflict, InvalidInput, Unavailable
from blindspots.experiments.base import Spec
from blindspots.experiments.facts import ModelFacts, PicturePlace, Pictures
from blindspots.experiments.parameters import Array, Arrays
from blindspots.settings import Settings
from blindspots.store import history, models, parts
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database
from blindspots.store.parts import Claim
from blindspots.work.cache import Recent
from blindspots.work.catalog import DatasetFolders, model_facts
from blindspots.work.lifeline import Lifeline
from blindspots.work.outcomes import StoredOutcome, step_outcome
from blindspots.work.picture_sources import PictureSources
from blindspots.work.pictures import decode_png
from blindspots.work.stored import Stored
from blindspots.zoo import image_sets
from blindspots.zoo.idx import BrokenFile

REPORT_SECONDS = 0.5
WEIGHT_BYTES = 512 << 20  # of models kept in memory between parts


class Supplies:
    """What the parts of one process share: the stores, and the models that were used last."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        artifacts: ArtifactStore,
        kinds: Mapping[str, type[Spec]],
    ) -> None:
        self.kinds = kinds
        self.settings = settings
        self.database = database
        self.artifacts = artifacts
        self.folders = DatasetFolders.of(settings)
        self.sources = PictureSources(settings, artifacts)
        self._weights: Recent[Arrays] = Recent(
            WEIGHT_BYTES, lambda arrays: sum(array.nbytes for array in arrays.values())
        )

    def weights(self, sha256: str) -> Arrays:
        """The arrays of a model, from memory where it was used lately."""
        return self._weights.get(sha256, lambda: self.artifacts.read_arrays(sha256))


class PartContext:
    """The only door from a running part to the outside."""

    def __init__(self, supplies: Supplies, claim: Claim, lifeline: Lifeline, device: str) -> None:
        self.device = device
        self.seed = claim.seed
        self._supplies = supplies
        self._database = supplies.database
        self._claim = claim
        self._lifeline = lifeline
        self._reported = float("-inf")

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Cheap to call often: it is written at most twice a second. Also checks for cancellation."""
        self.check_cancelled()
        if time.monotonic() - self._reported < REPORT_SECONDS:
            return
        self._reported = time.monotonic()
        fraction = done / total if total > 0 else 0.0
        with contextlib.suppress(Unavailable), self._database.write() as tx:
            if not parts.report(tx, self._claim, fraction, message):
                self._lifeline.mark_lost()
        self.check_cancelled()

    def check_cancelled(self) -> None:
        """Raises Cancelled when the job was cancelled or the lease was lost."""
        self._lifeline.check()

    def model(self, reference: str) -> tuple[ModelFacts, Arrays]:
        """Facts and weights. Raises InvalidInput where it was deleted meanwhile."""
        with self._database.read() as tx:
            row = models.find(tx, reference, self._claim.project_id)
        if row is None:
            raise InvalidInput("The model was deleted before the job could run.", field="model")
        return model_facts(row), self._supplies.weights(row.weights_sha256)

    def dataset(self, name: str, split: str) -> tuple[Array, Array]:
        """Images (n, c, h, w) uint8 and labels (n,) int64."""
        images, labels = self._supplies.folders.available(name).load(split)
        return np.asarray(images), np.asarray(labels)

    def image(self, reference: str) -> Array:
        """An uploaded image, (c, h, w) uint8."""
        return decode_png(self._supplies.artifacts.read(reference))

    def pictures(self, place: PicturePlace, reference: str) -> Pictures:
        """Raises InvalidInput where they are gone."""
        return self._supplies.sources.find(place, reference, field="source")

    def weight_file(self, reference: str) -> Arrays:
        """The arrays of an uploaded file of weights."""
        return self._supplies.artifacts.read_arrays(reference)

    def part(self, index: int) -> Stored:
        """In `merge`: the committed result of a part."""
        with self._database.read() as tx:
            row = history.part_row(tx, self._claim.job_id, index)
        if row is None or row.state != "succeeded":
            raise LookupError(f"part {index} of job {self._claim.job_id} is not committed")
        sha256 = row.artifact_sha256
        return Stored(row.summary or {}, self._supplies.artifacts.open_arrays(sha256) if sha256 else None)

    def part_count(self) -> int:
        """Parts of the job, without the merge."""
        return self._claim.part_count

    def step(self, name: str) -> StoredOutcome:
        """The finished step of that name. Raises KeyError."""
        return step_outcome(self._supplies, self._claim.job_id, name)

    def load_checkpoint(self) -> Arrays | None:
        """What an earlier attempt at this same part saved last."""
        sha256 = self._claim.checkpoint_sha256
        return self._supplies.artifacts.read_arrays(sha256) if sha256 else None

    def save_checkpoint(self, arrays: Arrays) -> None:
        """Keep the arrays for the next attempt, should this one be interrupted."""
        artifact = self._supplies.artifacts.write_arrays(arrays)
        with contextlib.suppress(Unavailable), self._database.write() as tx:
            if not parts.keep_checkpoint(tx, self._claim, artifact):
                self._lifeline.mark_lost()
        self.check_cancelled()

    def install_dataset(
        self, name: str, files: Mapping[str, bytes | Iterable[bytes]], *, replace: bool = True
    ) -> None:
        """Put checked files, by name, atomically under the service's own data-set folder. Raises Conflict."""
        place(self._supplies.settings.downloads / name, files, replace=replace)
        self._supplies.folders.look_again()


def place(folder: Path, files: Mapping[str, bytes | Iterable[bytes]], *, replace: bool = True) -> None:
    """Make `folder` hold exactly these files, in one step. Raises Conflict where it holds others and may not
    be replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f".{folder.name}-{uuid.uuid4().hex}"
    unfinished.mkdir()
    try:
        for name, content in files.items():
            if Path(name).name != name:
                raise ValueError(f"expected a plain file name, got {name!r}")
            with open(unfinished / name, "wb") as stream:
                stream.writelines([content] if isinstance(content, bytes) else content)
                stream.flush()
                os.fsync(stream.fileno())
        if folder.exists() and not replace:
            if not same_set(folder, unfinished):
                raise Conflict(
                    f"Another data set called {folder.name} was made meanwhile. Choose another name."
                )
            return
        if folder.exists():
            old = folder.parent / f".{folder.name}-{uuid.uuid4().hex}"
            folder.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def same_set(one: Path, other: Path) -> bool:
    """Whether both hold image sets of the same description, which holds the hash of all pixels and labels."""
    try:
        return image_sets.describe(one) == image_sets.describe(other)
    except BrokenFile:
        return False
