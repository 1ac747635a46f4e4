"""What a row of a units job tells: its direction as data, corrected tests, the opinion of another network."""

from typing import Any

import numpy as np
import pytest
import torch

from blindspots.errors import InvalidInput
from blindspots.zoo import architectures
from in_memory import Finished, Laboratory, digits_laboratory
from test_units import rows_of, units


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    return digits_laboratory()


@pytest.fixture(scope="module")
def finished(laboratory: Laboratory) -> Finished:
    return laboratory.run(units())


def test_a_row_gives_its_direction_as_data(finished: Finished) -> None:
    arrays = finished.spec.export_arrays(finished)
    for name in ("natural", "random", "pca"):
        row = int(rows_of(finished, name)[3])
        example = finished.spec.example(finished, row)
        assert example is not None
        facts = example.facts
        np.testing.assert_allclose(np.array(facts["direction"]), arrays["direction"][row])
        assert (facts["arm_name"], facts["seed"], facts["layer"]) == (
            name,
            0,
            finished.result.summary["layer"],
        )
        assert facts["image_index"] == arrays["image_index"][row].tolist()
    chance = finished.spec.example(finished, int(rows_of(finished, "random_images")[0]))
    assert chance is not None
    assert chance.facts["direction"] is None
    assert finished.spec.example(finished, len(arrays["index"])) is None


def test_p_values_are_corrected_for_all_tests_of_the_job(finished: Finished) -> None:
    tests: Any = finished.result.summary["tests"]
    least = min(tests, key=lambda test: float(test["p_value"]))
    assert least["p_holm"] == pytest.approx(min(1.0, least["p_value"] * len(tests)))
    assert all(test["p_holm"] >= test["p_value"] for test in tests)


def test_another_network_judges_whether_images_are_alike(laboratory: Laboratory) -> None:
    """By the plain formula, on the logits: a linear network has no hidden layer."""
    done = laboratory.run(units(judge="digits-softmax", arms=["natural", "random"]))
    facts = laboratory.model("digits-softmax", field="judge")
    network = architectures.load(facts, laboratory.weights[facts.id])
    pixels, _ = laboratory.pixels("digits", "test")
    for row in (0, 5, -1):
        shown = done.result.array("image_index")[row]
        codes = network(torch.from_numpy(pixels[shown].astype(np.float32) / 255)).double()
        cosines = torch.nn.functional.cosine_similarity(codes[:, None], codes[None], dim=2)
        expected = (cosines.sum() - len(shown)) / (len(shown) * (len(shown) - 1))
        assert done.result.array("likeness")[row] == pytest.approx(float(expected), abs=1e-5)
    tests: Any = done.result.summary["tests"]
    assert "likeness" in {test["score"] for test in tests}
    with pytest.raises(InvalidInput, match="does not judge its own"):
        units(judge="digits-mlp").resolve(laboratory)
