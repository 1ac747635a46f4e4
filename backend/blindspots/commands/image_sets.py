"""Commands that make a data set of pictures, and delete one."""

import tempfile
import zipfile
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from blindspots.client import Client
from blindspots.commands.console import Target, notes, out
from blindspots.commands.jobs import print_summary, watch
from blindspots.errors import InvalidInput

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".csv")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same folder makes the same archive
Labels = Annotated[
    str, typer.Option(help="folders, none, or the path of a CSV table within the folder or archive.")
]
Size = Annotated[str, typer.Option(help="Pixels: 224, or height x width as 240x320.")]
Classes = Annotated[str | None, typer.Option(help="Order of the classes, with commas between.")]


def import_images(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A folder of pictures, or a zip archive.", exists=True)],
    *,
    name: Annotated[str, typer.Option(help="What jobs will call the set.")],
    title: Annotated[str, typer.Option(help="What pages will call it.")] = "",
    size: Size = "224",
    labels: Labels = "folders",
    image_column: Annotated[str, typer.Option(help="Of the table.")] = "file",
    label_column: Annotated[str, typer.Option(help="Of the table.")] = "label",
    name_column: Annotated[str | None, typer.Option(help="Of the table, where classes are numbers.")] = None,
    classes: Classes = None,
    rule: Annotated[Literal["crop", "stretch", "pad"], typer.Option(help="How to resize.")] = "crop",
    colour: Annotated[Literal["rgb", "grey"], typer.Option(help="Channels.")] = "rgb",
    train_share: Annotated[float, typer.Option(help="Share of training images, 0 to 1.")] = 0.0,
    skip_broken: Annotated[bool, typer.Option(help="Leave out what cannot be read.")] = False,
) -> None:
    """Make a data set of pictures."""
    table = {"image_column": image_column, "label_column": label_column, "name_column": name_column}
    known: dict[str, dict[str, Any]] = {"folders": {"source": "folders"}, "none": {"source": "none"}}
    height, width = _sides(size)
    spec = {
        "kind": "image_set", "name": name, "title": title, "height": height, "width": width, "rule": rule,
        "labels": known.get(labels, {"source": "csv", "file": labels, **table}), "colour": colour,
        "classes": classes.split(",") if classes else None, "train_share": train_share,
        "skip_broken": skip_broken,
    }  # fmt: skip
    target: Target = context.obj
    with target.client() as client:
        job = client.submit({**spec, "source": _source(client, path)})
        print_summary(watch(client, job.id))


def delete_data(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Of an image set.")]
) -> None:
    """Delete an image set that no job refers to."""
    target: Target = context.obj
    with target.client() as client:
        client.delete_dataset(name)
    out.print(f"Deleted {name}.", markup=False)


def _sides(size: str) -> tuple[int, int]:
    """Height and width. Raises InvalidInput."""
    sides = size.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() for side in sides):
        raise InvalidInput("Give a number of pixels, as 224, or height x width, as 240x320.", field="size")
    return int(sides[0]), int(sides[-1])


def _source(client: Client, path: Path) -> dict[str, str]:
    """Where the service finds the pictures: below an allowed root, or in what is uploaded now."""
    if path.is_file():
        return {"source": "upload", "archive": client.upload_archive(path).id}
    folder = path.resolve()
    roots = [Path(each["path"]) for each in client.image_roots() if each["folder"] == "."]
    for root in roots:
        if folder.is_relative_to(root):
            return {"source": "folder", "folder": folder.relative_to(root).as_posix()}
    with tempfile.TemporaryDirectory() as place:
        packed = Path(place) / "pictures.zip"
        count = _pack(folder, packed)
        notes.print(f"Sending {count:,} files, {packed.stat().st_size / 1e6:.1f} MB", markup=False)
        return {"source": "upload", "archive": client.upload_archive(packed).id}


def _pack(folder: Path, packed: Path) -> int:
    """The pictures and tables of the folder as an archive; how many there are."""
    files = sorted(
        each for each in folder.rglob("*")
        if each.suffix.lower() in ENDINGS and each.is_file() and not _hidden(each.relative_to(folder))
    )  # fmt: skip
    if not files:
        raise InvalidInput(f"There are no PNG, JPEG or WebP pictures in {folder}.", field="path")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for each in files:
            entry = zipfile.ZipInfo(each.relative_to(folder).as_posix(), EPOCH)
            with each.open("rb") as stream, archive.open(entry, "w") as inside:
                while piece := stream.read(1 << 20):
                    inside.write(piece)
    return len(files)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
