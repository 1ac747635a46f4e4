"""Trained networks, data sets and uploaded pictures."""

import math
import re
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row

from blindspots.errors import InvalidInput, NotFound, TooLarge, Unavailable
from blindspots.store import history, images, models
from blindspots.work.foundation import Json
from blindspots.work.pictures import decode_upload, encode_png, thumbnail
from blindspots.work.results import Results
from blindspots.zoo import halves
from blindspots.zoo.datasets import Dataset
from blindspots.zoo.halves import HalfDataset
from blindspots.zoo.idx import BrokenFile
from blindspots.zoo.layers import layers_of

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


class Shelves(Results):
    """What jobs work on."""

    def models(self) -> list[Json]:
        """Every trained network of the project, newest first."""
        with self.database.read() as tx:
            return [_model_view(row) for row in models.every(tx, self.actor.project_id)]

    def model(self, reference: str) -> Json:
        """One trained network, by id or name."""
        with self.database.read() as tx:
            return _model_view(self._model(tx, reference))

    def _model(self, tx: Connection, reference: str) -> Row[Any]:
        """One that the actor may see. Raises NotFound."""
        row = models.require(tx, reference, self.actor.project_id)
        self.actor.require(row.project_id, "viewer", models.missing())
        return row

    def _own_model(self, tx: Connection, reference: str) -> Row[Any]:
        """One that the actor may change: its training was theirs. Raises NotFound, Forbidden."""
        row = self._model(tx, reference)
        self.actor.require_own(row.project_id, models.trained_by(tx, row), models.missing())
        return row

    def rename_model(self, reference: str, name: str) -> Json:
        """Conflict when another model has that name."""
        if not MODEL_NAME.fullmatch(name):
            raise InvalidInput(
                "A model's name has 1 to 100 letters, digits, spaces, dots, dashes or underscores.",
                field="name",
            )
        with self.database.write() as tx:
            row = self._own_model(tx, reference)
            models.rename(tx, row, name)
            self._note(tx, "model_rename", row.id, row.project_id, name=name)
        return self.model(row.id)

    def delete_model(self, reference: str) -> None:
        """Conflict while another job refers to it."""
        with self.database.write() as tx:
            row = self._own_model(tx, reference)
            models.remove(tx, row)
            self._note(tx, "model_delete", row.id, row.project_id, name=row.name)

    def datasets(self) -> list[Json]:
        """Every data set that is here, or can be downloaded."""
        return [_dataset_view(dataset) for dataset in self.folders.all().values()]

    def dataset(self, name: str) -> Json:
        """One data set, here or not, or a half of one."""
        return _dataset_view(self.folders.named(name))

    def _split(self, name: str, split: str) -> tuple[Any, Any]:
        try:
            return self.folders.available(name).load(split)
        except KeyError as error:
            known = " and ".join(self.dataset(name)["sizes"])
            raise NotFound(f"The data set {name} has no split {split!r}; it has {known}.") from error
        except (BrokenFile, OSError) as error:
            raise Unavailable(f"The data set {name} cannot be read: {error}") from error

    def dataset_images(self, name: str, split: str, class_: int | None, offset: int, limit: int) -> Json:
        """total, and items of index and label, in the order of the data set."""
        _, labels = self._split(name, split)
        chosen = np.arange(len(labels)) if class_ is None else np.flatnonzero(labels == class_)
        shown = chosen[offset : offset + limit]
        items = [{"index": int(index), "label": int(labels[index])} for index in shown]
        return {"total": len(chosen), "items": items}

    def dataset_image(self, name: str, split: str, index: int, side: int | None = None) -> bytes:
        """PNG at the image's own size; with `side`, its longer side is at most that."""
        pixels, _ = self._split(name, split)
        if not 0 <= index < len(pixels):
            raise NotFound(f"The {split} split of {name} has images 0 to {len(pixels) - 1}.")
        return encode_png(pixels[index] if side is None else thumbnail(pixels[index], side))

    def store_image(self, content: bytes, model: str | None = None) -> Json:
        """Decode, check, re-encode and keep an uploaded picture: id, shape, width, height.

        `model` names the model it is meant for. Raises UnsupportedMedia, TooLarge, InvalidInput.
        """
        self._require_member()
        if len(content) > self.settings.max_image_bytes:
            raise TooLarge(f"The file is larger than {self.settings.max_image_bytes:,} bytes.")
        if model is not None:
            facts = self.known.model(model, field="model")
            if facts.input_shape[0] not in (1, 3):
                raise InvalidInput(f"{facts.name} does not read grey or colour pictures.", field="model")
        pixels = decode_upload(content, self.settings.max_image_pixels)
        try:
            picture = self.artifacts.write(encode_png(pixels), "image/png")
        except OSError as error:
            raise Unavailable(f"The picture cannot be stored: {error.strerror}.") from error
        channels, height, width = pixels.shape
        with self.database.write() as tx:
            images.enter(tx, picture, (channels, height, width))
            self._note(tx, "image_upload", picture.sha256, self.actor.project_id, bytes=len(content))
        return {"id": picture.sha256, "shape": [channels, height, width], "width": width, "height": height}

    def image_png(self, image_id: str) -> bytes:
        """The stored picture. NotFound where there is none."""
        with self.database.read() as tx:
            row = images.find(tx, image_id)
        if row is None:
            raise NotFound("No such picture was uploaded.")
        return self.artifacts.read(row.sha256)


def _model_view(row: Row[Any]) -> Json:
    names = (
        "id", "name", "network", "parameters", "dataset", "input_shape", "class_names", "metrics", "linear",
        "smooth", "job_id", "weights_sha256", "multiply_adds",
    )  # fmt: skip
    view = {name: getattr(row, name) for name in names}
    view["metrics"] = {
        name: value if not isinstance(value, float) or math.isfinite(value) else None
        for name, value in row.metrics.items()
    }
    known = layers_of(row.network, row.parameters, tuple(row.input_shape), len(row.class_names))
    layers = [{"name": layer.name, "shape": list(layer.shape)} for layer in known]
    return view | {"layers": layers, "created_at": history.stamp(row.created_at)}


def _dataset_view(dataset: Dataset) -> Json:
    """Shape, classes and sizes are null where the set is not here; `views` names its halves."""
    view: Json = {
        "name": dataset.name,
        "title": dataset.title,
        "source": dataset.source,
        "available": dataset.available,
        "reason": dataset.reason,
        "downloadable": dataset.downloadable,
        "bytes": dataset.bytes,
        "shape": None,
        "class_names": None,
        "sizes": None,
        "sha256": None,
        "views": [],
    }
    if not dataset.available:
        return view
    try:
        facts = dataset.facts()
    except (BrokenFile, OSError) as error:
        return view | {"available": False, "reason": str(error)}
    return view | {
        "shape": list(facts.shape),
        "class_names": list(facts.class_names),
        "sizes": dict(facts.sizes),
        "sha256": facts.sha256,
        "views": _halves_of(dataset),
    }


def _halves_of(dataset: Dataset) -> list[str]:
    """Names of the halves P1 and P2 with seed 0; a half has none, and neither has a single image."""
    whole = not isinstance(dataset, HalfDataset) and halves.has_halves(dataset)
    return halves.names(dataset.name) if whole else []
