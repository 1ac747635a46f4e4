"""Making an image set: pictures are decoded in a process without credentials, and written as arrays."""

import json
import os
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Context, Outcome, Part, Result
from blindspots.experiments.facts import Pictures
from blindspots.experiments.parameters import Array, Arrays
from blindspots.zoo import image_sets
from blindspots.zoo.picture_process import FRAME, command

if TYPE_CHECKING:
    from blindspots.experiments.image_set import ImageSet

NAMED_BROKEN = 20  # in the summary
SKIPPED, TRAIN, TEST = -1, 0, 1
SPLITS = ("train", "test")  # by number


def decode_block(spec: "ImageSet", part: Part, context: Context) -> Result:
    """Pixels (n, c, h, w) of a block of pictures, and which of them could be read."""
    place, reference, field = spec.source.place()
    pictures = context.pictures(place, reference)
    if pictures.sha256 != part.parameters["pictures"]:
        raise InvalidInput(
            "The files in the folder changed since the job was sent. Send it again.", field=field
        )
    start, stop = int(str(part.parameters["start"])), int(str(part.parameters["stop"]))
    names = spec.arrange(pictures).paths[start:stop]
    pixels = np.zeros((len(names), spec.channels(), spec.height, spec.width), np.uint8)
    kept = np.zeros(len(names), bool)
    broken: dict[str, JsonValue] = {}
    with closing(_decoded(spec, pictures, names)) as decoded:  # a cancelled part leaves no process behind
        for row, found in enumerate(decoded):
            if isinstance(found, str):
                if not spec.skip_broken:
                    raise InvalidInput(
                        f"{names[row]} {found}. Repair it, or leave out broken pictures.", field="skip_broken"
                    )
                broken[names[row]] = found
            else:
                image = np.frombuffer(found, np.uint8).reshape(spec.height, spec.width, spec.channels())
                pixels[row], kept[row] = image.transpose(2, 0, 1), True
            context.progress(row + 1, len(names), f"{row + 1} of {len(names)} pictures decoded")
    shown = dict(list(broken.items())[:NAMED_BROKEN])
    return Result(arrays={"images": pixels, "kept": kept}, summary={"skipped": len(broken), "broken": shown})


def _decoded(spec: "ImageSet", pictures: Pictures, names: Sequence[str]) -> Generator[bytes | str]:
    """Pixels of each picture, or why there are none. A picture that ends the process is a broken one."""
    done = 0
    while done < len(names):
        with _decoder(spec, pictures, names[done:]) as stream:
            while frame := stream.read(FRAME.size):
                good, size = FRAME.unpack(frame)
                payload = stream.read(size)
                if len(payload) < size:
                    break
                done += 1
                yield payload if good else payload.decode()
        if done < len(names):
            done += 1
            yield "could not be decoded within the limits on memory and time"


@contextmanager
def _decoder(spec: "ImageSet", pictures: Pictures, names: Sequence[str]) -> Iterator[IO[bytes]]:
    """What a fresh process says of the pictures; it has no environment, and ends with the context."""
    place = os.open(pictures.path, os.O_RDONLY | (0 if pictures.packed else os.O_DIRECTORY))
    order = {
        "archive": place if pictures.packed else None, "folder": place, "names": list(names),
        "height": spec.height, "width": spec.width, "rule": spec.rule, "colour": spec.colour,
        "resampling": spec.resampling,
    }  # fmt: skip
    try:
        process = subprocess.Popen(
            command("decode", pictures.limits), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={}, cwd="/", pass_fds=(place,),
        )  # fmt: skip
    finally:
        os.close(place)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            process.stdin.write(json.dumps(order).encode())
            process.stdin.close()
            yield process.stdout
        finally:
            process.kill()


def install(spec: "ImageSet", context: Context) -> Result:
    """Write the set from the decoded blocks, one after the other, and say what it holds."""
    pictures = context.pictures(*spec.source.place()[:2])
    found = spec.arrange(pictures)
    blocks = range(context.part_count())
    kept = np.concatenate([context.part(index).array("kept") for index in blocks])
    split = np.where(spec.train_rows(len(found.paths)), TRAIN, TEST)
    split[~kept] = SKIPPED
    if not kept.any():
        raise InvalidInput("None of the pictures can be read.", field="source")
    sizes = {name: int((split == number).sum()) for number, name in enumerate(SPLITS)}
    splits = {
        name: image_sets.Split(found.labels[split == number], _Blocks(context, split, number))
        for number, name in enumerate(SPLITS)
        if sizes[name]
    }
    skipped = int((~kept).sum())
    notes: dict[str, JsonValue] = {
        "source": spec.source.source, "pictures": pictures.sha256, "labels": spec.labels.source,
        "rule": spec.rule, "resampling": spec.resampling, "skipped": skipped, "left_out": found.left_out,
        "seed": spec.seed, "train_share": spec.train_share,
    }  # fmt: skip
    shape = (spec.channels(), spec.height, spec.width)
    files = image_sets.files(
        splits, title=spec.title or spec.name, shape=shape, class_names=found.class_names, notes=notes
    )
    context.install_dataset(spec.name, files, replace=False)
    broken = [context.part(index).summary["broken"] for index in blocks]
    return Result(
        arrays=_rows(found.paths, found.labels, split),
        summary={
            "dataset": spec.name, "images": int(kept.sum()), "sizes": {**sizes}, "shape": list(shape),
            "class_names": list(found.class_names), "skipped": skipped, "left_out": found.left_out,
            "broken": _first(broken), "bytes": int(kept.sum()) * spec.image_bytes(),
        },
    )  # fmt: skip


def _first(broken: Sequence[Any]) -> dict[str, JsonValue]:
    """Some of the pictures that were left out, and why."""
    return dict([each for found in broken for each in found.items()][:NAMED_BROKEN])


class _Blocks:
    """The images of one split, block by block, as often as they are asked for."""

    def __init__(self, context: Context, split: Array, number: int) -> None:
        self._context, self._split, self._number = context, split, number

    def __iter__(self) -> Iterator[Array]:
        start, parts = 0, self._context.part_count()
        for index in range(parts):
            images = self._context.part(index).array("images")
            here = self._split[start : start + len(images)] == self._number
            start += len(images)
            self._context.progress(index, parts, "writing the set")
            yield images[here]


def _rows(paths: Sequence[str], labels: Array, split: Array) -> Arrays:
    """Which picture became which image; the paths as UTF-8, each ended by a zero."""
    text = "".join(f"{path}\0" for path in paths).encode()
    number = np.full(len(split), -1, np.int64)
    for each in range(len(SPLITS)):
        number[split == each] = np.arange((split == each).sum())
    return {
        "paths": np.frombuffer(text, np.uint8), "label": np.asarray(labels), "split": split.astype(np.int8),
        "number": number,
    }  # fmt: skip


def table(outcome: Outcome) -> Arrays:
    """One line per picture: its path, its split, its number there and its class."""
    result = outcome.result
    paths = result.array("paths").tobytes().decode().split("\0")[:-1]
    names = np.array([*SPLITS, "left out"])
    return {
        "path": np.array(paths), "split": names[result.array("split")], "number": result.array("number"),
        "label": result.array("label"),
    }  # fmt: skip
