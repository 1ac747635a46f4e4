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


# Networks with random weights


def untrained(variant: str, **fields: Any) -> Spectral:
    network = {"name": "alexnet", "variant": variant, "width_share": 0.05}
    document = {
        "kind": "spectral",
        "weights": "random",
        "untrained": {"network": network, "side": 67, "classes": 4},
        **fields,
    }
    return Spectral.model_validate_json(json.dumps(document))


@pytest.mark.parametrize("variant", ["one_column", "two_columns", "torchvision"])
def test_alexnet_with_random_weights(laboratory: Laboratory, variant: str) -> None:
    outcome = laboratory.run(untrained(variant))
    lines = _layers(outcome)
    summary: Any = outcome.result.summary
    module = outcome.spec.untrained.build(0)  # type: ignore[attr-defined]
    weights = [value.numpy() for name, value in module.state_dict().items() if name.endswith("weight")]
    assert [tuple(line["size"]) for line in lines] == [each.shape for each in weights]
    for line, each in list(zip(lines, weights, strict=True))[5:]:
        assert line["upper"] == pytest.approx(np.linalg.norm(each.astype(np.float64), 2), rel=1e-9)
    assert [line["groups"] for line in lines[:5]] == (
        [1, 2, 1, 2, 2] if variant == "two_columns" else [1] * 5
    )
    first = lines[0]["prefactors"]
    assert first["none"] == pytest.approx(4 * first["right"]) == pytest.approx(16 * first["twice"])
    pools = [each["factor"] for each in summary["factors"] if each["operation"] == "maxpool2d"]
    assert pools == [2.0, 2.0, 2.0], "windows of 3 that are 2 apart overlap"
    normalised = [each for each in summary["factors"] if each["operation"] == "localresponsenorm"]
    assert len(normalised) == (0 if variant == "torchvision" else 2)
    assert summary["bound"] >= 8 * summary["product"]
    assert "random weights (seed 0)" in summary["weights"]
    assert not summary["reference"]["compared"], "a narrow one has other sizes than table 5"


def test_the_seed_draws_the_weights(laboratory: Laboratory) -> None:
    first, again, other = (laboratory.run(untrained("one_column", seed=seed)) for seed in (0, 0, 1))
    assert _layers(first) == _layers(again)
    assert _layers(first) != _layers(other)


@pytest.mark.parametrize("preset", Spectral.presets, ids=lambda preset: str(preset["title"]))
def test_what_is_offered_to_start_from_can_be_submitted(laboratory: Laboratory, preset: Any) -> None:
    asked = Spectral.model_validate_json(json.dumps(preset)).resolve(laboratory)
    assert 2 <= len(asked.plan(laboratory)) <= 8
    assert asked.inputs(laboratory) == []


def test_the_sizes_of_table_5_are_recognised() -> None:
    from blindspots.experiments.spectral_merge import _reference
    from blindspots.science.spectrum.layers import Layer
    from blindspots.zoo.alexnet import AlexNet

    def compared(variant: Any) -> bool:
        shapes = AlexNet(variant=variant).weight_shapes((3, 227, 227), 1000)
        found = [
            Layer(name, "convolution", np.broadcast_to(np.float32(0), shape), (1,), (1,),
                  groups=2 if variant == "two_columns" and name[:5] in ("conv2", "conv4", "conv5") else 1)
            for name, shape in shapes.items() if name.endswith("weight")
        ]  # fmt: skip
        return bool(_reference(found)["compared"])

    assert compared("one_column")
    assert compared("two_columns"), "beside it stands the same layer, cut in two"
    assert not compared("torchvision")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"weights": "random", "measured": "gain"}, "measured"),
        ({"weights": "random", "measured": "attack"}, "measured"),
        ({"weights": "trained"}, "model"),
        ({"weights": "random", "untrained": {"side": 40}}, "untrained.network.variant"),
        ({"weights": "random", "untrained": {"network": {"name": "alexnet", "mean": [0.1, 0.2]}}},
         "untrained.network.variant"),
        ({"weights": "random", "untrained": {"network": {"name": "alexnet", "width_share": 3.0}}},
         "untrained.network"),
    ],
)  # fmt: skip
def test_networks_that_cannot_be_made_are_refused(
    laboratory: Laboratory, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Spectral.model_validate_json(json.dumps({"kind": "spectral", **fields})).resolve(laboratory)
    assert refusal.value.field == field
