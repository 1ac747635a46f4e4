"""What becomes of a picture in an image set: the stated size and colour, and what cannot be read."""

import io
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from bad_archives import one_colour
from blindspots.errors import Cancelled, InvalidInput
from made_sets import laboratory, made, spec
from photographs import LIMITS, picture, two_classes


@pytest.mark.parametrize("rule", ["crop", "stretch", "pad"])
def test_a_picture_of_that_size_stays_as_it_is(rule: str, tmp_path: Path) -> None:
    files = two_classes(2, size=(8, 6))
    found, _ = made(files, tmp_path, rule=rule)
    images, _ = found.load("test")
    for image, name in zip(images, sorted(files), strict=True):
        original = np.asarray(Image.open(io.BytesIO(files[name])))
        assert np.array_equal(image.transpose(1, 2, 0), original)


def half_and_half() -> bytes:
    """40 x 20: a red left quarter, green, and a blue right quarter."""
    canvas = Image.new("RGB", (40, 20), "lime")
    canvas.paste("red", (0, 0, 10, 20))
    canvas.paste("blue", (30, 0, 40, 20))
    stream = io.BytesIO()
    canvas.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        ("crop", ["lime", "lime", "lime", "lime"]),  # the middle of the longer side
        ("stretch", ["red", "lime", "lime", "blue"]),
        ("pad", ["red", "lime", "lime", "blue"]),  # in the middle rows, black above and below
    ],
)
def test_the_rule_decides_what_is_seen(rule: str, columns: list[str], tmp_path: Path) -> None:
    files = {"a/x.png": half_and_half(), "b/y.png": half_and_half()}
    found, _ = made(files, tmp_path, rule=rule, height=4, width=4, resampling="box")
    image = found.load("test")[0][0]
    colours = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}
    assert [tuple(image[:, 1, column]) for column in range(4)] == [colours[each] for each in columns]
    assert (image[:, 0] == 0).all() == (rule == "pad")


def test_a_picture_becomes_smaller_by_averaging(tmp_path: Path) -> None:
    noise = picture(size=(80, 60))
    found, _ = made({"a/x.png": noise, "b/y.png": noise}, tmp_path, resampling="box")
    original = np.asarray(Image.open(io.BytesIO(noise))).astype(float)
    mean = original.reshape(6, 10, 8, 10, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(found.load("test")[0][0] - mean).max() <= 1


def test_the_turn_of_the_camera_is_undone(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    turned = io.BytesIO()
    Image.open(io.BytesIO(half_and_half())).save(turned, "PNG", exif=exif)
    files = {"a/x.png": turned.getvalue(), "b/y.png": half_and_half()}
    found, _ = made(files, tmp_path, rule="stretch", height=8)
    image = found.load("test")[0][0]
    assert tuple(image[:, 0, 4]) == (255, 0, 0), "what was left is above"
    assert tuple(image[:, 7, 4]) == (0, 0, 255)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize(("colour", "channels"), [("rgb", 3), ("grey", 1)])
def test_every_mode_becomes_the_chosen_colour(mode: str, colour: str, channels: int, tmp_path: Path) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    files = {"a/x": picture(mode=mode, form=form), "b/y": picture(1, mode=mode, form=form)}
    found, _ = made(files, tmp_path, colour=colour)
    assert found.facts().shape == (channels, 6, 8)


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (9, 9), (255, 0, 0, 0)).save(stream, "PNG")
    found, _ = made({"a/x.png": stream.getvalue(), "b/y.png": picture()}, tmp_path)
    assert (found.load("test")[0][0] == 255).all()


def test_a_broken_picture_is_named_or_counted(tmp_path: Path) -> None:
    whole = picture(5, size=(64, 64))
    files = {**two_classes(2), "set/cat/x.png": whole[: len(whole) // 2]}
    with pytest.raises(InvalidInput, match=r"set/cat/x.png is damaged"):
        made(files, tmp_path)
    found, job = made(files, tmp_path, skip_broken=True)
    assert found.facts().sizes == {"test": 4}
    assert job.result.summary["skipped"] == 1
    assert list(job.result.summary["broken"]) == ["set/cat/x.png"]  # type: ignore[arg-type]
    rows = job.spec.table(job)
    assert dict(zip(rows["path"], rows["split"], strict=True))["set/cat/x.png"] == "left out"


def test_a_cancelled_import_leaves_no_process_and_no_set(tmp_path: Path) -> None:
    here = laboratory(two_classes(40), tmp_path)
    job = spec().resolve(here)
    context = here.context(cancel_when=lambda done: done >= 5)
    with pytest.raises(Cancelled):
        job.run(job.plan(here)[0], context)
    left = [each for each in psutil.Process().children() if "picture_process" in " ".join(each.cmdline())]
    assert left == []
    assert len(context.reports) == 5
    assert context.installed == {}


def test_a_picture_that_needs_too_much_memory_is_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**two_classes(1), "set/cat/wide.png": one_colour(20_000)}
    monkeypatch.setitem(LIMITS, "pixels", 1 << 40)
    monkeypatch.setattr("blindspots.zoo.picture_process.START", LOW_MEMORY)
    found, job = made(files, tmp_path, skip_broken=True)
    assert found.facts().sizes == {"test": 2}
    assert job.result.summary["skipped"] == 1


LOW_MEMORY = (
    "import sys; sys.path.insert(0, sys.argv[1]); from blindspots.zoo import picture_process as here; "
    "here.MEMORY_BYTES = 400 << 20; "
)
