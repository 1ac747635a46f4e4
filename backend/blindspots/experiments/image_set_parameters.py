"""What a user says of an image set: where the pictures are, and what tells their classes."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from blindspots.experiments.facts import PicturePlace
from blindspots.experiments.parameters import Parameters

Column = Annotated[str, Field(min_length=1, max_length=200)]


class UploadedArchive(Parameters):
    """A zip archive of PNG, JPEG or WebP pictures, in any sizes."""

    model_config = ConfigDict(json_schema_extra={"x-title": "A zip archive"})

    source: Literal["upload"] = "upload"
    archive: str = Field(pattern=r"^[0-9a-f]{64}$", json_schema_extra={"x-widget": "archive"})
    """Pictures in folders, or with a table beside them. It is kept for a day."""

    def place(self) -> tuple[PicturePlace, str, str]:
        """Kind of place, what it is called there, and the field that names it."""
        return "upload", self.archive, "source.archive"


class ServerFolder(Parameters):
    """A folder on the machine of the service."""

    model_config = ConfigDict(json_schema_extra={"x-title": "A folder of the server"})

    source: Literal["folder"] = "folder"
    folder: str = Field(
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        json_schema_extra={"x-widget": "server_folder"},
    )
    """Its path below one of the allowed roots (BLINDSPOTS_IMAGE_ROOTS); "." is the root itself."""

    def place(self) -> tuple[PicturePlace, str, str]:
        """Kind of place, what it is called there, and the field that names it."""
        return "folder", self.folder, "source.folder"


class FolderLabels(Parameters):
    """The folder in which a picture lies is its class."""

    model_config = ConfigDict(json_schema_extra={"x-title": "From folders"})

    source: Literal["folders"] = "folders"


class CsvLabels(Parameters):
    """A table names the class of each picture; pictures that it does not name are left out."""

    model_config = ConfigDict(json_schema_extra={"x-title": "From a table (CSV)"})

    source: Literal["csv"] = "csv"
    file: str = Field("labels.csv", min_length=1, max_length=400)
    """Path of the table among the pictures. Its first row names the columns."""

    image_column: Column = "file"
    """The column that names the picture: its path, its file name with or without the ending, or its number
    (7 is 0007.jpg)."""

    label_column: Column = "label"
    """The column that holds the class: a name, or in every row a number counted from 0."""

    name_column: Column | None = None
    """Where classes are numbers: the column that holds their names."""


class NoLabels(Parameters):
    """The pictures have no classes. Units jobs take such a set, others need labels."""

    model_config = ConfigDict(json_schema_extra={"x-title": "None"})

    source: Literal["none"] = "none"


Source = Annotated[UploadedArchive | ServerFolder, Field(discriminator="source")]
Labels = Annotated[FolderLabels | CsvLabels | NoLabels, Field(discriminator="source")]
