"""What a user of the attack may rely on: its numbers, its repetition, what it keeps."""

import numpy as np
import pytest

from blindspots.errors import Cancelled
from blindspots.experiments.examples import ExampleQuery
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.panel import panel_examples, panel_rows
from in_memory import DIGITS, Finished, Laboratory, attack, digits_laboratory


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """A softmax and a sigmoid network on the bundled digits."""
    return digits_laboratory()


@pytest.fixture(scope="module")
def finished(laboratory: Laboratory) -> Finished:
    """Forty digits, each turned into a random other class."""
    return laboratory.run(attack(images={**DIGITS, "count": 40}))


def columns(outcome: Finished) -> dict[str, np.ndarray]:
    return {name: outcome.result.array(name) for name in outcome.result.names}


def test_norms_and_answers_are_those_of_the_stored_image(finished: Finished, laboratory: Laboratory) -> None:
    import torch

    from blindspots.zoo import architectures

    model = laboratory.model("digits-softmax", field="model")
    network = architectures.load(model, laboratory.weights[model.id])
    found = columns(finished)
    pixels, labels = laboratory.pixels("digits", "test")
    for row in range(40):
        example = finished.spec.example(finished, row)
        assert example is not None
        assert example.adversarial is not None
        assert example.adversarial.dtype == np.float32
        assert example.adversarial.min() >= 0
        assert example.adversarial.max() <= 1
        original = pixels[found["index"][row]] / np.float32(255)
        assert np.array_equal(example.original, original)
        change = (example.adversarial.astype(np.float64) - original).ravel()
        assert found["rms"][row] == pytest.approx(np.sqrt(np.mean(change**2)), rel=1e-6)
        assert found["l2"][row] == pytest.approx(np.linalg.norm(change), rel=1e-6)
        assert found["l1"][row] == pytest.approx(np.abs(change).sum(), rel=1e-6)
        assert found["linf"][row] == pytest.approx(np.abs(change).max(), rel=1e-6)
        assert found["l0"][row] == np.count_nonzero(change)
        answer = int(network(torch.from_numpy(example.adversarial)[None])[0].argmax())
        assert found["reached"][row] == answer
        assert found["success"][row] == (answer == found["target"][row])
        assert found["label"][row] == labels[found["index"][row]]
        assert found["target"][row] != found["label"][row]


def test_exact_optimum_is_a_lower_bound_and_a_method_of_its_own(
    finished: Finished, laboratory: Laboratory
) -> None:
    found = columns(finished)
    assert (found["exact_rms"] <= found["rms"] * (1 + 1e-5)).all()
    method = {"name": "exact_linear", "target": "random"}
    exact = laboratory.run(attack(images={**DIGITS, "count": 40}, method=method))
    assert exact.result.summary["success_rate"] == 1.0
    assert np.array_equal(exact.result.array("target"), found["target"]), (
        "the same images get the same targets"
    )
    assert exact.result.array("rms") == pytest.approx(found["exact_rms"], rel=1e-4, abs=1e-6)


def test_nearest_optimum_is_never_longer_than_a_targeted_one(laboratory: Laboratory) -> None:
    images = {**DIGITS, "count": 30}
    nearest = laboratory.run(attack(images=images, method={"name": "exact_linear"}))
    given = {"name": "exact_linear", "target": "given", "target_class": 3}
    targeted = laboratory.run(attack(images={**images, "classes": [0, 1, 2]}, method=given))
    both = np.isin(nearest.result.array("index"), targeted.result.array("index"))
    assert (targeted.result.array("reached") == 3).all()
    shortest = dict(zip(nearest.result.array("index")[both], nearest.result.array("rms")[both], strict=True))
    for index, rms in zip(targeted.result.array("index"), targeted.result.array("rms"), strict=True):
        assert rms >= shortest.get(index, 0) - 1e-6


