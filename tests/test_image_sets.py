"""What a user of image sets may rely on: the same bytes, a data set like any other, bounded memory."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from blindspots.errors import InvalidInput
from blindspots.experiments.facts import Pictures
from blindspots.experiments.selection import DatasetImages
from blindspots.experiments.units import Units
from blindspots.zoo import datasets, image_sets
from in_memory import Laboratory, digits_laboratory
from made_sets import made, refusal, spec
from photographs import LIMITS, sample_folder, two_classes


def test_the_same_archive_gives_the_same_bytes(tmp_path: Path) -> None:
    found = []
    for turn in ("0", "1"):
        (tmp_path / turn).mkdir()
        found.append(made(two_classes(5), tmp_path / turn, train_share=0.4, seed=3)[0])
    assert found[0].facts().sha256 == found[1].facts().sha256
    first, second = (tmp_path / turn / "sets" / "pets" for turn in ("0", "1"))
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
    (tmp_path / "other").mkdir()
    other, _ = made(two_classes(5), tmp_path / "other", train_share=0.4, seed=4)
    assert other.facts().sha256 != found[0].facts().sha256


def test_a_share_becomes_training_images(tmp_path: Path) -> None:
    found, job = made(two_classes(5), tmp_path, train_share=0.3)
    assert found.facts().sizes == {"train": 3, "test": 7}
    rows = job.spec.table(job)
    for split in ("train", "test"):
        images, labels = found.load(split)
        here = rows["split"] == split
        assert list(labels) == list(rows["label"][here])
        assert list(rows["number"][here]) == list(range(len(images)))
    assert refusal(two_classes(1), tmp_path, train_share=0.1).field == "train_share"


def test_a_set_is_like_any_other(tmp_path: Path) -> None:
    found, _ = made(two_classes(4), tmp_path, train_share=0.5, title="Pets")
    facts = found.facts()
    assert (found.title, found.source, found.available) == ("Pets", "imported", True)
    assert (facts.shape, facts.class_names) == ((3, 6, 8), ("cat", "dog"))
    assert facts.sizes == {"train": 4, "test": 4}
    with pytest.raises(KeyError):
        found.load("valid")
    here = Laboratory({"pets": found})
    assert here.dataset("pets:P1:0", field="dataset").sizes == {"train": 2, "test": 4}


def pickled() -> bytes:
    """A .npy file whose content is a pickle."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (2,)})
    return stream.getvalue() + b"\x80\x04K\x01."


PICKLED = pickled()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / image_sets.DESCRIPTION).write_text("{"),
        lambda folder: (folder / image_sets.DESCRIPTION).write_text("[]"),
        lambda folder: (folder / "test-images.npy").unlink(),
        lambda folder: os.truncate(folder / "test-images.npy", 200),
        lambda folder: np.save(folder / "test-images.npy", np.zeros((2, 3, 6, 8), np.float32)),
        lambda folder: (folder / "test-labels.npy").write_bytes(PICKLED),
    ],
    ids=["no JSON", "a list", "no images", "cut off", "another type", "a pickle"],
)  # fmt: skip
def test_a_spoiled_set_is_listed_with_its_reason(spoil: Any, tmp_path: Path) -> None:
    made(two_classes(1), tmp_path)
    spoil(tmp_path / "sets" / "pets")
    found = datasets.find(downloads=tmp_path / "sets")["pets"]
    assert not found.available
    assert "pets" in found.reason


def test_a_set_without_labels_is_for_units_only(tmp_path: Path) -> None:
    model = digits_laboratory().model("digits-softmax", field="model")
    found, _ = made(two_classes(4), tmp_path, labels={"source": "none"}, height=8, colour="grey")
    assert found.facts().class_names == ()
    assert list(found.load("test")[1]) == [-1] * 8
    chosen = DatasetImages(dataset="pets", count=8)
    here = Laboratory({"pets": found})
    with pytest.raises(InvalidInput, match="no labels") as caught:
        chosen.check(here, model)
    assert caught.value.field == "images.dataset"
    chosen.check(here, model, labelled=False)


def test_units_look_at_images_without_labels(tmp_path: Path) -> None:
    found, _ = made(two_classes(6), tmp_path, labels={"source": "none"}, height=8, colour="grey")
    here = Laboratory({**digits_laboratory().datasets, "pets": found})
    here.models, here.weights = digits_laboratory().models, digits_laboratory().weights
    images = {"source": "dataset", "dataset": "pets", "count": 12}
    job = Units.model_validate_json(
        json.dumps({"kind": "units", "model": "digits-mlp", "images": images, "k": 3})
    )
    finished = here.run(job)
    assert finished.result.summary["class_names"] == []
    assert finished.result.summary["verdict"] == "not tested"
    assert np.isfinite(finished.result.array("coherence")).all()
    assert np.isnan(finished.result.array("purity")).all()


