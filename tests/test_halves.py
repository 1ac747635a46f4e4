"""The halves P1 and P2 of a training set are data sets like any other: seeded, trained on, attacked."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

from blindspots.errors import InvalidInput, NotFound
from blindspots.experiments import KINDS
from blindspots.experiments.train import Train
from blindspots.work.pictures import decode_png
from blindspots.zoo import datasets, halves
from blindspots.zoo.datasets import Dataset
from in_memory import Laboratory, attack
from test_zoo import STANDARD, write_set
from workbench import Workbench

QUICK = {
    "kind": "train",
    "network": {"name": "softmax"},
    "optimiser": {"name": "lbfgs", "max_iterations": 30},
}


def half(name: str) -> Dataset:
    found = halves.look_up(datasets.find(), name)
    assert found is not None
    return found


def as_set(images: np.ndarray, labels: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() + bytes([label]) for image, label in zip(images, labels, strict=True))


@pytest.mark.parametrize("seed", [0, 7])
def test_the_halves_are_disjoint_and_together_whole(seed: int) -> None:
    first, second = half(f"digits:P1:{seed}"), half(f"digits:P2:{seed}")
    assert first.facts().sizes == {"train": 648, "test": 500}
    assert second.facts().sizes == {"train": 649, "test": 500}  # 1297 images are odd
    pieces = as_set(*first.load("train")) + as_set(*second.load("train"))
    assert sorted(pieces) == as_set(*datasets.find()["digits"].load("train"))


def test_a_half_keeps_shape_classes_and_test_images() -> None:
    facts, whole = half("digits:P1:0").facts(), datasets.find()["digits"].facts()
    assert (facts.name, facts.title) == ("digits:P1:0", "Digits, half P1 (seed 0)")
    assert (facts.shape, facts.class_names) == (whole.shape, whole.class_names)
    for ours, theirs in zip(
        half("digits:P1:0").load("test"), datasets.find()["digits"].load("test"), strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_each_seed_cuts_in_its_own_way_and_each_half_has_its_own_hash() -> None:
    names = ["digits:P1:0", "digits:P2:0", "digits:P1:1", "digits:P2:1"]
    hashes = {half(name).facts().sha256 for name in names} | {datasets.find()["digits"].facts().sha256}
    assert len(hashes) == 5


def test_the_cut_is_the_same_forever() -> None:
    """Trained models, and results that were found before, refer to these very images."""
    sha256 = "ccdd207e7b9ce4b01499d45435fd54840f5387184a8a8678e72c6ede83a2fe9e"
    assert half("digits:P1:0").facts().sha256 == sha256


def test_the_pixels_of_a_half_cannot_be_changed_by_whoever_shares_them() -> None:
    with pytest.raises(ValueError, match="read-only"):
        half("digits:P1:0").load("train")[0][0] = 0


def test_a_missing_set_and_a_single_image_have_no_halves(tmp_path: Path) -> None:
    missing = half("mnist:P1:0")
    assert not missing.available
    assert "download it" in missing.reason
    one = {name: array[:1] for name, array in STANDARD.items()}
    write_set(tmp_path / "single", one)
    single = halves.look_up(datasets.find([tmp_path]), "single:P1:0")
    assert single is not None
    assert "no halves" in single.reason


MALFORMED = [
    "digits:P3:0", "digits:P1", "digits:P1:", "digits:P1:x", "digits:P1:-1", "digits:P1:01",
    "digits:P1:4294967296", "digits:P1:0:P1:0", "nothing:P1:0", ":P1:0",
]  # fmt: skip


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    """The service on SQLite, and a worker of it."""
    bench = Workbench(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path / "data", kinds=KINDS)
    yield bench
    bench.close()


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_half_is_no_data_set(name: str, workbench: Workbench) -> None:
    assert halves.look_up(datasets.find(), name) is None
    training = Train.model_validate({**QUICK, "dataset": name})
    with pytest.raises(InvalidInput, match=r"no data set .* mnist:P1:0") as caught:
        workbench.service.submit(training, owner="me")
    assert caught.value.field == "dataset"
    with pytest.raises(NotFound, match="no data set"):
        workbench.service.dataset(name)


def test_a_set_names_its_halves_and_a_half_shows_its_images(workbench: Workbench) -> None:
    service = workbench.service
    listed = {each["name"]: each for each in service.datasets()}
    assert listed["digits"]["views"] == ["digits:P1:0", "digits:P2:0"]
    assert not any(":" in name for name in listed)
    view = service.dataset("digits:P2:0")
    assert (view["views"], view["sizes"]) == ([], {"train": 649, "test": 500})
    first = service.dataset_images("digits:P2:0", "train", None, 0, 1)["items"][0]
    picture = decode_png(service.dataset_image("digits:P2:0", "train", first["index"]))
    images, labels = half("digits:P2:0").load("train")
    assert np.array_equal(picture, images[0])
    assert first["label"] == labels[0]


def test_a_half_is_read_over_the_wire_by_its_encoded_name(client: httpx2.Client) -> None:
    for name in ("digits:P1:0", "digits%3AP1%3A0"):
        answer = client.get(f"/api/v1/datasets/{name}").json()
        assert answer["title"] == "Digits, half P1 (seed 0)"
        assert client.get(f"/api/v1/datasets/{name}/train/images?limit=3").json()["total"] == 648
        picture = client.get(f"/api/v1/datasets/{name}/train/images/0.png")
        assert picture.headers["content-type"] == "image/png"
    refused = client.get("/api/v1/datasets/digits:P3:0")
    assert (refused.status_code, refused.json()["field"]) == (422, "name")


def test_a_network_is_trained_on_one_half_and_attacked_on_the_other() -> None:
    laboratory = Laboratory(datasets.find())
    training = Train.model_validate({**QUICK, "dataset": "digits:P1:0"})
    promised = training.promised_model(laboratory)
    summary = laboratory.run(training).result.summary
    assert summary["train_images"] == 648
    model = laboratory.model("digits-P1-0-softmax", field="model")
    assert model.dataset == "digits:P1:0"
    for name in (
        "name",
        "network",
        "parameters",
        "input_shape",
        "class_names",
        "dataset",
        "multiply_adds",
        "linear",
    ):
        assert getattr(promised, name) == getattr(model, name)
    assert dict(promised.metrics).items() <= dict(model.metrics).items()
    images = {"source": "dataset", "dataset": "digits:P2:0", "split": "train", "count": 8}
    attacked = laboratory.run(attack(model="digits-P1-0-softmax", images=images)).result.summary
    assert attacked["images"] == 8
