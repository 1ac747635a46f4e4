"""Which images an attack takes, and what it refuses."""

from typing import Any

import numpy as np
import pytest

from blindspots.errors import InvalidInput
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.selection import fit_image
from in_memory import DIGITS, Laboratory, attack, digits_laboratory


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """A softmax and a sigmoid network on the bundled digits."""
    return digits_laboratory()


def test_indices_come_in_the_order_given(laboratory: Laboratory) -> None:
    images = {"source": "indices", "dataset": "digits", "split": "train", "indices": [9, 3, 5]}
    outcome = laboratory.run(attack(images=images, method={"name": "exact_linear"}))
    assert outcome.result.array("index").tolist() == [9, 3, 5]
    assert outcome.result.array("label").tolist() == laboratory.labels("digits", "train")[[9, 3, 5]].tolist()


def test_only_the_chosen_classes_are_attacked(laboratory: Laboratory) -> None:
    images = {**DIGITS, "count": 20, "classes": [1, 7], "selection": "first"}
    outcome = laboratory.run(attack(images=images, method={"name": "gaussian_noise"}))
    assert set(outcome.result.array("label").tolist()) == {1, 7}
    assert (np.diff(outcome.result.array("index")) > 0).all()


def test_an_upload_without_a_label_takes_the_models_answer(laboratory: Laboratory) -> None:
    pixels, _ = laboratory.pixels("digits", "test")
    reference = laboratory.upload(np.array(pixels[4]))
    outcome = laboratory.run(
        attack(images={"source": "upload", "image": reference}, method={"name": "exact_linear"})
    )
    assert outcome.result.array("label") == outcome.result.array("prediction")
    assert not outcome.result.array("already_wrong")[0]
    assert outcome.result.array("reached") != outcome.result.array("label")
    example = outcome.spec.example(outcome, 0)
    assert example is not None
    assert np.array_equal(example.original, pixels[4] / np.float32(255))


def test_pictures_are_fitted_by_the_stated_rule() -> None:
    colour = np.zeros((3, 10, 30), np.uint8)
    colour[0, :, 10:20] = 200  # red in the middle third, which is what a square model sees
    grey = fit_image(colour, (1, 5, 5))
    assert grey.shape == (1, 5, 5)
    assert np.abs(grey.astype(int) - 0.299 * 200).max() < 2, (
        "the luma of red, and nothing from outside the square"
    )
    rgb = fit_image(np.full((1, 4, 4), 77, np.uint8), (3, 8, 8))
    assert (rgb == 77).all()
    assert rgb.shape == (3, 8, 8)
    same = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    assert np.array_equal(fit_image(same, (1, 8, 8)), same)


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"model": "no-such-model"}, "model"),
        ({"images": {**DIGITS, "dataset": "no-such-set"}}, "images.dataset"),
        ({"images": {**DIGITS, "count": 501}}, "images.count"),
        ({"images": {**DIGITS, "classes": [10]}}, "images.classes"),
        ({"images": {**DIGITS, "classes": [1], "count": 400}}, "images.count"),
        ({"images": {"source": "indices", "dataset": "digits", "indices": [500]}}, "images.indices"),
        ({"images": {"source": "indices", "dataset": "digits", "indices": [1, 1]}}, "images.indices"),
        ({"images": {"source": "upload", "image": "0" * 64}}, "images.image"),
        ({"method": {"name": "minimum_distortion", "target": "given"}}, "method.target_class"),
        ({"method": {"name": "minimum_distortion", "target_class": 3}}, "method.target_class"),
        (
            {"method": {"name": "minimum_distortion", "target": "given", "target_class": 10}},
            "method.target_class",
        ),
        (
            {
                "method": {"name": "minimum_distortion", "target": "given", "target_class": 1},
                "images": {**DIGITS, "classes": [1], "count": 3},
            },
            "method.target_class",
        ),
        (
            {
                "method": {
                    "name": "minimum_distortion", "mode": "nearest", "target": "given", "target_class": 1,
                }
            },
            "method.target",
        ),
        ({"method": {"name": "minimum_distortion", "polish": True, "norm": "l1"}}, "method.polish"),
        ({"model": "digits-mlp", "method": {"name": "exact_linear"}}, "method.name"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_field_named(
    laboratory: Laboratory, fields: dict[str, Any], blamed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        attack(**fields).resolve(laboratory)
    assert refusal.value.field == blamed
    assert refusal.value.message.endswith(".")


@pytest.mark.parametrize("count", [0, -1, 10**9, 1.5, True, "many", None])
def test_an_impossible_count_is_refused_at_the_door(count: object) -> None:
    with pytest.raises(ValueError, match=r"images\.dataset\.count"):
        attack(images={**DIGITS, "count": count})


def test_a_data_set_of_another_shape_is_refused(laboratory: Laboratory) -> None:
    model = laboratory.model("digits-softmax", field="model")
    other = ModelFacts(**{**vars(model), "id": "other", "name": "other", "input_shape": (1, 28, 28)})
    laboratory.models["other"] = other
    try:
        with pytest.raises(InvalidInput, match="28") as refusal:
            attack(model="other").resolve(laboratory)
    finally:
        del laboratory.models["other"]
    assert refusal.value.field == "images.dataset"
