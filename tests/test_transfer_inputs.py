"""What a transfer refuses, what it submits, and where the paper has a number for it."""

import json
from typing import Any

import pytest

from blindspots.errors import InvalidInput
from blindspots.experiments import transfer_checks
from blindspots.experiments.attack import Attack
from blindspots.experiments.transfer_paper import printed_row
from blindspots.experiments.transfer_rows import matrix_rows
from blindspots.science.statistics import wilson
from in_memory import DIGITS, Laboratory, attack
from transferred import (
    IMAGES,
    MODELS,
    add_model,
    transfer,
    transfer_laboratory,
)


@pytest.fixture
def laboratory() -> Laboratory:
    """Two linear networks and a sigmoid one on the bundled digits."""
    return transfer_laboratory()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sources": ["digits-softmax", "nobody"]}, "sources[1]"),
        ({"evaluated": ["nobody"]}, "evaluated[0]"),
        ({"sources": ["digits-mlp", "digits-mlp"]}, "sources[1]"),
        ({"evaluated": ["digits-mlp", "linear-b", "model-1"]}, "evaluated[2]"),
        ({"sources": ["digits-softmax", "wide"]}, "sources[1]"),
        ({"evaluated": ["digits-softmax", "nine"]}, "evaluated[1]"),
        ({"sources": MODELS, "method": {"name": "exact_linear"}}, "sources[2]"),
        ({"method": {"name": "minimum_distortion", "target": "given"}}, "method.target_class"),
        ({"images": {**DIGITS, "count": 10_000}}, "images.count"),
        ({"images": {"source": "upload", "image": "0" * 64, "label": None}}, "images.image"),
        ({"noise": {"sigmas": [0.1, 0.1]}}, "noise.sigmas"),
        ({"amplify": {"distortions": [0.1, 0.1]}}, "amplify.distortions"),
        ({"equal_l2": 9.0}, "equal_l2"),
    ],
)
def test_what_does_not_fit_is_named(laboratory: Laboratory, fields: dict[str, Any], field: str) -> None:
    if "wide" not in {model.name for model in laboratory.models.values()}:
        add_model(laboratory, name="wide", input_shape=(1, 28, 28))
        add_model(laboratory, name="nine", class_names=tuple("123456789"))
    with pytest.raises(InvalidInput) as refusal:
        transfer(**fields).resolve(laboratory)
    assert refusal.value.field == field


def test_an_upload_needs_its_class_and_has_no_split(laboratory: Laboratory) -> None:
    image = laboratory.upload(laboratory.pixels("digits", "test")[0][6])
    for fields, field in (
        ({"images": {"source": "upload", "image": image}}, "images.label"),
        (
            {"images": {"source": "upload", "image": image, "label": 1}, "noise": {"whole_split": True}},
            "noise.whole_split",
        ),
    ):
        with pytest.raises(InvalidInput) as refusal:
            transfer(**fields).resolve(laboratory)
        assert refusal.value.field == field


@pytest.mark.parametrize(
    "fields",
    [
        {"evaluated": []},
        {"evaluated": ["digits-mlp"] * 21},
        {"noise": {"sigmas": [0.0]}},
        {"noise": {"sigmas": [2.1]}},
        {"noise": {"sigmas": [0.01 * number for number in range(1, 12)]}},
        {"amplify": {"distortions": [0.0]}},
        {"amplify": {"distortions": [1.1]}},
        {"amplify": {"distortions": [0.01 * number for number in range(1, 12)]}},
        {"equal_l2": 0.0},
    ],
)
def test_what_is_out_of_range_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        transfer(**fields)


def test_too_large_a_plan_is_refused(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_checks, "MOST_FORWARDS", 1000)
    with pytest.raises(InvalidInput, match="passes") as refusal:
        transfer().resolve(laboratory)
    assert refusal.value.field == "images"


def test_each_source_is_attacked_by_a_job_that_a_user_could_have_submitted(laboratory: Laboratory) -> None:
    """Word for word the same Spec: what one of them computed, the other one finds."""
    spec = transfer().resolve(laboratory)
    steps = spec.steps(laboratory)
    assert [step.name for step in steps] == [f"attack {name}" for name in MODELS]
    for step, name in zip(steps, MODELS, strict=True):
        own = attack(model=name, images={**DIGITS, "count": IMAGES}, seed=4).resolve(laboratory)
        assert Attack.model_validate_json(json.dumps(dict(step.spec))) == own
        assert step.needs == ()
        assert step.seconds > 0
    assert spec.steps(laboratory) == steps


def test_the_identity_of_a_part_knows_weights_and_pixels(laboratory: Laboratory) -> None:
    inputs = transfer().resolve(laboratory).inputs(laboratory)
    for name in MODELS:
        assert laboratory.model(name, field="model").weights_sha256 in inputs
    assert laboratory.dataset("digits", field="dataset").sha256 in inputs
    assert "attack 1" in inputs


def paper(images: dict[str, Any], row: int, source: str | None, evaluated: str, **fields: Any) -> Any:
    """The printed cell of a row, without running anything."""
    spec = transfer(images={"source": "dataset", **images}, **fields)
    printed = printed_row(spec, matrix_rows(spec)[row], source)
    return None if printed is None else printed.cell(evaluated)


def test_the_papers_cells_stand_beside_ours() -> None:
    train = {"dataset": "mnist", "split": "train"}
    test = {"dataset": "mnist", "split": "test"}
    one = {"sources": ["a"], "directions": False}
    cell = paper(train, 1, "softmax1", "softmax2", **one)
    assert (cell["error"], cell["images"]) == (pytest.approx(0.117), 256)
    assert (cell["low"], cell["high"]) == wilson(30, 256)
    assert paper(train, 4, None, "softmax1", **one)["error"] == pytest.approx(0.156)
    assert paper(test, 1, "M1'", "M1", **one)["error"] == pytest.approx(0.0625)
    assert paper(test, 2, "M1'", "M2", **one)["error"] == pytest.approx(0.22), "amplified to 0.1"
    noise = paper(test, 3, None, "M2", **one, noise={"sigmas": [0.06]})
    assert (noise["error"], noise["images"]) == (pytest.approx(0.024), 10_000)
    assert paper({"dataset": "mnist:P1:0", "split": "test"}, 1, "M1", "M2", **one)["error"] == pytest.approx(
        0.059
    )


@pytest.mark.parametrize(
    ("images", "source", "fields"),
    [
        ({"dataset": "mnist", "split": "test"}, "softmax1", {}),
        ({"dataset": "mnist:P1:0", "split": "train"}, "softmax1", {}),
        ({"dataset": "digits", "split": "train"}, "softmax1", {}),
        ({"dataset": "mnist", "split": "train"}, None, {}),
        ({"dataset": "mnist", "split": "train"}, "softmax1", {"method": {"name": "gaussian_noise"}}),
    ],
)
def test_other_images_and_attacks_have_no_printed_number(
    images: dict[str, Any], source: str | None, fields: dict[str, Any]
) -> None:
    assert paper(images, 1, source, "softmax1", sources=["a"], **fields) is None
