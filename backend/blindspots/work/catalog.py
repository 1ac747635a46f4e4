"""What exists: models of the database, data sets of the zoo, uploaded images. The `Catalog` of every plan."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from blindspots.errors import InvalidInput, NotFound
from blindspots.experiments.facts import (
    DatasetFacts,
    ImageFacts,
    ModelFacts,
    PicturePlace,
    Pictures,
    WeightFacts,
)
from blindspots.experiments.parameters import Array
from blindspots.settings import Settings
from blindspots.store import images, models, weight_files
from blindspots.store.database import Database
from blindspots.store.tables import MAIN_PROJECT
from blindspots.work.picture_sources import PictureSources
from blindspots.zoo import datasets, halves
from blindspots.zoo.datasets import Dataset
from blindspots.zoo.idx import BrokenFile

LOOK_AGAIN_SECONDS = 2.0


class DatasetFolders:
    """The data sets that lie in the folders now; the folders are looked at again every few seconds."""

    def __init__(self, folders: Sequence[Path], downloads: Path) -> None:
        self._folders = tuple(folders)
        self._downloads = downloads
        self._found: Mapping[str, Dataset] = {}
        self._looked_at = float("-inf")
        self._changed_at = 0
        self._lock = Lock()

    @classmethod
    def of(cls, settings: Settings) -> "DatasetFolders":
        """The folders that the settings name."""
        return cls([settings.datasets_dir] if settings.datasets_dir else [], settings.downloads)

    def all(self) -> Mapping[str, Dataset]:
        """By name."""
        with self._lock:
            changed_at = _changed_at(self._downloads)  # another process may have put a set there
            if changed_at != self._changed_at or time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
                self._found = datasets.find(self._folders, downloads=self._downloads)
                self._looked_at, self._changed_at = time.monotonic(), changed_at
            return self._found

    def look_again(self) -> None:
        """Something was just installed."""
        with self._lock:
            self._looked_at = float("-inf")

    def named(self, name: str) -> Dataset:
        """A set, here or not, or a half of one. Raises NotFound, with what there is."""
        found = self.all()
        dataset = halves.look_up(found, name)
        if dataset is None:
            hint = " Halves are named like mnist:P1:0 and mnist:P2:0, with any seed." if ":" in name else ""
            raise NotFound(f"There is no data set {name!r}. There are: {', '.join(sorted(found))}.{hint}")
        return dataset

    def available(self, name: str) -> Dataset:
        """A set, or a half of one, that can be read. Raises NotFound, with what there is."""
        dataset = self.named(name)
        if not dataset.available:
            raise NotFound(dataset.reason)
        return dataset


def _changed_at(folder: Path) -> int:
    """When something was last put into the folder or taken from it, in ns; 0 where it is not there."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


class StoreCatalog:
    """Implements `experiments.base.Catalog`."""

    def __init__(
        self,
        database: Database,
        folders: DatasetFolders,
        sources: PictureSources,
        project_id: str = MAIN_PROJECT,
    ) -> None:
        self._database = database
        self._folders = folders
        self._sources = sources
        self._project_id = project_id

    def model(self, reference: str, *, field: str) -> ModelFacts:
        """By id or name, of the project that the job will be in. Raises InvalidInput."""
        row = self._find(lambda tx: models.find(tx, reference, self._project_id))
        if row is None or row.project_id != self._project_id:
            raise InvalidInput(
                f"There is no model {reference[:80]!r}. Train one, or choose one from the list of models.",
                field=field,
            )
        return model_facts(row)

    def dataset(self, name: str, *, field: str) -> DatasetFacts:
        """Raises InvalidInput where it is not here, with how to get it."""
        try:
            return dataset_facts(self._folders.available(name))
        except (NotFound, BrokenFile) as error:
            raise InvalidInput(str(error), field=field) from error

    def labels(self, dataset: str, split: str) -> Array:
        """(n,) int64."""
        return np.asarray(self._folders.available(dataset).load(split)[1])

    def image(self, reference: str, *, field: str) -> ImageFacts:
        """An uploaded picture. Raises InvalidInput."""
        row = self._find(lambda tx: images.find(tx, reference))
        if row is None:
            raise InvalidInput("No such picture was uploaded. Upload it again.", field=field)
        channels, height, width = row.shape
        return ImageFacts(id=row.sha256, shape=(channels, height, width))

    def pictures(self, place: PicturePlace, reference: str, *, field: str) -> Pictures:
        """Raises InvalidInput."""
        return self._sources.find(place, reference, field=field)

    def weight_file(self, reference: str, *, field: str) -> WeightFacts:
        """An uploaded file of weights. Raises InvalidInput."""
        row = self._find(lambda tx: weight_files.find(tx, reference))
        if row is None:
            raise InvalidInput("No such file of weights was uploaded. Upload it again.", field=field)
        tensors = {name: tuple(shape) for name, shape in row.facts.get("tensors", {}).items()}
        return WeightFacts(row.sha256, row.form, tensors, row.facts.get("graph", {}))

    def _find(self, look: Callable[[Connection], Row[Any] | None]) -> Row[Any] | None:
        with self._database.read() as tx:
            return look(tx)


def model_facts(row: Row[Any]) -> ModelFacts:
    """What a plan may know of a row of the model table."""
    channels, height, width = row.input_shape
    return ModelFacts(
        id=row.id,
        name=row.name,
        network=row.network,
        parameters=row.parameters,
        weights_sha256=row.weights_sha256,
        input_shape=(channels, height, width),
        class_names=tuple(row.class_names),
        dataset=row.dataset,
        multiply_adds=row.multiply_adds,
        linear=row.linear,
        smooth=row.smooth,
        metrics=row.metrics,
    )


def dataset_facts(dataset: Dataset) -> DatasetFacts:
    """Raises BrokenFile."""
    facts = dataset.facts()
    return DatasetFacts(
        facts.name, facts.title, facts.sha256, facts.shape, facts.class_names, dict(facts.sizes)
    )