def test_the_same_classes_in_another_order_are_refused_with_the_order_to_give(tmp_path: Path) -> None:

    found, _ = made(two_classes(4), tmp_path, height=8, colour="grey")
    model = digits_laboratory().model("digits-softmax", field="model")
    chosen, here = DatasetImages(dataset="pets", count=8), Laboratory({"pets": found})
    chosen.check(here, replace(model, class_names=("cat", "dog")))
    chosen.check(here, replace(model, class_names=("0", "1")))
    with pytest.raises(InvalidInput, match="in this order: Dog, Cat") as caught:
        chosen.check(here, replace(model, class_names=("Dog", "Cat")))
    assert caught.value.field == "images.dataset"


MEMORY_PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from blindspots.zoo import datasets
from blindspots.experiments.selection import DatasetImages
found = datasets.find(downloads=Path(sys.argv[1]))["large"]
class Source:
    def dataset(self, name, split):
        images, labels = found.load(split)
        return np.asarray(images), np.asarray(labels)
count = found.facts().sizes["test"]
chosen = DatasetImages(dataset="large", count=count)
total = 0
with open("/proc/self/status") as status:
    before = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
for start in range(0, count, 4096):
    rows = slice(start, start + 4096)
    total += int(chosen.load(Source(), rows, seed=0, shape=(3, 32, 32)).images.sum(dtype=np.int64))
with open("/proc/self/status") as status:
    after = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
print(total, after - before)
"""


def large_set(folder: Path, count: int) -> None:
    """A set of that many images of 32 x 32, written as an import writes it."""
    block = np.random.default_rng(0).integers(0, 256, (1000, 3, 32, 32), np.uint8)
    split = image_sets.Split(np.zeros(count, np.int64), [block] * (count // 1000))
    (folder / "large").mkdir(parents=True)
    files = image_sets.files(
        {"test": split}, title="Large", shape=(3, 32, 32), class_names=["a", "b"], notes={}
    )
    for name, pieces in files.items():
        with (folder / "large" / name).open("wb") as stream:
            stream.writelines(pieces)


def test_memory_does_not_depend_on_how_many_images_there_are(tmp_path: Path) -> None:
    held = {}
    for count in (10_000, 50_000):
        large_set(tmp_path / str(count), count)
        done = subprocess.run(
            [sys.executable, "-c", MEMORY_PROGRAM, str(tmp_path / str(count))],
            capture_output=True,
            text=True,
            check=True,
        )
        total, held[count] = map(int, done.stdout.split())
        assert total > 0
    assert held[50_000] - held[10_000] < 8 << 10, "KiB; the images themselves are 120 MiB more"


@pytest.mark.skipif(sample_folder() is None, reason="the photographs are not on this machine")
def test_two_hundred_photographs_with_a_table(tmp_path: Path) -> None:
    folder = sample_folder()
    assert folder is not None
    names = sorted(path.name for path in folder.glob("*.jpg"))[::5]
    files = {name: (folder / name).read_bytes() for name in names}
    files["labels.csv"] = (folder / "labels.csv").read_bytes()
    rows = files["labels.csv"].decode().splitlines()
    chosen = [rows[0], *(rows[1 + int(name[:4])] for name in names)]
    files["chosen.csv"] = "\n".join(chosen).encode()
    labels = {
        "source": "csv",
        "file": "chosen.csv",
        "image_column": "index",
        "label_column": "index",
        "name_column": "name",
    }
    found, _ = made(files, tmp_path, labels=labels, height=224, width=224)
    facts = found.facts()
    assert facts.sizes == {"test": 200}
    assert len(facts.class_names) == 996
    assert facts.class_names[0] == "tench"
    assert list(found.load("test")[1]) == list(range(0, 1000, 5))
    photograph = np.asarray(Image.open(folder / names[7]).convert("RGB")).transpose(2, 0, 1)
    assert np.array_equal(found.load("test")[0][7], photograph), "224 x 224 already: pixel for pixel"


def test_a_folder_is_read_as_an_archive_is(tmp_path: Path) -> None:
    files = two_classes(3)
    for name, content in files.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_bytes(content)
    packed, _ = made(files, tmp_path)
    here = Laboratory(datasets.find())
    paths = tuple(sorted(files))
    here.archives["folder", "root"] = Pictures("0" * 64, tmp_path / "root", False, paths, {}, {}, {}, LIMITS)
    job = here.run(spec(source={"source": "folder", "folder": "root"}))
    images = np.concatenate([part.array("images") for part in job.parts])
    assert np.array_equal(images, packed.load("test")[0])
    (tmp_path / "root" / paths[0]).unlink()
    (tmp_path / "root" / paths[0]).symlink_to(tmp_path / "root" / paths[1])
    with pytest.raises(InvalidInput, match="cannot be opened"):
        here.run(spec(source={"source": "folder", "folder": "root"}))
