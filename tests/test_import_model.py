"""A model that was trained elsewhere: what is asked of it, and what everybody is told of it."""

import json
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from blindspots import experiments
from blindspots.errors import InvalidInput
from blindspots.experiments.base import Spec
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Arrays
from blindspots.zoo import architectures, datasets
from in_memory import Finished, Laboratory, train_on_digits

ADAPTER: TypeAdapter[Spec] = TypeAdapter(experiments.Experiment)


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """The bundled digits, and a sigmoid network trained on them."""
    laboratory = Laboratory(datasets.find())
    train_on_digits(laboratory, "mlp", widths=[16])
    return laboratory


@pytest.fixture(scope="module")
def trained(laboratory: Laboratory) -> Arrays:
    """Its weights, as somebody else would bring them."""
    facts = laboratory.model("digits-mlp", field="model")
    return laboratory.weights[facts.id]


def parse(**changes: Any) -> Spec:
    document = {
        "kind": "import_model", "network": {"name": "mlp", "widths": [16]}, "dataset": "digits",
        "model_name": "brought", **changes,
    }  # fmt: skip
    return ADAPTER.validate_json(json.dumps(document))


def error_of(laboratory: Laboratory, facts: ModelFacts, weights: Arrays) -> float:
    """Share of the test digits that a model gets wrong."""
    import torch

    images, labels = laboratory.pixels("digits", "test")
    answers = architectures.load(facts, weights)(torch.from_numpy(images.astype(np.float32) / 255)).argmax(1)
    return float((answers.numpy() != labels).mean())


def added(laboratory: Laboratory, weights: Arrays, **changes: Any) -> Finished:
    return laboratory.run(parse(weights=laboratory.bring(weights), **changes))


def test_a_good_model_is_entered_with_what_was_measured(laboratory: Laboratory, trained: Arrays) -> None:
    done = added(laboratory, trained)
    found, model = done.result.summary, done.models[0]
    original = laboratory.model("digits-mlp", field="model")
    assert found["warnings"] == []
    assert found["test_error"] == pytest.approx(error_of(laboratory, original, trained))
    assert found["error_low"] <= found["test_error"] <= found["error_high"]
    assert (model.network, model.input_shape, model.class_names) == ("mlp", (1, 8, 8), tuple("0123456789"))
    assert model.weights_sha256 == original.weights_sha256
    assert model.metrics["gate"] == found["gate"]


def test_the_preprocessing_becomes_part_of_the_model(laboratory: Laboratory, trained: Arrays) -> None:
    """Trained on pixels 0 to 255 less a mean: given so, it is as good as the same network on 0 to 1."""
    mean, deviation = 40.0, 80.0
    first = trained["hidden.0.weight"] * (deviation / 255)
    shift = trained["hidden.0.weight"].sum(axis=1) * (mean / 255)
    theirs = {**trained, "hidden.0.weight": first, "hidden.0.bias": trained["hidden.0.bias"] + shift}
    right = {"pixels": "0 to 255", "mean": [mean], "deviation": [deviation]}
    good = added(laboratory, theirs, preprocessing=right).result.summary
    original = laboratory.model("digits-mlp", field="model")
    assert good["test_error"] == pytest.approx(error_of(laboratory, original, trained), abs=0.004)
    forgotten = added(laboratory, theirs).result.summary
    assert forgotten["test_error"] > good["test_error"]


def test_a_model_that_knows_nothing_is_taken_with_a_warning(laboratory: Laboratory, trained: Arrays) -> None:
    random = np.random.default_rng(0)
    noise = {name: random.normal(size=array.shape).astype(np.float32) for name, array in trained.items()}
    warnings = added(laboratory, noise).result.summary["warnings"]
    assert any("no better than always giving the commonest answer" in text for text in warnings)


def test_without_labelled_images_nobody_claims_to_know(laboratory: Laboratory, trained: Arrays) -> None:
    done = added(laboratory, trained, dataset=None, input_shape=[1, 8, 8])
    assert "test_error" not in done.result.summary
    assert any("not measured" in text for text in done.result.summary["warnings"])
    assert done.models[0].class_names == tuple("0123456789")


def test_what_was_brought_answers_as_before(laboratory: Laboratory, trained: Arrays) -> None:
    import torch

    done = added(laboratory, trained)
    laboratory.models[done.models[0].id] = done.models[0]
    facts = done.models[0]
    pixels = torch.rand((4, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    original = laboratory.model("digits-mlp", field="model")
    ours = architectures.load(facts, trained)(pixels)
    assert torch.equal(ours, architectures.load(original, trained)(pixels))


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"weights": "0" * 64}, "weights", "uploaded"),
    ({"network": {"name": "softmax"}}, "weights", "lacks output.weight|also holds hidden"),
    ({"network": {"name": "mlp", "widths": [17]}}, "weights", "is 16 × 64, not 17 × 64"),
    ({"network": {"name": "mlp", "widths": [16, 16]}}, "weights", "lacks"),
    ({"network": {"name": "onnx"}}, "network", "choose the one they are for"),
    ({"input_shape": [1, 9, 8]}, "weights", "Shapes do not fit"),
    ({"dataset": None}, "input_shape", "Give channels"),
    ({"dataset": "no-such-set"}, "dataset", "no-such-set"),
    ({"class_names": ["a", "b"]}, "weights", "number of classes"),
    ({"class_names": ["a"] * 10}, "class_names", "same name"),
    ({"preprocessing": {"mean": [0.1, 0.2]}}, "preprocessing.mean", "1 channels"),
    ({"preprocessing": {"deviation": [1.0, 1.0, 1.0]}}, "preprocessing.deviation", "one number for all"),
]


@pytest.mark.parametrize(
    ("changes", "field", "words"), BAD, ids=[f"{field} {words}" for _, field, words in BAD]
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    laboratory: Laboratory, trained: Arrays, changes: dict[str, Any], field: str, words: str
) -> None:
    spec = parse(**{"weights": laboratory.bring(trained), **changes})
    with pytest.raises(InvalidInput, match=words) as refused:
        spec.resolve(laboratory)
    assert refused.value.field == field


def test_numbers_that_overflow_are_refused_by_the_gate(laboratory: Laboratory, trained: Arrays) -> None:
    huge = {**trained, "output.weight": np.full_like(trained["output.weight"], 3e38)}
    with pytest.raises(InvalidInput, match="not finite"):
        added(laboratory, huge)
