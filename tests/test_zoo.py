"""What lies in the data-set folders is found, checked and described; networks fit their parameters."""

import gzip
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from blindspots.science import networks
from blindspots.zoo import architectures, datasets, idx
from blindspots.zoo.multilayer_perceptron import MultilayerPerceptron

RANDOM = np.random.default_rng(0)
STANDARD = {
    "train-images-idx3-ubyte": RANDOM.integers(0, 256, (30, 5, 4), np.uint8),
    "train-labels-idx1-ubyte": np.arange(30, dtype=np.uint8) % 3,
    "t10k-images-idx3-ubyte": RANDOM.integers(0, 256, (12, 5, 4), np.uint8),
    "t10k-labels-idx1-ubyte": np.arange(12, dtype=np.uint8) % 3,
}


def encoded(array: np.ndarray, *, kind: int = 8) -> bytes:
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_set(folder: Path, arrays: dict[str, np.ndarray] | None = None, *, zipped: bool = False) -> Path:
    folder.mkdir(parents=True)
    for name, array in (arrays or STANDARD).items():
        content = encoded(array)
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


# Data sets


def test_the_bundled_digits_are_always_there() -> None:
    found = datasets.find()
    digits = found["digits"]
    facts = digits.facts()
    assert (digits.available, digits.source, facts.shape) == (True, "bundled", (1, 8, 8))
    assert facts.sizes == {"train": 1297, "test": 500}
    assert facts.class_names == tuple("0123456789")
    images, labels = digits.load("train")
    assert (images.shape, images.dtype, labels.dtype) == ((1297, 1, 8, 8), np.uint8, np.int64)
    assert sorted(np.unique(images)) == sorted({round(level * 255 / 16) for level in range(17)})
    assert set(labels) == set(range(10))


def test_the_digits_are_split_in_the_same_way_forever() -> None:
    """Trained models, and results that were found before, refer to these very images."""
    sha256 = "874db67405b13df553c184328ccda2f233700b313395af5b3c557fc06f80c7a9"
    assert datasets.find()["digits"].facts().sha256 == sha256


def test_what_can_be_downloaded_is_listed_before_it_is_there() -> None:
    found = datasets.find()
    for name in ("mnist", "fashion-mnist"):
        assert not found[name].available
        assert found[name].downloadable
        assert found[name].bytes > 10_000_000
        assert "not here yet" in found[name].reason


@pytest.mark.parametrize("zipped", [False, True])
def test_any_idx_set_in_a_folder_is_found(tmp_path: Path, zipped: bool) -> None:
    write_set(tmp_path / "shapes", zipped=zipped)
    dataset = datasets.find([tmp_path])["shapes"]
    facts = dataset.facts()
    assert (dataset.available, dataset.source, dataset.downloadable) == (True, "folder", False)
    assert (facts.shape, facts.class_names) == ((1, 5, 4), ("0", "1", "2"))
    assert facts.sizes == {"train": 30, "test": 12}
    images, labels = dataset.load("test")
    np.testing.assert_array_equal(images[:, 0], STANDARD["t10k-images-idx3-ubyte"])
    np.testing.assert_array_equal(labels, STANDARD["t10k-labels-idx1-ubyte"])
    with pytest.raises(KeyError):
        dataset.load("validation")


def test_the_hash_is_of_the_content_not_of_its_packing(tmp_path: Path) -> None:
    write_set(tmp_path / "plain")
    write_set(tmp_path / "packed", zipped=True)
    changed = STANDARD["t10k-labels-idx1-ubyte"][::-1].copy()
    write_set(tmp_path / "changed", {**STANDARD, "t10k-labels-idx1-ubyte": changed})
    found = datasets.find([tmp_path])
    assert found["plain"].facts().sha256 == found["packed"].facts().sha256
    assert found["plain"].facts().sha256 != found["changed"].facts().sha256


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "shapes")
    before = datasets.find([tmp_path])["shapes"].facts().sha256
    (folder / "train-labels-idx1-ubyte").write_bytes(encoded(np.ones(30, np.uint8)))
    assert datasets.find([tmp_path])["shapes"].facts().sha256 != before


