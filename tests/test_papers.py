"""The tables of the paper agree with each other, and a model like one of theirs is known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from blindspots.zoo import papers


@pytest.mark.parametrize(
    ("table", "count"),
    [(papers.TABLE_2, 8), (papers.TABLE_4, 4), (papers.TABLE_4_AMPLIFIED, 4)],
    ids=lambda value: value.title if isinstance(value, papers.TransferTable) else "",
)
def test_a_model_is_always_fooled_by_its_own_examples(table: papers.TransferTable, count: int) -> None:
    assert len(table.rows) == count
    for row in table.rows:
        assert len(row.errors) == len(table.evaluated)
        assert all(0 <= error <= 100 for error in row.errors)
        if row.source in table.evaluated:
            assert row.errors[table.evaluated.index(row.source)] == 100


def test_the_tables_speak_of_the_same_models() -> None:
    distortion = {model.name: model.distortion for model in papers.TABLE_1}
    assert tuple(distortion) == papers.TABLE_2.evaluated
    rows = [row for row in papers.TABLE_2.rows if row.source != "gaussian_noise"]
    assert {row.source: row.distortion for row in rows} == distortion
    assert tuple(model.name for model in papers.TABLE_3) == papers.TABLE_4.evaluated


def model(network: str, dataset: str, penalties: list[float], **parameters: Any) -> SimpleNamespace:
    return SimpleNamespace(
        network=network, dataset=dataset, parameters=parameters, metrics={"penalties": penalties}
    )


SIGMOID = [1e-5, 1e-5, 1e-6]


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (model("softmax", "mnist", [1.0]), "softmax3"),
        (model("mlp", "mnist", SIGMOID, widths=[200, 200], activation="sigmoid"), "N200-200-10"),
        (model("autoencoder_softmax", "mnist", [1e-6], codes=400), "AE400-10"),
        (model("mlp", "mnist:P1:5", SIGMOID, widths=[100, 100]), "M1"),
        (model("mlp", "mnist:P1:0", SIGMOID, widths=[123, 456]), "M1'"),
        (model("mlp", "mnist:P2:0", SIGMOID, widths=[100, 100]), "M2"),
        (model("mlp", "mnist:P2:0", SIGMOID, widths=[123, 456]), None),
        (model("mlp", "mnist", [1e-5], widths=[100, 100]), None),
        (model("mlp", "mnist", SIGMOID, widths=[100, 100], activation="relu"), None),
        (model("softmax", "digits", [1.0]), None),
        (model("conv", "mnist", [0.0]), None),
    ],
)
def test_a_model_of_the_paper_is_known_by_what_it_is(found: SimpleNamespace, name: str | None) -> None:
    assert papers.identify(found) == name


def test_a_model_that_saw_only_some_images_is_none_of_the_paper() -> None:
    few = model("softmax", "mnist", [1.0])
    few.metrics["train_images"] = 1000
    assert papers.identify(few) is None


def test_the_product_of_the_printed_bounds_is_the_one_that_is_quoted() -> None:
    assert np.prod([layer.upper for layer in papers.TABLE_5]) == pytest.approx(5_612_006.4)
    assert np.prod([layer.later_upper for layer in papers.TABLE_5]) == pytest.approx(792_792)
