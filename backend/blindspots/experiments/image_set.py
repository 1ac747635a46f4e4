"""Image sets: photographs of the user's, from an archive or a folder, brought to one size."""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Catalog, Context, Outcome, Part, Result, Spec
from blindspots.experiments.facts import Pictures
from blindspots.experiments.image_set_figures import FIGURES
from blindspots.experiments.image_set_labels import Arrangement, arrange
from blindspots.experiments.image_set_parameters import FolderLabels, Labels, Source
from blindspots.experiments.parameters import Array, Arrays
from blindspots.zoo import datasets

FEWEST_OF_A_PART = 256  # pictures
MOST_PARTS = 32
PART_BYTES = 64 << 20  # of pixels: they lie in memory
LARGEST_SET = 256 << 30
Resampling = Literal["box", "bilinear", "hamming", "bicubic", "lanczos"]
ClassName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ImageSet(Spec):
    """Make a data set of pictures: every one is brought to the same size, and offered to every job.

    The camera's turn is undone, and transparent pixels become white.
    """

    kind: Literal["image_set"] = "image_set"

    title: str = Field(
        "", max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", json_schema_extra={"x-group": "job"}
    )
    """What pages call the set, and the job; empty means its short name."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", json_schema_extra={"x-title": "Short name"}
    )
    """What jobs call the set: letters, digits, dots, dashes and underscores; none that there is already."""

    source: Source = Field(json_schema_extra={"x-group": "pictures"})
    """Where the pictures are: PNG, JPEG or WebP, in any sizes."""

    labels: Labels = Field(FolderLabels(), json_schema_extra={"x-group": "pictures"})
    """What tells the class of a picture."""

    classes: list[ClassName] | None = Field(
        None, min_length=2, max_length=10_000, json_schema_extra={"x-group": "advanced"}
    )
    """Order of the classes, for instance that of a model; empty means sorted by name. Of classes that are
    numbers: their names."""

    height: int = Field(224, ge=4, le=1024, json_schema_extra={"x-group": "size"})
    """Pixels from top to bottom."""

    width: int = Field(224, ge=4, le=1024, json_schema_extra={"x-group": "size"})
    """Pixels from left to right."""

    rule: Literal["crop", "stretch", "pad"] = Field("crop", json_schema_extra={"x-group": "size"})
    """crop: the shorter side is brought to the size, and of the longer one the middle is kept. stretch: each
    side by its own factor. pad: the longer side is brought to the size, with black beside it. A picture of
    that size stays as it is."""

    colour: Literal["rgb", "grey"] = Field(
        "rgb", json_schema_extra={"x-group": "size", "x-names": {"rgb": "Colour", "grey": "Grey"}}
    )
    """Three channels, or one: the ITU-R 601 luma."""

    resampling: Resampling = Field("bicubic", json_schema_extra={"x-group": "advanced"})
    """Pillow's filter; all of them average over the area that becomes one pixel."""

    train_share: float = Field(
        0.0, ge=0, le=1, json_schema_extra={"x-group": "pictures", "x-title": "Share for training"}
    )
    """Share of the pictures, drawn from the seed, that become training images; the others are test images."""

    skip_broken: bool = Field(False, json_schema_extra={"x-group": "advanced"})
    """Leave out pictures that cannot be read, and count them, instead of stopping at the first."""

    reusable: ClassVar[bool] = False  # the set may have been deleted since
    heading: ClassVar[str] = "Image set"
    figures = FIGURES

    @classmethod
    def headline(cls, summary: Any) -> dict[str, Any]:
        """What was made."""
        return {name: summary[name] for name in ("dataset", "images", "skipped") if name in summary}

    def resolve(self, catalog: Catalog) -> Self:
        """Check the name, the pictures and their labels. Raises InvalidInput naming the field."""
        self._check_name(catalog)
        arrangement = self.arrange(self.find_pictures(catalog))
        count = len(arrangement.paths)
        if count * self.image_bytes() > LARGEST_SET:
            raise InvalidInput(
                f"{count:,} images of this size are {count * self.image_bytes() >> 30} GiB; at most "
                f"{LARGEST_SET >> 30} GiB are kept. Choose a smaller size.",
                field="height",
            )
        train = int(self.train_rows(count).sum())
        if 0 < self.train_share < 1 and train in (0, count):
            raise InvalidInput(
                f"Of {count} pictures this share leaves one split empty. Choose another share.",
                field="train_share",
            )
        return self

    def _check_name(self, catalog: Catalog) -> None:
        taken = self.name in ("digits", *datasets.SOURCES)
        if not taken:
            try:
                catalog.dataset(self.name, field="name")
            except InvalidInput:
                return
        raise InvalidInput(f"There is a data set {self.name} already. Choose another name.", field="name")

    def find_pictures(self, catalog: Catalog) -> Pictures:
        """Raises InvalidInput naming the field of the source."""
        place, reference, field = self.source.place()
        return catalog.pictures(place, reference, field=field)

    def arrange(self, pictures: Pictures) -> Arrangement:
        """The pictures of the set with their classes. Raises InvalidInput."""
        found = arrange(pictures, self.labels, self.classes)
        broken = [path for path in found.paths if path in pictures.broken]
        if broken and not self.skip_broken:
            raise InvalidInput(
                f"{broken[0]} {pictures.broken[broken[0]]}. Repair it, or leave out broken pictures.",
                field="skip_broken",
            )
        return found

    def image_bytes(self) -> int:
        """Of one image as it is kept."""
        return self.channels() * self.height * self.width

    def channels(self) -> int:
        """3 of colour, 1 of grey."""
        return 3 if self.colour == "rgb" else 1

    def train_rows(self, count: int) -> Array:
        """(count,) bool: which pictures become training images."""
        chosen = np.zeros(count, bool)
        order = np.random.default_rng(self.seed).permutation(count)
        chosen[order[: math.floor(self.train_share * count + 0.5)]] = True
        return chosen

    def plan(self, catalog: Catalog) -> list[Part]:
        """Blocks of pictures. The result is kept with the job, and once more as the set."""
        pictures = self.find_pictures(catalog)
        total = len(self.arrange(pictures).paths)
        fitting = max(1, PART_BYTES // self.image_bytes())
        size = min(max(FEWEST_OF_A_PART, -(-total // MOST_PARTS)), fitting)
        return [
            Part(
                label=f"pictures {start}–{min(start + size, total) - 1}",
                parameters={"start": start, "stop": min(start + size, total), "pictures": pictures.sha256},
                units=min(size, total - start),
                bytes_kept=2 * self.image_bytes() * min(size, total - start),
            )
            for start in range(0, total, size)
        ]

    def inputs(self, catalog: Catalog) -> list[str]:
        """The hash of the archive, or of names, sizes and times of the files."""
        return [self.find_pictures(catalog).sha256]

    def run(self, part: Part, context: Context) -> Result:
        """Decode one block of pictures."""
        from blindspots.experiments.image_set_run import decode_block

        return decode_block(self, part, context)

    def merge(self, context: Context) -> Result:
        """Write the set."""
        from blindspots.experiments.image_set_run import install

        return install(self, context)

    def table(self, outcome: Outcome) -> Arrays:
        """One line per picture: its path, its split, its number there and its class."""
        from blindspots.experiments.image_set_run import table

        return table(outcome)