def test_other_names_of_the_same_files_are_understood(tmp_path: Path) -> None:
    write_set(
        tmp_path / "letters",
        {
            "emnist-letters-train-images-idx3-ubyte": STANDARD["train-images-idx3-ubyte"],
            "emnist-letters-train-labels-idx1-ubyte": STANDARD["train-labels-idx1-ubyte"],
            "emnist-letters-test-images.idx3-ubyte": STANDARD["t10k-images-idx3-ubyte"],
            "emnist-letters-test-labels.idx1-ubyte": STANDARD["t10k-labels-idx1-ubyte"],
        },
    )
    assert datasets.find([tmp_path])["letters"].available


def test_a_downloaded_set_is_preferred_but_a_broken_one_is_not(tmp_path: Path) -> None:
    write_set(tmp_path / "downloads" / "mnist")
    write_set(tmp_path / "mine" / "mnist")
    both = datasets.find([tmp_path / "mine"], downloads=tmp_path / "downloads")
    assert both["mnist"].source == "downloaded"
    (tmp_path / "downloads" / "mnist" / "t10k-labels-idx1-ubyte").unlink()
    one = datasets.find([tmp_path / "mine"], downloads=tmp_path / "downloads")
    assert (one["mnist"].source, one["mnist"].available) == ("folder", True)


def test_a_folder_that_is_no_set_or_not_there_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.jpg").write_bytes(b"no")
    (tmp_path / "notes.txt").write_text("no")
    write_set(tmp_path / "a name, with more than the usual letters")
    assert set(datasets.find([tmp_path, tmp_path / "nowhere"])) == {"digits", "mnist", "fashion-mnist"}


def gz(content: bytes) -> bytes:
    return gzip.compress(content)


