"""Image sets that a job makes of a small archive, in memory."""

import json
from pathlib import Path
from typing import Any

import pytest

from blindspots.errors import InvalidInput
from blindspots.experiments.image_set import ImageSet
from blindspots.zoo import datasets
from blindspots.zoo.datasets import Dataset
from in_memory import Finished, Laboratory, MemoryContext
from photographs import archive, pictures_of

PLACE = {"source": "upload", "archive": "a" * 64}


def spec(**fields: Any) -> ImageSet:
    """A job on the archive of these tests."""
    document = {"kind": "image_set", "name": "pets", "source": PLACE, "height": 6, "width": 8, **fields}
    return ImageSet.model_validate_json(json.dumps(document))


def laboratory(files: dict[str, bytes], folder: Path) -> Laboratory:
    """A laboratory that holds the files as the archive."""
    made = Laboratory(datasets.find())
    made.archives["upload", PLACE["archive"]] = pictures_of(archive(files), folder)
    return made


def made(files: dict[str, bytes], folder: Path, **fields: Any) -> tuple[Dataset, Finished]:
    """The set that a job makes, installed where the service would find it, and the job."""
    contexts: list[MemoryContext] = []

    class Watched(Laboratory):
        def context(self, **changes: Any) -> MemoryContext:
            contexts.append(super().context(**changes))
            return contexts[-1]

    here = Watched(datasets.find())
    here.archives["upload", PLACE["archive"]] = pictures_of(archive(files), folder)
    finished = here.run(spec(**fields))
    ((name, content),) = (each for context in contexts for each in context.installed.items())
    (folder / "sets" / name).mkdir(parents=True, exist_ok=True)
    for file, data in content.items():
        (folder / "sets" / name / file).write_bytes(data)
    return datasets.find(downloads=folder / "sets")[name], finished


def refusal(files: dict[str, bytes], folder: Path, **fields: Any) -> InvalidInput:
    """What the job is refused with when it is sent."""
    with pytest.raises(InvalidInput) as caught:
        spec(**fields).resolve(laboratory(files, folder))
    return caught.value
