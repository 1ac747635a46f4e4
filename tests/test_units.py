"""Units jobs: what they promise of rows, arms and tests, and what they refuse."""

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Part, Result
from blindspots.experiments.examples import ExampleQuery
from blindspots.experiments.units import Units
from blindspots.experiments.units_arms import ARMS
from blindspots.experiments.units_summary import NEGLIGIBLE, compare, conclude
from blindspots.zoo import architectures
from blindspots.zoo.layers import layers_of
from in_memory import DIGITS, Finished, Laboratory, MemoryResult, digits_laboratory, train_on_digits

COUNT = 200


def units(**fields: Any) -> Units:
    spec = {
        "kind": "units", "model": "digits-mlp", "images": {**DIGITS, "count": COUNT},
        "arms": list(ARMS), "k": 5, **fields,
    }  # fmt: skip
    return Units.model_validate_json(json.dumps(spec))


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    return digits_laboratory()


@pytest.fixture(scope="module")
def finished(laboratory: Laboratory) -> Finished:
    return laboratory.run(units(rotation_steps=1))


def rows_of(outcome: Finished, name: str) -> np.ndarray:
    arms: Any = outcome.result.summary["arms"]
    place = [arm["arm"] for arm in arms].index(name)
    return np.flatnonzero(outcome.result.array("arm") == place)


