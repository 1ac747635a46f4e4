"""Which images a job works on: from a data set, by their numbers, or one that the user uploaded.

A selection is an ordered list of rows; a part is a slice of it. Every row has an absolute index (its place
in the split of the data set, 0 for an upload), from which its seed derives: results do not depend on how a
job is cut up.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from PIL import Image
from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Catalog
from blindspots.experiments.dataset_checks import dataset_like, split_size
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array, Parameters

Split = Literal["train", "test"]
LARGEST_SELECTION = 1_000_000
LARGEST_INDEX_LIST = 100_000


@dataclass(frozen=True)
class Selected:
    """Some rows of a selection, in its order."""

    index: Array  # (n,) int64 absolute index in the split
    images: Array  # (n, c, h, w) uint8
    label: Array  # (n,) int64; -1 where the user gave none


class PixelSource(Protocol):
    """What `load` needs: a running part and a finished job both are one."""

    def dataset(self, name: str, split: str) -> tuple[Array, Array]: ...

    def image(self, reference: str) -> Array: ...


class DatasetImages(Parameters):
    """Images of a data set: the first ones, or a random sample."""

    source: Literal["dataset"] = "dataset"
    dataset: str = Field(
        default="digits", min_length=1, max_length=100, json_schema_extra={"x-widget": "dataset"}
    )
    """The data set; its images must have the shape that the model reads."""

    split: Split = "test"
    """Images the model was trained on (train), or kept from it (test)."""

    selection: Literal["first", "random"] = "random"
    """In the order of the data set, or drawn without replacement from the job's seed. A larger random sample
    with the same seed begins with the smaller one."""

    count: int = Field(default=256, ge=1, le=LARGEST_SELECTION)
    """How many images, at most as many as there are."""

    classes: list[Annotated[int, Field(ge=0)]] | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        json_schema_extra={"x-widget": "classes", "x-group": "advanced"},
    )
    """Only images whose true class is one of these; empty means every class."""

    def check(self, catalog: Catalog, model: ModelFacts, *, labelled: bool = True) -> None:
        """Raise InvalidInput naming the field that does not fit the model or the data set."""
        dataset = dataset_like(catalog, self.dataset, model, labelled=labelled)
        size = split_size(dataset, self.split)
        for number in self.classes or ():
            if number >= len(dataset.class_names):
                raise InvalidInput(
                    f"{dataset.title} has classes 0 to {len(dataset.class_names) - 1}; {number} is none of "
                    f"them.",
                    field="images.classes",
                )
        if self.classes is not None:
            size = int(np.isin(catalog.labels(self.dataset, self.split), self.classes).sum())
        if self.count > size:
            chosen = " of the chosen classes" if self.classes is not None else ""
            raise InvalidInput(
                f"The {self.split} split of {dataset.title} holds {size} images{chosen}; ask for 1 to "
                f"{size}.",
                field="images.count",
            )

    def only_classes(self, catalog: Catalog) -> set[int]:  # noqa: ARG002
        """Classes that every chosen image is known to belong to; empty where that is not known."""
        return set(self.classes or ())

    def count_rows(self) -> int:
        return self.count

    def inputs(self, catalog: Catalog) -> list[str]:
        return [catalog.dataset(self.dataset, field="images.dataset").sha256]

    def load(self, source: PixelSource, rows: slice, *, seed: int, shape: tuple[int, int, int]) -> Selected:  # noqa: ARG002
        """The rows of the selection in that slice."""
        images, labels = source.dataset(self.dataset, self.split)
        candidates = np.arange(len(labels), dtype=np.int64)
        if self.classes is not None:
            candidates = candidates[np.isin(labels, self.classes)]
        if self.selection == "random":
            candidates = np.random.default_rng(seed).permutation(candidates)
        index = candidates[: self.count][rows]
        return Selected(
            index=index, images=np.asarray(images[index]), label=np.asarray(labels[index], np.int64)
        )


class IndexedImages(Parameters):
    """Images of a data set by their numbers in the split."""

    source: Literal["indices"] = "indices"
    dataset: str = Field(
        default="digits", min_length=1, max_length=100, json_schema_extra={"x-widget": "dataset"}
    )
    """The data set; its images must have the shape that the model reads."""

    split: Split = "test"
    """Images the model was trained on (train), or kept from it (test)."""

    indices: list[Annotated[int, Field(ge=0)]] = Field(
        default=[0], min_length=1, max_length=LARGEST_INDEX_LIST, json_schema_extra={"x-widget": "indices"}
    )
    """Numbers of the images, counted from 0, in the order in which they shall appear."""

    def check(self, catalog: Catalog, model: ModelFacts, *, labelled: bool = True) -> None:
        """Raise InvalidInput naming the field that does not fit the model or the data set."""
        dataset = dataset_like(catalog, self.dataset, model, labelled=labelled)
        size = split_size(dataset, self.split)
        if max(self.indices) >= size:
            raise InvalidInput(
                f"The {self.split} split of {dataset.title} holds images 0 to {size - 1}; "
                f"{max(self.indices)} is none of them.",
                field="images.indices",
            )
        if len(set(self.indices)) != len(self.indices):
            raise InvalidInput("Each image can be chosen once; some numbers repeat.", field="images.indices")

    def only_classes(self, catalog: Catalog) -> set[int]:
        """Classes that every chosen image is known to belong to."""
        return set(catalog.labels(self.dataset, self.split)[np.asarray(self.indices)].tolist())

    def count_rows(self) -> int:
        return len(self.indices)

    def inputs(self, catalog: Catalog) -> list[str]:
        return [catalog.dataset(self.dataset, field="images.dataset").sha256]

    def load(self, source: PixelSource, rows: slice, *, seed: int, shape: tuple[int, int, int]) -> Selected:  # noqa: ARG002
        """The rows of the selection in that slice."""
        images, labels = source.dataset(self.dataset, self.split)
        index = np.asarray(self.indices[rows], dtype=np.int64)
        return Selected(
            index=index, images=np.asarray(images[index]), label=np.asarray(labels[index], np.int64)
        )


class UploadedImage(Parameters):
    """One image that the user uploaded."""

    source: Literal["upload"] = "upload"
    image: str = Field(pattern=r"^[0-9a-f]{64}$", json_schema_extra={"x-widget": "upload"})
    """What the upload answered with (the SHA-256 of the stored picture). It is fitted to the model: cropped
    about its centre to the model's proportions, resampled, and made grey (luma) or colour as the model
    reads."""

    label: int | None = Field(default=None, ge=0, json_schema_extra={"x-widget": "class"})
    """The true class; empty means that the model's own answer counts as true."""

    def check(self, catalog: Catalog, model: ModelFacts) -> None:
        """Raise InvalidInput naming the field that does not fit the model."""
        facts = catalog.image(self.image, field="images.image")
        for channels in (facts.shape[0], model.input_shape[0]):
            if channels not in (1, 3):
                raise InvalidInput(
                    f"The model {model.name} reads images of {model.input_shape[0]} channels; an uploaded "
                    f"picture "
                    "can become 1 (grey) or 3 (colour).",
                    field="images.image",
                )
        if self.label is not None and self.label >= len(model.class_names):
            raise InvalidInput(
                f"The model {model.name} knows classes 0 to {len(model.class_names) - 1}.",
                field="images.label",
            )

    def only_classes(self, catalog: Catalog) -> set[int]:  # noqa: ARG002
        """The class of the image, where the user named it."""
        return set() if self.label is None else {self.label}

    def count_rows(self) -> int:
        return 1

    def inputs(self, catalog: Catalog) -> list[str]:  # noqa: ARG002
        return [self.image]

    def load(self, source: PixelSource, rows: slice, *, seed: int, shape: tuple[int, int, int]) -> Selected:  # noqa: ARG002
        """The image, fitted to `shape`."""
        image = fit_image(source.image(self.image), shape)
        label = -1 if self.label is None else self.label
        return Selected(
            index=np.zeros(1, np.int64)[rows],
            images=image[None][rows],
            label=np.full(1, label, np.int64)[rows],
        )