GOOD = encoded(STANDARD["train-images-idx3-ubyte"])
BROKEN: dict[str, tuple[str, bytes | None, str]] = {
    "missing": ("t10k-labels-idx1-ubyte", None, "lacks t10k-labels-idx1-ubyte"),
    "empty": ("train-images-idx3-ubyte", b"", "is not an IDX file"),
    "text": ("train-images-idx3-ubyte", b"<html>not found</html>", "is not an IDX file"),
    "header cut": ("train-images-idx3-ubyte", GOOD[:9], "ends within its header"),
    "cut": ("train-images-idx3-ubyte", GOOD[:-1], "promises 600 bytes of content, but holds only 599"),
    "too long": ("train-images-idx3-ubyte", GOOD + b"\0", "holds more than the 600 bytes"),
    "floats": (
        "train-images-idx3-ubyte",
        encoded(STANDARD["train-images-idx3-ubyte"], kind=13),
        "is not an IDX file of unsigned bytes",
    ),
    "immense": (
        "train-images-idx3-ubyte",
        bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1),
        "at most",
    ),
    "gzip cut": ("train-images-idx3-ubyte.gz", gz(GOOD)[:-20], "cannot be read to its end"),
    "gzip damaged": (
        "train-images-idx3-ubyte.gz",
        gz(GOOD)[:40] + b"\xff" * 40 + gz(GOOD)[80:],
        "cannot be read to its end",
    ),
    "no gzip": ("train-images-idx3-ubyte.gz", GOOD, "cannot be read to its end"),
    "labels in excess": (
        "train-labels-idx1-ubyte", encoded(np.zeros(31, np.uint8)), "30 train images, but 31 labels",
    ),
    "other shape": (
        "t10k-images-idx3-ubyte", encoded(np.zeros((12, 4, 5), np.uint8)), "5 × 4, but test images 4 × 5",
    ),
    "no images": ("t10k-images-idx3-ubyte", encoded(np.zeros((0, 5, 4), np.uint8)), "0 test images, but 12"),
    "labels for images": ("t10k-images-idx3-ubyte", encoded(np.zeros(12, np.uint8)), "three dimensions"),
    "twice": ("letters-train-images-idx3-ubyte", GOOD, "Two files hold the train images"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_set_is_listed_with_the_reason_and_disturbs_no_other(tmp_path: Path, case: str) -> None:
    name, content, reason = BROKEN[case]
    folder = write_set(tmp_path / "shapes")
    write_set(tmp_path / "whole")
    if name.endswith(".gz"):
        (folder / name.removesuffix(".gz")).unlink()
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    found = datasets.find([tmp_path])
    assert found["whole"].available
    assert not found["shapes"].available
    assert reason in found["shapes"].reason
    for use in (found["shapes"].facts, lambda: found["shapes"].load("train")):
        with pytest.raises(idx.BrokenFile):
            use()


def test_loaded_pixels_cannot_be_changed_by_whoever_shares_them() -> None:
    images, labels = datasets.find()["digits"].load("test")
    for array in (images, labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


# Networks


SMALL: dict[str, dict[str, Any]] = {"alexnet": {"width_share": 0.05}}  # of which a test can build many
EXAMPLES = [
    (name, shape)
    for name in architectures.ARCHITECTURES
    for shape in ([(1, 8, 8), (3, 28, 20)] if name != "alexnet" else [(1, 64, 67), (3, 75, 70)])
]


@pytest.mark.parametrize(("name", "shape"), EXAMPLES)
def test_an_entry_knows_what_it_builds(name: str, shape: tuple[int, int, int]) -> None:
    parameters = architectures.parse(name, SMALL.get(name, {}))
    module = parameters.build(shape, 7)
    assert parameters.parameter_count(shape, 7) == sum(p.numel() for p in module.parameters())
    assert parameters.multiply_adds(shape, 7) == networks.multiply_adds(module, shape)
    state = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    assert parameters.weight_shapes(shape, 7) == state
    assert list(parameters.weight_shapes(shape, 7)) == list(state)
    assert len(parameters.layers) == len(parameters.paper_penalties)
    assert parameters.unfit(shape) is None
    assert parameters.unfit_field in type(parameters).model_fields
    assert parameters.title
    assert parameters.source


def test_only_the_linear_network_says_that_it_is_linear() -> None:
    entries = architectures.ARCHITECTURES
    assert [name for name in entries if entries[name].linear] == ["softmax"]
    smooth = {name for name in entries if entries[name]().smooth}
    assert smooth == {"softmax", "mlp", "autoencoder_softmax"}
    assert not MultilayerPerceptron(activation="relu").smooth


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mlp", {"widths": []}),
        ("mlp", {"widths": [0]}),
        ("mlp", {"widths": [100], "activation": "sine"}),
        ("softmax", {"widths": [3]}),
        ("autoencoder_softmax", {"sparsity": 1.0}),
        ("autoencoder_softmax", {"sparsity_weight": float("nan")}),
        ("conv", {"dropout": 1.0}),
        ("conv", {"filters": 2.5}),
        ("transformer", {}),
    ],
)
def test_impossible_parameters_are_refused(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        architectures.parse(name, parameters)


def test_a_trained_model_is_loaded_as_it_was() -> None:
    import torch

    parameters = MultilayerPerceptron(widths=[6])
    module = parameters.build((1, 8, 8), 10)
    weights = {name: value.numpy() for name, value in module.state_dict().items()}
    facts = SimpleNamespace(
        network="mlp", parameters={"widths": [6]}, input_shape=(1, 8, 8), class_names=tuple("0123456789")
    )
    loaded = architectures.load(facts, weights)
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(loaded(images), module(images))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    with pytest.raises(ValueError, match="not of a Multilayer perceptron"):
        architectures.load(facts, {**weights, "output.bias": np.zeros(3, np.float32)})