def hidden_codes(laboratory: Laboratory, spec: Units) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of the last hidden layer by the plain formula, and index and label of each image."""
    facts = laboratory.model("digits-mlp", field="model")
    network: Any = architectures.load(facts, laboratory.weights[facts.id])
    chosen = spec.images.load(laboratory.context(), slice(0, COUNT), seed=spec.seed, shape=facts.input_shape)
    codes = torch.from_numpy(chosen.images.astype(np.float32) / 255).flatten(1)
    for layer in network.hidden:
        codes = torch.sigmoid(layer(codes))
    return codes.numpy().astype(np.float64), chosen.index, chosen.label


def test_rows_are_the_images_of_largest_projection(laboratory: Laboratory, finished: Finished) -> None:
    codes, index, labels = hidden_codes(laboratory, finished.spec)  # type: ignore[arg-type]
    arrays = finished.spec.export_arrays(finished)
    assert [arm["directions"] for arm in finished.result.summary["arms"][:2]] == [32, 32]  # type: ignore
    for name in ("natural", "rotation 0.500", "random", "pca", "ica"):
        for row in rows_of(finished, name):
            scores = codes @ arrays["direction"][row]
            np.testing.assert_allclose(arrays["score"][row], -np.sort(-scores)[:5], rtol=1e-4, atol=1e-5)
            top = np.array([np.flatnonzero(index == image)[0] for image in arrays["image_index"][row]])
            np.testing.assert_allclose(scores[top], -np.sort(-scores)[:5], rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(arrays["top_label"][row], labels[top])
            share = np.bincount(labels[top], minlength=10).max() / 5
            assert arrays["purity"][row] == pytest.approx(share)
            means = [scores[labels == label].mean() for label in range(10)]
            np.testing.assert_allclose(arrays["class_mean"][row], means, rtol=1e-3, atol=1e-4)


def test_directions_of_an_arm_are_what_it_says(finished: Finished) -> None:
    arrays = finished.spec.export_arrays(finished)
    natural = arrays["direction"][rows_of(finished, "natural")]
    np.testing.assert_array_equal(np.sort(natural.argmax(axis=1)), np.arange(32))
    np.testing.assert_array_equal(natural.argmax(axis=1), arrays["unit"][rows_of(finished, "natural")])
    for name in ("natural", "random", "rotation 0.500", "pca"):
        columns = arrays["direction"][rows_of(finished, name)]
        np.testing.assert_allclose(columns @ columns.T, np.eye(len(columns)), atol=1e-5)
    half, whole = (arrays["direction"][rows_of(finished, name)] for name in ("rotation 0.500", "random"))
    assert (np.abs(half * natural).sum(axis=1)).mean() > (np.abs(whole * natural).sum(axis=1)).mean()


def test_random_images_are_no_purer_than_chance(laboratory: Laboratory) -> None:
    outcome = laboratory.run(
        units(arms=["natural", "random_images"], units=32, images={**DIGITS, "count": 400})
    )
    rows = rows_of(outcome, "random_images")
    tops = outcome.result.array("image_index")[rows]
    assert all(len(set(row)) == 5 for row in tops.tolist())
    assert outcome.result.array("purity")[rows].mean() < 0.5
    assert outcome.result.array("purity")[rows_of(outcome, "natural")].mean() > 0.5


def blocks(spec: Units, laboratory: Laboratory, size: int) -> MemoryResult:
    """The merged result of the same job, cut into blocks of that many images."""
    results = []
    for part in spec.plan(laboratory):
        for start in range(0, COUNT, size):
            cut = {**part.parameters, "start": start, "stop": min(start + size, COUNT)}
            results.append(spec.run(Part("", cut), laboratory.context()))
    return MemoryResult(spec.merge(laboratory.context(parts=[MemoryResult(each) for each in results])))


@pytest.mark.parametrize("whiten", [False, True])
def test_how_a_job_is_cut_up_changes_nothing(laboratory: Laboratory, whiten: bool) -> None:
    spec = units(whiten=whiten, arms=["natural", "random", "pca", "untrained"]).resolve(laboratory)
    whole, cut = blocks(spec, laboratory, COUNT), blocks(spec, laboratory, 70)
    for name in ("image_index", "top_label", "purity", "unit"):
        np.testing.assert_array_equal(whole.array(name), cut.array(name))
    np.testing.assert_allclose(whole.array("class_mean"), cut.array("class_mean"), rtol=1e-4, atol=1e-4)


def test_centring_shifts_scores_and_changes_no_row(laboratory: Laboratory) -> None:
    plain, centred = (
        laboratory.run(units(centre=centre, arms=["natural", "random"])).result for centre in (False, True)
    )
    assert np.abs(plain.array("mean")).max() > 0.1
    np.testing.assert_allclose(centred.array("mean"), 0, atol=1e-4)
    np.testing.assert_array_equal(plain.array("image_index"), centred.array("image_index"))


def test_the_same_seed_gives_the_same_directions_and_another_gives_others(laboratory: Laboratory) -> None:
    fixed = {**DIGITS, "count": COUNT, "selection": "first"}

    def run(seed: int) -> Result:
        spec = units(seed=seed, images=fixed).resolve(laboratory)
        return spec.run(spec.plan(laboratory)[0], laboratory.context())

    first, again, other = run(0), run(0), run(1)
    assert MemoryResult(first).bytes == MemoryResult(again).bytes
    random = slice(32, 64)
    assert not np.allclose(first.arrays["direction"][random], other.arrays["direction"][random])


def test_every_layer_of_every_network_can_be_looked_at() -> None:
    laboratory = Laboratory(digits_laboratory().datasets)
    for network, parameters in (
        ("softmax", {}), ("mlp", {"widths": [6]}), ("autoencoder_softmax", {"codes": 9}),
        ("conv", {"filters": 4, "kernel": 3, "hidden": 12, "dropout": 0.0}),
    ):  # fmt: skip
        facts = train_on_digits(laboratory, network, iterations=2, **parameters)
        for layer in layers_of(network, facts.parameters, facts.input_shape, 10):
            spec = units(model=facts.name, layer=layer.name, arms=["natural", "untrained"], spatial="mean")
            outcome = laboratory.run(spec)
            assert outcome.result.summary["width"] == layer.units
            module: Any = architectures.load(facts, laboratory.weights[facts.id])
            from blindspots.science.activations import activations

            shape = activations(
                module, torch.zeros(1, *facts.input_shape), layer.module, call=layer.call
            ).shape
            assert tuple(shape[1:]) == layer.shape


@pytest.mark.parametrize(
    ("fields", "blamed", "said"),
    [
        ({"layer": "hidden 3"}, "layer", r"It has: hidden 1 sums \(32\), hidden 1 \(32\)"),
        ({"k": 8, "images": {**DIGITS, "count": 4}}, "k", "there are 4"),
        ({"arms": ["natural", "natural"]}, "arms", "named twice"),
        ({"arms": ["random_images"]}, "arms", "add an arm"),
        ({"arms": ["natural", "pca"], "rotation_steps": 2}, "rotation_steps", "choose both arms"),
        ({"images": {**DIGITS, "count": 10**6}}, "images.count", "holds"),
        ({"images": {**DIGITS, "dataset": "nowhere"}}, "images.dataset", "nowhere"),
    ],
)
def test_bad_input_is_named(laboratory: Laboratory, fields: dict[str, Any], blamed: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refusal:
        units(**fields).resolve(laboratory)
    assert refusal.value.field == blamed


def test_wide_layers_are_refused_where_they_would_take_hours(laboratory: Laboratory) -> None:
    wide = Laboratory(laboratory.datasets)
    train_on_digits(wide, "mlp", iterations=1, widths=[5000])
    for fields, blamed in (
        ({"arms": ["natural", "pca"]}, "arms"),
        ({"arms": ["natural"], "whiten": True}, "whiten"),
        ({"arms": ["natural", "random"], "rotation_steps": 1}, "rotation_steps"),
    ):
        with pytest.raises(InvalidInput, match="5000 units") as refusal:
            units(**fields).resolve(wide)
        assert refusal.value.field == blamed
    outcome = wide.run(units(arms=["natural", "random"], units=20))
    columns = outcome.spec.export_arrays(outcome)["direction"][rows_of(outcome, "random")]
    np.testing.assert_allclose(columns @ columns.T, np.eye(20), atol=1e-5)


def test_an_arm_is_read_by_its_number(finished: Finished) -> None:
    page = finished.spec.examples(finished, ExampleQuery(row=1, limit=3))
    assert page.matching == 32
    assert {row["arm_name"] for row in page.rows} == {"rotation 0.500"}
    assert page.rows[0]["index"] == 32
    with pytest.raises(InvalidInput) as refusal:
        finished.spec.examples(finished, ExampleQuery(row=99))
    assert refusal.value.field == "row"


def test_the_verdict_follows_its_rule() -> None:
    generator = np.random.default_rng(0)
    sample = generator.standard_normal(400)
    assert compare(sample + 1, sample)["verdict"] == "higher"
    assert compare(sample - 1, sample)["verdict"] == "lower"
    assert compare(sample, sample)["verdict"] == "no detectable difference"
    assert compare(np.array([1.0, 3, 5]), np.array([2.0, 4, 6]))["verdict"] == "undecided"
    same = compare(sample, sample)
    assert -NEGLIGIBLE <= same["low"] <= same["high"] <= NEGLIGIBLE

    def words(purity: dict[str, Any], coherence: dict[str, Any]) -> str:
        pair = {"a": "natural", "b": "random"}
        return conclude([{**pair, "score": "purity", **purity}, {**pair, "score": "coherence", **coherence}])[
            0
        ]

    higher, lower = compare(sample + 1, sample), compare(sample - 1, sample)
    assert words(same, same) == "agrees"
    assert words(higher, same) == "contradicts"
    assert words(higher, lower) == "mixed"
    assert words(same, lower) == "below"
    assert conclude([])[0] == "not tested"


def test_memory_does_not_grow_with_the_images(laboratory: Laboratory) -> None:
    facts = laboratory.model("digits-softmax", field="model")

    class Endless:
        """Blocks of the same images, and what is still held of them."""

        device = "cpu"

        def __init__(self) -> None:
            self.pixels = np.zeros((200_000, *facts.input_shape), np.uint8)
            self.labels = np.arange(200_000) % 10

        def model(self, _: str) -> Any:
            return facts, laboratory.weights[facts.id]

        def dataset(self, _: str, __: str) -> Any:
            return self.pixels, self.labels

        def progress(self, *_: Any) -> None: ...

        def check_cancelled(self) -> None: ...

    def peak(count: int) -> int:
        images = {**DIGITS, "count": count, "selection": "first"}
        spec = units(model=facts.name, images=images, arms=["natural", "random"])
        tracemalloc.start()
        try:
            spec.run(Part("", {"untrained": False, "start": 0, "stop": count}), endless)  # type: ignore[arg-type]
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    endless = Endless()
    peak(5_000)
    assert peak(200_000) - peak(20_000) < 50 * 180_000, "a few numbers of each image, never its pixels"