ImageSelection = Annotated[
    DatasetImages | IndexedImages | UploadedImage,
    Field(discriminator="source", json_schema_extra={"x-group": "images"}),
]


def fit_image(image: Array, shape: tuple[int, int, int]) -> Array:
    """Bring an image to a model's shape by one stated rule.

    Colour becomes grey by the ITU-R 601 luma (0.299 R + 0.587 G + 0.114 B), grey becomes colour by
    repetition; the centre of the picture in the model's proportions is resampled bicubically, with
    antialiasing. An image that already has the shape is returned pixel for pixel.

    image: (1 or 3, height, width) uint8; returns `shape` uint8.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3) or shape[0] not in (1, 3):
        raise ValueError(f"expected 1 or 3 channels, got {image.shape} to be fitted to {shape}")
    if image.shape == tuple(shape):
        return image
    channels, height, width = shape
    picture: Any = Image.fromarray(image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0))
    picture = picture.convert("L" if channels == 1 else "RGB")
    scale = min(picture.width / width, picture.height / height)
    left, top = (picture.width - scale * width) / 2, (picture.height - scale * height) / 2
    centre = picture.crop((round(left), round(top), round(left + scale * width), round(top + scale * height)))
    pixels = np.asarray(centre.resize((width, height), Image.Resampling.BICUBIC), dtype=np.uint8)
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
