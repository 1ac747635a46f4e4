"""What a user of the attack may rely on: the numbers, the selection of images, refusals, the gallery, the
pictures."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from blindspots.errors import Cancelled, InvalidInput
from blindspots.experiments.attack import Attack
from blindspots.experiments.base import Example, ExampleQuery, ModelFacts
from blindspots.experiments.selection import fit_image
from blindspots.experiments.triptych import triptych_figure, triptych_png
from blindspots.zoo import datasets
from in_memory import Finished, Laboratory, MemoryResult, train_on_digits

DIGITS = {"source": "dataset", "dataset": "digits", "split": "test"}


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """A softmax and a sigmoid network on the bundled digits."""
    laboratory = Laboratory(datasets.find())
    train_on_digits(laboratory, "softmax")
    train_on_digits(laboratory, "mlp", widths=[32, 32])
    return laboratory


@pytest.fixture(scope="module")
def finished(laboratory: Laboratory) -> Finished:
    """Forty digits of the softmax network, each turned into a random other class."""
    return laboratory.run(spec(images={**DIGITS, "count": 40}))


def spec(**fields: Any) -> Attack:
    defaults = {"kind": "attack", "model": "digits-softmax", "images": {**DIGITS, "count": 12}}
    return Attack.model_validate_json(json.dumps({**defaults, **fields}))


def columns(outcome: Finished) -> dict[str, np.ndarray]:
    return {name: outcome.result.array(name) for name in outcome.result.names}


# The numbers


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
    exact = laboratory.run(spec(images={**DIGITS, "count": 40}, method=method))
    assert exact.result.summary["success_rate"] == 1.0
    assert np.array_equal(exact.result.array("target"), found["target"]), (
        "the same images get the same targets"
    )
    assert exact.result.array("rms") == pytest.approx(found["exact_rms"], rel=1e-4, abs=1e-6)


def test_nearest_optimum_is_never_longer_than_a_targeted_one(laboratory: Laboratory) -> None:
    images = {**DIGITS, "count": 30}
    nearest = laboratory.run(spec(images=images, method={"name": "exact_linear"}))
    given = {"name": "exact_linear", "target": "given", "target_class": 3}
    targeted = laboratory.run(spec(images={**images, "classes": [0, 1, 2]}, method=given))
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


def test_failures_stay_in_every_mean_and_have_a_reason(laboratory: Laboratory) -> None:
    noise = {"name": "gaussian_noise", "sigma": 0.05}
    outcome = laboratory.run(spec(images={**DIGITS, "count": 100}, method=noise))
    summary = outcome.result.summary
    assert summary["failed"] == 100 - summary["successful"] > 50
    assert sum(summary["failed_by_reason"].values()) == summary["failed"]
    assert summary["mean_distortion"] == pytest.approx(0.05, rel=0.05)
    page = outcome.spec.examples(outcome, ExampleQuery(success=False, limit=1))
    assert page.matching == summary["failed"]
    assert str(page.rows[0]["reason"]).endswith(".")


def test_noise_of_size_zero_finds_exactly_the_wrong_ones(laboratory: Laboratory) -> None:
    outcome = laboratory.run(
        spec(images={**DIGITS, "count": 200}, method={"name": "gaussian_noise", "sigma": 0.0})
    )
    assert outcome.result.summary["successful"] == outcome.result.summary["already_wrong"] > 0
    assert outcome.result.summary["mean_distortion"] == 0


# Blocks, seeds, repetition


def test_results_do_not_depend_on_the_blocks(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = spec(images={**DIGITS, "count": 300}, method={"name": "gaussian_noise", "sigma": 0.2})
    one = laboratory.run(whole)
    monkeypatch.setattr("blindspots.experiments.attack.PART_SECONDS", 1e-9)
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
    small = laboratory.run(spec(method=noise, images={**DIGITS, "count": 20}, seed=5))
    large = laboratory.run(spec(method=noise, images={**DIGITS, "count": 50}, seed=5))
    assert np.array_equal(small.result.array("rms"), large.result.array("rms")[:20])
    other = laboratory.run(spec(method=noise, images={**DIGITS, "count": 20}, seed=6))
    assert not np.array_equal(small.result.array("index"), other.result.array("index"))


def test_cancelling_stops_within_the_images(laboratory: Laboratory) -> None:
    whole = spec(images={**DIGITS, "count": 400}, method={"name": "exact_linear"}).resolve(laboratory)
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
        parts = spec(model=name, images={**DIGITS, "count": 60_000}).plan(catalog)
        units = [part.units for part in parts]
        assert sum(units) == 60_000
        assert all(size % 128 == 0 for size in units[:-1])
        assert parts[0].label == f"images 0–{units[0] - 1}"
        sizes[name] = units[0]
    assert sizes["mlp"] > sizes["conv"] > sizes["alexnet"] == 128


# What is kept


@pytest.mark.parametrize(("keep", "stored"), [("all", 30), ("sample", 7), ("statistics", 0)])
def test_kept_images_are_those_asked_for(laboratory: Laboratory, keep: str, stored: int) -> None:
    chosen = spec(images={**DIGITS, "count": 30}, method={"name": "gaussian_noise"}, keep=keep, keep_count=7)
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
        outcome = laboratory.run(spec(images={**DIGITS, "count": 400}, keep=keep))
        planned = sum(part.bytes_kept for part in outcome.spec.plan(laboratory))
        stored = len(outcome.result.bytes) + sum(len(part.bytes) for part in outcome.parts)
        constant = 2e5  # histograms of the trace, headers: the same for any number of images
        assert planned / 2 < stored < 2 * planned + constant


# Selection


def test_indices_come_in_the_order_given(laboratory: Laboratory) -> None:
    images = {"source": "indices", "dataset": "digits", "split": "train", "indices": [9, 3, 5]}
    outcome = laboratory.run(spec(images=images, method={"name": "exact_linear"}))
    assert outcome.result.array("index").tolist() == [9, 3, 5]
    assert outcome.result.array("label").tolist() == laboratory.labels("digits", "train")[[9, 3, 5]].tolist()


def test_only_the_chosen_classes_are_attacked(laboratory: Laboratory) -> None:
    images = {**DIGITS, "count": 20, "classes": [1, 7], "selection": "first"}
    outcome = laboratory.run(spec(images=images, method={"name": "gaussian_noise"}))
    assert set(outcome.result.array("label").tolist()) == {1, 7}
    assert (np.diff(outcome.result.array("index")) > 0).all()


def test_an_upload_without_a_label_takes_the_models_answer(laboratory: Laboratory) -> None:
    pixels, _ = laboratory.pixels("digits", "test")
    reference = laboratory.upload(np.array(pixels[4]))
    outcome = laboratory.run(
        spec(images={"source": "upload", "image": reference}, method={"name": "exact_linear"})
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
        ({"model": "digits-mlp", "method": {"name": "exact_linear"}}, "method.name"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_field_named(
    laboratory: Laboratory, fields: dict[str, Any], blamed: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        spec(**fields).resolve(laboratory)
    assert refusal.value.field == blamed
    assert refusal.value.message.endswith(".")


@pytest.mark.parametrize("count", [0, -1, 10**9, 1.5, True, "many", None])
def test_an_impossible_count_is_refused_at_the_door(count: object) -> None:
    with pytest.raises(ValueError, match=r"images\.dataset\.count"):
        spec(images={**DIGITS, "count": count})


def test_a_data_set_of_another_shape_is_refused(laboratory: Laboratory) -> None:
    model = laboratory.model("digits-softmax", field="model")
    other = ModelFacts(**{**vars(model), "id": "other", "name": "other", "input_shape": (1, 28, 28)})
    laboratory.models["other"] = other
    try:
        with pytest.raises(InvalidInput, match="28") as refusal:
            spec(model="other").resolve(laboratory)
    finally:
        del laboratory.models["other"]
    assert refusal.value.field == "images.dataset"


# The gallery


def test_the_gallery_sorts_and_filters(finished: Finished) -> None:
    found = columns(finished)
    query = ExampleQuery(sort="-distortion", limit=200)
    rows = finished.spec.examples(finished, query).rows
    assert [row["rms"] for row in rows] == sorted(found["rms"].tolist(), reverse=True)
    label = int(found["label"][0])
    page = finished.spec.examples(finished, ExampleQuery(true_class=label, success=True))
    expected = np.flatnonzero((found["label"] == label) & found["success"])
    assert [row["index"] for row in page.rows] == expected.tolist()
    assert (page.total, page.matching) == (40, len(expected))
    second = finished.spec.examples(finished, ExampleQuery(offset=10, limit=5))
    assert [row["index"] for row in second.rows] == [10, 11, 12, 13, 14]
    last = finished.spec.examples(finished, ExampleQuery(sort="-index", limit=1))
    assert last.rows[0]["index"] == 39
    nobody = finished.spec.examples(finished, ExampleQuery(offset=10**9))
    assert (nobody.matching, nobody.rows) == (40, [])


def test_records_are_json_and_no_row_is_no_record(finished: Finished) -> None:
    example = finished.spec.example(finished, 5)
    assert example is not None
    facts = json.loads(json.dumps(example.facts, allow_nan=False))
    assert len(facts["probabilities_before"]) == len(facts["class_names"]) == 10
    assert sum(facts["probabilities_after"]) == pytest.approx(1, rel=1e-5)
    assert {"l0", "l1", "l2", "linf", "rms", "forwards", "backwards", "weight", "trace"} <= facts.keys()
    for point in facts["trace"]:
        assert point.keys() == {"weight", "distortion", "loss", "success"}
    assert finished.spec.example(finished, 40) is None
    assert finished.spec.example(finished, -1) is None


class CountingResult(MemoryResult):
    """Remembers which rows were asked for."""

    def __init__(self, stored: MemoryResult) -> None:
        self.summary, self.bytes = stored.summary, stored.bytes
        self.asked: list[tuple[str, slice | None]] = []

    def array(self, name: str, rows: slice | None = None) -> np.ndarray:
        self.asked.append((name, rows))
        return super().array(name, rows)


def test_one_record_reads_only_its_own_rows_of_the_part(finished: Finished) -> None:
    part = CountingResult(finished.parts[0])
    outcome = Finished(finished.laboratory, finished.spec, finished.result, [part])
    assert finished.spec.example(outcome, 17) is not None
    for name, rows in part.asked:
        assert name == "kept_rows" or rows == slice(17, 18), name


# Pictures


def test_triptych_png_holds_three_panels_with_zero_at_mid_grey() -> None:
    original = np.zeros((1, 4, 5), np.float32)
    adversarial = original.copy()
    adversarial[0, 1, 2] = 0.5
    picture = Image.open(io.BytesIO(triptych_png(original, adversarial)))
    assert picture.size == (3 * 5 + 2, 4)
    pixels = np.asarray(picture.convert("RGBA"))
    assert pixels[0, 0].tolist() == [0, 0, 0, 255]
    assert pixels[0, 6].tolist() == [128, 128, 128, 255], "no change is mid-grey"
    assert pixels[1, 6 + 2].tolist() == [255, 240, 200, 255], "its own largest change ends the scale"
    assert pixels[1, 12 + 2].tolist() == [128, 128, 128, 255]
    assert (pixels[:, [5, 11], 3] == 0).all(), "the gaps are transparent"
    half = Image.open(io.BytesIO(triptych_png(original, adversarial, 0.5)))
    assert half.convert("RGB").getpixel((6 + 2, 1)) == (233, 133, 56), "0.5 × 0.5 is half the scale"


def test_colour_triptych_adds_the_magnified_change_to_mid_grey() -> None:
    original = np.full((3, 2, 2), 0.5, np.float32)
    adversarial = original.copy()
    adversarial[0, 0, 0] += 0.02
    adversarial[2, 0, 0] -= 0.5
    picture = Image.open(io.BytesIO(triptych_png(original, adversarial, 10)))
    red, green, blue = picture.convert("RGB").getpixel((3, 0))
    assert (green, blue) == (128, 0)
    assert red == pytest.approx(128 + 10 * 0.02 * 255, abs=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("channels", [1, 3])
def test_zoomable_triptych(theme: Any, channels: int) -> None:
    generator = np.random.default_rng(0)
    original = generator.random((channels, 6, 7), dtype=np.float32)
    adversarial = np.clip(original + generator.normal(0, 0.1, original.shape), 0, 1).astype(np.float32)
    drawn = json.loads(triptych_figure(Example({}, original, adversarial), theme).to_json())
    layout = drawn["layout"]
    largest = float(np.abs(adversarial.astype(np.float64) - original).max())
    assert layout["meta"] == {
        "max_abs_perturbation": pytest.approx(largest),
        "shape": [channels, 6, 7],
    }
    assert layout["coloraxis2"]["cmax"] == pytest.approx(largest) == -layout["coloraxis2"]["cmin"]
    assert layout["coloraxis2"]["colorscale"][2] == [0.5, "rgb(128, 128, 128)"]
    assert [trace["type"] for trace in drawn["data"]] == [{1: "heatmap", 3: "image"}[channels]] * 3
    assert [layout[axis].get("matches") for axis in ("xaxis2", "xaxis3")] == ["x", "x"]
    assert [layout[axis].get("matches") for axis in ("yaxis2", "yaxis3")] == ["y", "y"]
    assert layout["yaxis"]["range"] == [5.5, -0.5], "row 0 is on top"


def test_an_unchanged_image_still_has_a_triptych() -> None:
    image = np.full((1, 3, 3), 0.25, np.float32)
    assert triptych_png(image, image)
    drawn = json.loads(triptych_figure(Example({}, image, image), "light").to_json())
    assert drawn["layout"]["meta"]["max_abs_perturbation"] == 0
    assert drawn["layout"]["coloraxis2"]["cmax"] > 0