def test_summary_counts_every_image(finished: Finished) -> None:
    found, summary = columns(finished), dict(finished.result.summary)
    correct = ~found["already_wrong"]
    assert summary["images"] == 40
    assert summary["success_rate"] == found["success"].mean()
    assert summary["mean_distortion"] == pytest.approx(found["rms"].mean(dtype=np.float64))
    assert summary["median_distortion"] == pytest.approx(np.median(found["rms"]))
    assert summary["mean_distortion_correct"] == pytest.approx(found["rms"][correct].mean(dtype=np.float64))
    assert summary["accuracy_clean"] == correct.mean()
    assert summary["already_wrong"] == int((~correct).sum())
    assert summary["exact_mean_distortion"] == pytest.approx(found["exact_rms"].mean(dtype=np.float64))
    low, high = summary["success_rate_interval"]
    assert 0 < low <= summary["success_rate"] <= high <= 1


def test_one_target_for_all_counts_its_own_class_apart(laboratory: Laboratory) -> None:
    method = {"name": "minimum_distortion", "target": "given", "target_class": 3}
    outcome = laboratory.run(attack(images={**DIGITS, "count": 60}, method=method))
    found, summary = columns(outcome), dict(outcome.result.summary)
    assert (found["target"] == 3).all()
    own, wrong = found["label"] == 3, found["already_wrong"]
    attacked = ~own & ~wrong
    assert 0 < own.sum() < 20
    assert (found["rms"][own & ~wrong] == 0).all(), "an image of that class needs no change"
    assert (summary["of_target_class"], summary["attacked"]) == (own.sum(), attacked.sum())
    assert summary["attacked_successful"] == (attacked & found["success"]).sum()
    mean = found["rms"][attacked].mean(dtype=np.float64)
    assert summary["mean_distortion_attacked"] == pytest.approx(mean)
    assert mean > found["rms"].mean()

    rows = panel_rows(outcome.result, 5)
    assert len(rows) == 5
    assert (found["reached"][rows] == 3).all()
    assert (found["label"][rows] != 3).all()
    assert (found["prediction"][rows] == found["label"][rows]).all()
    shown = panel_examples(outcome, 5)
    assert [each.facts["index"] for each in shown] == rows.tolist()


def test_failures_stay_in_every_mean_and_have_a_reason(laboratory: Laboratory) -> None:
    noise = {"name": "gaussian_noise", "sigma": 0.05}
    outcome = laboratory.run(attack(images={**DIGITS, "count": 100}, method=noise))
    summary = outcome.result.summary
    assert summary["failed"] == 100 - summary["successful"] > 50
    assert sum(summary["failed_by_reason"].values()) == summary["failed"]
    assert summary["mean_distortion"] == pytest.approx(0.05, rel=0.05)
    page = outcome.spec.examples(outcome, ExampleQuery(success=False, limit=1))
    assert page.matching == summary["failed"]
    assert str(page.rows[0]["reason"]).endswith(".")


def test_noise_of_size_zero_finds_exactly_the_wrong_ones(laboratory: Laboratory) -> None:
    outcome = laboratory.run(
        attack(images={**DIGITS, "count": 200}, method={"name": "gaussian_noise", "sigma": 0.0})
    )
    assert outcome.result.summary["successful"] == outcome.result.summary["already_wrong"] > 0
    assert outcome.result.summary["mean_distortion"] == 0


# Blocks, seeds, repetition


