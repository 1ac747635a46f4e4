"""What a spectral job promises: true bounds, a radius that no attack enters, one answer however it is cut."""

import json
from typing import Any

import numpy as np
import pytest

from blindspots.errors import InvalidInput
from blindspots.experiments.spectral import Spectral
from blindspots.zoo import datasets
from in_memory import DIGITS, Finished, Laboratory, train_on_digits


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    laboratory = Laboratory(datasets.find())
    train_on_digits(laboratory, "softmax")
    train_on_digits(laboratory, "mlp", widths=[16, 12])
    train_on_digits(laboratory, "conv", filters=6, hidden=20, dropout=0.0)
    return laboratory


def spectral(network: str, **fields: Any) -> Spectral:
    document = {"kind": "spectral", "model": f"digits-{network}", "images": {**DIGITS, "count": 30}, **fields}
    return Spectral.model_validate_json(json.dumps(document))


@pytest.fixture(scope="module")
def attacked(laboratory: Laboratory) -> dict[str, Finished]:
    return {
        network: laboratory.run(spectral(network, measured="attack"))
        for network in ("softmax", "mlp", "conv")
    }


def weight(laboratory: Laboratory, network: str, name: str) -> np.ndarray:
    facts = laboratory.model(f"digits-{network}", field="model")
    return np.asarray(laboratory.weights[facts.id][name], np.float64)


@pytest.mark.parametrize("network", ["softmax", "mlp", "conv"])
def test_nothing_measured_exceeds_the_bound(network: str, attacked: dict[str, Finished]) -> None:
    outcome = attacked[network]
    summary: Any = outcome.result.summary
    measured = summary["measured"]
    assert 0 < measured["gain_max"] <= summary["bound"] * (1 + 1e-6)
    grown = outcome.result.array("amplification")
    changed = np.isfinite(grown).all(axis=1)
    for number, line in enumerate(summary["layers"]):
        assert grown[changed, number].max() <= line["bound"] * (1 + 1e-5)
        assert line["lower"] <= line["upper"] <= line["lower"] * 1.002


@pytest.mark.parametrize("network", ["softmax", "mlp", "conv"])
def test_no_attack_enters_the_certified_radius(network: str, attacked: dict[str, Finished]) -> None:
    outcome = attacked[network]
    result: Any = outcome.result
    fooled = result.array("success") & (result.array("margin") > 0)
    assert fooled.sum() > 20
    assert (result.array("radius")[fooled] < result.array("l2")[fooled]).all()
    assert result.summary["measured"]["attack"]["nearer_than_radius"] == 0
    assert (result.array("radius")[result.array("margin") <= 0] == 0).all()


def test_the_gain_of_a_linear_network_is_its_norm(attacked: dict[str, Finished]) -> None:
    summary: Any = attacked["softmax"].result.summary
    assert summary["measured"]["gain_max"] == pytest.approx(summary["bound"], rel=1e-5)


def test_dense_layers_have_numpys_singular_values(
    laboratory: Laboratory, attacked: dict[str, Finished]
) -> None:
    outcome = attacked["mlp"]
    everything = outcome.spec.export_arrays(outcome)
    for number, name in enumerate(("hidden.0.weight", "hidden.1.weight", "output.weight")):
        expected = np.linalg.svd(weight(laboratory, "mlp", name), compute_uv=False)[::-1]
        assert np.allclose(everything[f"singular_values_{number}"], expected, rtol=1e-6, atol=1e-7)
        line: Any = outcome.result.summary["layers"][number]  # type: ignore[index]
        assert line["upper"] == pytest.approx(expected[-1], rel=1e-12)
        assert line["smallest"] == pytest.approx(expected[0], rel=1e-9)
    frame = [line["lower_frame_bound"] for line in _layers(outcome)]
    assert frame == [0.0, 0.0, 0.0], "each has fewer outputs than inputs"


def _layers(outcome: Finished) -> list[dict[str, Any]]:
    layers: Any = outcome.result.summary["layers"]
    return list(layers)


def test_sigmoids_count_a_quarter_and_the_products_multiply(attacked: dict[str, Finished]) -> None:
    summary: Any = attacked["mlp"].result.summary
    product = np.prod([line["upper"] for line in summary["layers"]])
    assert summary["product"] == pytest.approx(product)
    assert summary["bound"] == pytest.approx(product / 16)
    assert [factor["operation"] for factor in summary["factors"]] == ["sigmoid", "sigmoid"]


def test_a_convolution_is_described_and_counted(attacked: dict[str, Finished]) -> None:
    line = _layers(attacked["conv"])[0]
    assert (line["kernel"], line["stride"], line["padding"], line["groups"]) == ([5, 5], [1, 1], [0, 0], 1)
    assert line["values"] == line["grid"][0] * line["grid"][1] * 1, "one input map"
    assert line["padded_norm"] <= line["upper"]
    assert sum(line["histogram"]) == pytest.approx(1)


def test_cutting_the_work_up_changes_no_number(
    laboratory: Laboratory, attacked: dict[str, Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    from blindspots.experiments import spectral as kind
    from blindspots.experiments import spectral_run

    monkeypatch.setattr(kind, "SHARE_PRODUCTS", 1000)
    monkeypatch.setattr(spectral_run, "TILE_SIZES", 100)
    cut = laboratory.run(spectral("conv", measured="weights"))
    assert cut.part_count() > 3
    whole = _layers(attacked["conv"])
    for line, other in zip(_layers(cut), whole, strict=True):
        assert {**line, "amplification": None} == {**other, "amplification": None}


def test_any_grid_gives_bounds_of_the_same_norm(
    laboratory: Laboratory, attacked: dict[str, Finished]
) -> None:
    coarse = _layers(laboratory.run(spectral("conv", grid=3)))[0]
    fine = _layers(attacked["conv"])[0]
    assert coarse["values"] < fine["values"]
    assert coarse["lower"] <= fine["upper"]
    assert fine["lower"] <= coarse["upper"]


def test_the_attack_is_a_step_like_any_other(laboratory: Laboratory) -> None:
    asked = spectral("mlp", measured="attack", seed=5).resolve(laboratory)
    (step,) = asked.steps(laboratory)
    assert step.spec["kind"] == "attack"
    assert step.spec["seed"] == 5
    assert spectral("mlp", measured="gain").resolve(laboratory).steps(laboratory) == []


def test_images_of_another_size_are_refused_only_where_they_count(laboratory: Laboratory) -> None:
    images = {"source": "dataset", "dataset": "digits", "count": 10**6}
    assert spectral("mlp", images=images).resolve(laboratory).measured == "weights"
    with pytest.raises(InvalidInput) as refusal:
        spectral("mlp", images=images, measured="gain").resolve(laboratory)
    assert refusal.value.field == "images.count"


def test_a_job_is_cancelled_between_layers(laboratory: Laboratory) -> None:
    from blindspots.errors import Cancelled

    asked = spectral("conv").resolve(laboratory)
    (part,) = asked.plan(laboratory)
    with pytest.raises(Cancelled):
        asked.run(part, laboratory.context(cancel_when=lambda done: done > 0))