def test_results_do_not_depend_on_the_blocks(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = attack(images={**DIGITS, "count": 300}, method={"name": "gaussian_noise", "sigma": 0.2})
    one = laboratory.run(whole)
    monkeypatch.setattr("blindspots.experiments.attack.PART_SECONDS", 1e-9)
    monkeypatch.setattr("blindspots.experiments.attack.SMALL_BLOCK", 128)
    many = laboratory.run(whole)
    assert len(one.parts) == 1
    assert len(many.parts) == 3
    assert [len(part.array("index")) for part in many.parts] == [128, 128, 44]
    one_table, many_table = one.spec.table(one), many.spec.table(many)
    for name, column in one_table.items():
        assert np.array_equal(column, many_table[name]), name
    pixels = one.spec.export_arrays(one)["adversarial"]
    assert np.array_equal(pixels, many.spec.export_arrays(many)["adversarial"])
    assert many.result.array("part")[200] == 1
    assert many.result.array("row")[200] == 72


def test_a_larger_random_sample_begins_with_the_smaller(laboratory: Laboratory) -> None:
    noise = {"name": "gaussian_noise", "sigma": 0.2}
    small = laboratory.run(attack(method=noise, images={**DIGITS, "count": 20}, seed=5))
    large = laboratory.run(attack(method=noise, images={**DIGITS, "count": 50}, seed=5))
    assert np.array_equal(small.result.array("rms"), large.result.array("rms")[:20])
    other = laboratory.run(attack(method=noise, images={**DIGITS, "count": 20}, seed=6))
    assert not np.array_equal(small.result.array("index"), other.result.array("index"))


def test_cancelling_stops_within_the_images(laboratory: Laboratory) -> None:
    whole = attack(images={**DIGITS, "count": 400}, method={"name": "exact_linear"}).resolve(laboratory)
    context = laboratory.context(cancel_when=lambda done: done >= 64)
    with pytest.raises(Cancelled):
        whole.run(whole.plan(laboratory)[0], context)
    assert context.reports[-1][:2] == (64, 400)
    assert context.reports[-1][2] == "64 of 400 images attacked"


def test_parts_are_blocks_of_full_tiles_sized_by_the_network(laboratory: Laboratory) -> None:
    class Large(Laboratory):
        """A catalog that says that MNIST and AlexNet-sized models are there; nothing runs."""

        def model(self, reference: str, *, field: str) -> ModelFacts:
            small = super().model("digits-softmax", field=field)
            size = {"mlp": 89_400, "conv": 1_100_000, "alexnet": 700_000_000}[reference]
            return ModelFacts(**{**vars(small), "id": reference, "multiply_adds": size, "linear": False})

    catalog = Large(laboratory.datasets)
    catalog.models, catalog.weights = laboratory.models, laboratory.weights
    sizes = {}
    for name in ("mlp", "conv", "alexnet"):
        parts = attack(model=name, images={**DIGITS, "count": 60_000}).plan(catalog)
        units = [part.units for part in parts]
        assert sum(units) == 60_000
        assert all(size % (8 if name == "alexnet" else 128) == 0 for size in units[:-1])
        assert parts[0].label == f"images 0–{units[0] - 1}"
        sizes[name] = units[0]
    assert sizes["mlp"] > sizes["conv"] > sizes["alexnet"] == 8


# What is kept


@pytest.mark.parametrize(("keep", "stored"), [("all", 30), ("sample", 7), ("statistics", 0)])
def test_kept_images_are_those_asked_for(laboratory: Laboratory, keep: str, stored: int) -> None:
    chosen = attack(
        images={**DIGITS, "count": 30}, method={"name": "gaussian_noise"}, keep=keep, keep_count=7
    )
    outcome = laboratory.run(chosen)
    kept = outcome.result.array("kept")
    assert kept.sum() == stored
    assert outcome.parts[0].array("adversarial").shape == (stored, 1, 8, 8)
    for row in range(30):
        example = outcome.spec.example(outcome, row)
        assert example is not None
        assert (example.adversarial is not None) == kept[row]
        if example.adversarial is not None:
            change = np.sqrt(np.mean((example.adversarial.astype(np.float64) - example.original) ** 2))
            assert change == pytest.approx(outcome.result.array("rms")[row], rel=1e-5)
    exported = outcome.spec.export_arrays(outcome)
    assert np.array_equal(exported["adversarial_rows"], np.flatnonzero(kept))
    assert len(outcome.spec.table(outcome)["rms"]) == 30


def test_the_estimate_of_what_is_kept_is_near_the_truth(laboratory: Laboratory) -> None:
    for keep in ("all", "statistics"):
        outcome = laboratory.run(attack(images={**DIGITS, "count": 400}, keep=keep))
        planned = sum(part.bytes_kept for part in outcome.spec.plan(laboratory))
        stored = len(outcome.result.bytes) + sum(len(part.bytes) for part in outcome.parts)
        constant = 2e5  # histograms of the trace, headers: the same for any number of images
        assert planned / 2 < stored < 2 * planned + constant
