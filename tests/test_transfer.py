"""What a user of the transfer may rely on: every number of the matrix, recomputed from the pixels."""

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from blindspots.errors import InvalidInput
from blindspots.experiments import transfer as kind
from blindspots.experiments import transfer_checks
from blindspots.experiments.base import NewModel
from blindspots.experiments.examples import ExampleQuery
from blindspots.experiments.transfer import Transfer
from blindspots.experiments.transfer_paper import printed_row
from blindspots.experiments.transfer_rows import matrix_rows
from blindspots.science import transfer as science
from blindspots.science.statistics import paired_difference_interval, wilson
from blindspots.zoo import datasets
from in_memory import DIGITS, Finished, Laboratory, train_on_digits

MODELS = ["digits-softmax", "linear-b", "digits-mlp"]
LINEAR = MODELS[:2]
IMAGES = 60


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """Two linear networks and a sigmoid one on the bundled digits."""
    laboratory = Laboratory(datasets.find())
    first = train_on_digits(laboratory, "softmax")
    train_on_digits(laboratory, "mlp", widths=[16])
    rng = np.random.default_rng(0)
    add_model(
        laboratory,
        name="linear-b",
        weights={
            name: (value + rng.normal(0, 0.4, value.shape)).astype(np.float32)
            for name, value in laboratory.weights[first.id].items()
        },
    )
    return laboratory


def add_model(laboratory: Laboratory, **changes: Any) -> None:
    """A model like the first one, but for these fields."""
    first = laboratory.models["model-0"]
    fields = {
        name: getattr(first, name)
        for name in ("network", "parameters", "input_shape", "class_names", "dataset", "multiply_adds")
    }
    laboratory.add_model(
        NewModel(
            **{**fields, "weights": laboratory.weights[first.id], "metrics": {}, "linear": True, **changes}
        )
    )


def transfer(**fields: Any) -> Transfer:
    """All three models shown each other's images, but for those fields."""
    document = {
        "kind": "transfer", "sources": MODELS, "evaluated": MODELS, "seed": 4,
        "images": {**DIGITS, "count": IMAGES}, **fields,
    }  # fmt: skip
    return Transfer.model_validate_json(json.dumps(document))


@pytest.fixture(scope="module")
def finished(laboratory: Laboratory) -> Finished:
    """The whole matrix of sixty digits."""
    return laboratory.run(transfer())


def rows_of(outcome: Finished, kind: str) -> Iterator[tuple[int, Any]]:
    rows: Any = outcome.result.summary["rows"]
    return ((number, row) for number, row in enumerate(rows) if row["kind"] == kind)


def logits(laboratory: Laboratory, name: str, images: np.ndarray) -> np.ndarray:
    """Of a linear network, by numpy in float64."""
    weights = laboratory.weights[laboratory.model(name, field="model").id]
    matrix, bias = sorted((np.asarray(each, np.float64) for each in weights.values()), key=lambda w: -w.ndim)
    return images.reshape(len(images), -1).astype(np.float64) @ matrix.T + bias


def pixels(outcome: Finished, row: int, count: int = IMAGES) -> tuple[np.ndarray, np.ndarray]:
    """Unchanged and changed images of a row, as the page shows them."""
    shown = [outcome.spec.example(outcome, row * count + place) for place in range(count)]
    assert all(each is not None and each.adversarial is not None for each in shown)
    return (
        np.stack([each.original for each in shown if each is not None]),
        np.stack([each.adversarial for each in shown if each is not None and each.adversarial is not None]),
    )


def labels(outcome: Finished) -> np.ndarray:
    return outcome.parts[0].array("label")


def test_rows_come_in_the_promised_order(finished: Finished) -> None:
    rows: Any = finished.result.summary["rows"]
    kinds = [(row["kind"], row["source"]) for row in rows]
    sources = [0, 1, 2]
    assert kinds == [
        ("clean", None),
        *(("attack", number) for number in sources),
        *(("direction", number) for number in sources),
        *(("amplified", number) for number in sources),
        ("noise", None),
        ("noise", None),
    ]
    assert [row["label"] for row in rows][1:9:3] == [
        "digits-softmax",
        "digits-softmax, random direction",
        "digits-softmax, amplified to 0.1",
    ]
    assert len({row["label"] for row in rows}) == len(rows)


@pytest.mark.parametrize("row_kind", ["clean", "attack", "direction", "amplified", "noise"])
def test_errors_of_linear_models_are_those_of_numpy(
    finished: Finished, laboratory: Laboratory, row_kind: str
) -> None:
    label = labels(finished)
    for number, row in rows_of(finished, row_kind):
        original, changed = pixels(finished, number)
        for column, name in enumerate(LINEAR):
            cell = row["cells"][column]
            before = logits(laboratory, name, original).argmax(axis=1) != label
            wrong = logits(laboratory, name, changed).argmax(axis=1) != label
            assert cell["wrong"] == wrong.sum()
            assert cell["images"] == IMAGES
            assert cell["error"] == wrong.mean()
            assert (cell["low"], cell["high"]) == wilson(int(wrong.sum()), IMAGES)
            assert cell["excess"] == pytest.approx(wrong.mean() - before.mean(), abs=1e-12)
            interval = paired_difference_interval(
                (wrong & before).sum(), (wrong & ~before).sum(), (before & ~wrong).sum(),
                (~wrong & ~before).sum(),
            )  # fmt: skip
            if row_kind != "clean":
                assert (cell["excess_low"], cell["excess_high"]) == pytest.approx(interval, abs=1e-12)
        rms = np.sqrt(((changed.astype(np.float64) - original) ** 2).mean(axis=(1, 2, 3)))
        assert row["mean_distortion"] == pytest.approx(rms.mean(), rel=1e-6)
        assert row["rms_distortion"] == pytest.approx(np.sqrt((rms**2).mean()), rel=1e-6)
        assert row["distortion_low"] <= row["mean_distortion"] <= row["distortion_high"]


@pytest.mark.parametrize("row_kind", ["attack", "direction", "amplified"])
def test_denominators_are_those_that_are_named(
    finished: Finished, laboratory: Laboratory, row_kind: str
) -> None:
    label = labels(finished)
    for number, row in rows_of(finished, row_kind):
        if row["source"] >= len(LINEAR):
            continue
        original, changed = pixels(finished, number)
        source = LINEAR[row["source"]]
        source_right = logits(laboratory, source, original).argmax(axis=1) == label
        source_answer = logits(laboratory, source, changed).argmax(axis=1)
        for column, name in enumerate(LINEAR):
            cell = row["cells"][column]
            right = logits(laboratory, name, original).argmax(axis=1) == label
            answer = logits(laboratory, name, changed).argmax(axis=1)
            both = right & source_right
            assert cell["both_right"]["images"] == both.sum()
            assert cell["both_right"]["wrong"] == (both & (answer != label)).sum()
            wrong = answer != label
            assert cell["same_wrong"] == {
                "same": (wrong & (answer == source_answer)).sum(),
                "wrong": wrong.sum(),
                "rate": pytest.approx((answer == source_answer)[wrong].mean()) if wrong.any() else None,
            }


def test_error_at_equal_length_is_that_of_rescaled_changes(
    finished: Finished, laboratory: Laboratory
) -> None:
    summary: Any = finished.result.summary
    attacks = list(rows_of(finished, "attack"))
    norm = min(row["mean_distortion"] for _, row in attacks) * math.sqrt(64)
    assert summary["equal_l2_norm"] == pytest.approx(norm, rel=1e-6)
    for number, row in attacks:
        original, changed = pixels(finished, number)
        moved = science.rescale(original, changed, l2=norm)
        assert science.l2_norms(original, moved) == pytest.approx(np.full(IMAGES, norm), rel=1e-5)
        for column, name in enumerate(LINEAR):
            wrong = logits(laboratory, name, moved).argmax(axis=1) != labels(finished)
            assert row["cells"][column]["equal_l2"]["wrong"] == wrong.sum()


def test_the_diagonal_is_measured(finished: Finished) -> None:
    for _, row in rows_of(finished, "attack"):
        own = row["cells"][row["source"]]
        assert row["success_rate"] == 1
        assert own["error"] == 1
        assert own["same_wrong"]["rate"] == 1
        assert own["cosine"] == pytest.approx(1, abs=1e-6)
        assert own["both_right"]["error"] == 1


def test_cosines_are_symmetric_and_recomputed(finished: Finished) -> None:
    rows = list(rows_of(finished, "attack"))
    changes = [np.subtract(*pixels(finished, number)[::-1]).reshape(IMAGES, -1) for number, _ in rows]
    for (_, row), own in zip(rows, changes, strict=True):
        for column, other in enumerate(changes):
            norms = np.linalg.norm(own, axis=1) * np.linalg.norm(other, axis=1)
            expected = ((own * other).sum(axis=1) / norms).mean()
            assert row["cells"][column]["cosine"] == pytest.approx(expected, abs=1e-5)


def test_a_failed_attack_leaves_the_true_number_on_the_diagonal(laboratory: Laboratory) -> None:
    outcome = laboratory.run(
        transfer(sources=LINEAR[:1], evaluated=LINEAR, method={"name": "gaussian_noise", "sigma": 0.1})
    )
    _, row = next(rows_of(outcome, "attack"))
    assert 0 < row["success_rate"] < 0.5
    assert row["cells"][0]["error"] == row["success_rate"], "noise wants any wrong answer"


def test_amplified_changes_have_their_distortion_exactly(finished: Finished) -> None:
    for number, row in rows_of(finished, "amplified"):
        original, changed = pixels(finished, number)
        rms = science.l2_norms(original, changed) / math.sqrt(64)
        assert rms == pytest.approx(np.full(IMAGES, 0.1), abs=1e-6)
        attacked = pixels(finished, 1 + row["source"])[1]
        assert science.cosines(original, changed, attacked) == pytest.approx(np.ones(IMAGES), abs=1e-6)


def test_amplification_can_clip_and_spare_what_is_longer() -> None:
    rng = np.random.default_rng(1)
    original = rng.random((5, 1, 4, 4), dtype=np.float32)
    adversarial = original + np.float32(0.3) * rng.standard_normal((5, 1, 4, 4)).astype(np.float32)
    own = science.l2_norms(original, adversarial) / 4
    spared = science.amplify(original, adversarial, distortion=0.3, at_least_own=True)
    assert science.l2_norms(original, spared) / 4 == pytest.approx(np.maximum(own, 0.3), abs=1e-6)
    clipped = science.amplify(original, adversarial, distortion=0.9, clip=True)
    assert clipped.min() >= 0
    assert clipped.max() <= 1
    with pytest.raises(ValueError, match="above 0"):
        science.amplify(original, adversarial, distortion=0)


def test_an_unchanged_image_stays_unchanged_and_is_counted(laboratory: Laboratory) -> None:
    images = {**DIGITS, "count": 200}
    outcome = laboratory.run(
        transfer(sources=LINEAR[:1], evaluated=LINEAR, images=images, method={"name": "exact_linear"})
    )
    attacked = outcome.step("attack digits-softmax").result
    unchanged = attacked.array("l2") == 0
    assert unchanged.any(), "images that were wrong already need no change"
    for row_kind in ("attack", "direction", "amplified"):
        number, row = next(rows_of(outcome, row_kind))
        assert row["unchanged"] == unchanged.sum()
        original, changed = pixels(outcome, number, 200)
        assert np.array_equal(original[unchanged], changed[unchanged])
        assert (original[~unchanged] != changed[~unchanged]).any(axis=(1, 2, 3)).all()


def test_random_directions_are_as_long_as_the_attack(finished: Finished) -> None:
    for number, row in rows_of(finished, "direction"):
        original, changed = pixels(finished, number)
        attacked = pixels(finished, 1 + row["source"])[1]
        own = science.l2_norms(original, attacked)
        assert science.l2_norms(original, changed) == pytest.approx(own, rel=1e-5)
        assert abs(science.cosines(original, changed, attacked).mean()) < 5 / math.sqrt(64 * IMAGES)


def test_noise_is_unclipped_and_the_same_for_any_cut() -> None:
    original = np.zeros((40, 1, 3, 3), np.float32)
    index = np.arange(40)
    noise = science.add_noise(original, sigma=0.3, clip=False, seed=7, stream=1, index=index)
    assert noise.min() < -0.3
    assert noise.std() == pytest.approx(0.3, rel=0.1)
    shuffled = np.random.default_rng(0).permutation(40)[:9]
    again = science.add_noise(
        original[shuffled], sigma=0.3, clip=False, seed=7, stream=1, index=index[shuffled]
    )
    assert np.array_equal(again, noise[shuffled])
    for changed in ({"seed": 8}, {"stream": 2}):
        other = {"seed": 7, "stream": 1, **changed}
        assert not np.array_equal(
            science.add_noise(original, sigma=0.3, clip=False, index=index, **other), noise
        )
    assert science.add_noise(original, sigma=0.3, clip=True, seed=7, stream=1, index=index).min() == 0


def test_part_sizes_change_no_number(laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    images = {**DIGITS, "count": 300}
    whole = laboratory.run(transfer(images=images))
    monkeypatch.setattr(kind, "PART_SECONDS", 1e-9)
    cut = laboratory.run(transfer(images=images))
    assert len(whole.parts) == 4
    assert len(cut.parts) == 12
    assert dict(cut.result.summary) == dict(whole.result.summary)
    one, two = whole.spec.export_arrays(whole), cut.spec.export_arrays(cut)
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name], equal_nan=one[name].dtype.kind == "f") for name in one)


def test_the_noise_of_an_image_does_not_depend_on_the_others(
    finished: Finished, laboratory: Laboratory
) -> None:
    fewer = laboratory.run(transfer(images={**DIGITS, "count": 30}))
    for number, row in enumerate(matrix_rows(transfer())):
        some, all_of_them = pixels(fewer, number, 30)[1], pixels(finished, number)[1][:30]
        if row.source is None:
            assert np.array_equal(some, all_of_them)
        else:  # the attack's passes of another size round differently
            assert np.allclose(some, all_of_them, atol=1e-3), row


def test_every_cell_counts_the_images_that_it_shows(finished: Finished) -> None:
    rows: Any = finished.result.summary["rows"]
    for number, row in enumerate(rows):
        for column, cell in enumerate(row["cells"]):
            query = {"row": number, "column": column, "limit": 200}
            page = finished.spec.examples(finished, ExampleQuery(**query))
            wrong = finished.spec.examples(finished, ExampleQuery(**query, success=True))
            assert page.total == row["images"]
            assert wrong.matching == cell["wrong"]
            assert all(each["reached"] != each["label"] for each in wrong.rows)
            rms = [each["rms"] for each in page.rows]
            assert np.mean(rms) == pytest.approx(row["mean_distortion"])
            if cell["same_wrong"] is not None:
                same = [each for each in wrong.rows if each["reached"] == each["source_reached"]]
                assert len(same) == cell["same_wrong"]["same"]


def test_a_page_is_sorted_and_filtered(finished: Finished) -> None:
    def rows(**query: Any) -> list[Any]:
        return finished.spec.examples(finished, ExampleQuery(row=2, column=0, limit=200, **query)).rows

    far = [row["rms"] for row in rows(sort="-distortion")]
    assert far == sorted(far, reverse=True)
    assert [row["index"] for row in rows(sort="-index")] == [row["index"] for row in rows()][::-1]
    assert {row["label"] for row in rows(true_class=3)} == {3}
    assert {row["reached"] for row in rows(reached_class=5)} == {5}
    assert {row["target"] for row in rows(target_class=1)} == {1}
    assert [row["index"] for row in rows(offset=2)] == [row["index"] for row in rows()][2:]
    default = finished.spec.examples(finished, ExampleQuery())
    assert default.rows[0]["index"] == IMAGES, "the first source, shown to itself"
    for query in ({"row": 12}, {"column": 3}):
        with pytest.raises(InvalidInput) as refusal:
            finished.spec.examples(finished, ExampleQuery(**query))
        assert refusal.value.field == next(iter(query))


@pytest.mark.parametrize("number", range(12))
def test_one_image_tells_both_models_probabilities(
    finished: Finished, laboratory: Laboratory, number: int
) -> None:
    shown = finished.spec.example(finished, number * IMAGES + 7, 1)
    assert shown is not None
    assert shown.adversarial is not None
    facts: Any = shown.facts
    json.dumps(facts, allow_nan=False)
    row = matrix_rows(transfer())[number]
    assert facts["class_names"] == [str(digit) for digit in range(10)]
    for name, image in (("before", shown.original), ("after", shown.adversarial)):
        expected = softmax(logits(laboratory, "linear-b", image[None]), axis=1)[0]
        assert facts[f"probabilities_{name}"] == pytest.approx(expected, abs=1e-5)
        assert facts[f"confidence_{name}"] == pytest.approx(expected.max(), abs=1e-5)
        if row.source is not None and row.source < 2:
            own = softmax(logits(laboratory, LINEAR[row.source], image[None]), axis=1)[0]
            assert facts[f"source_probabilities_{name}"] == pytest.approx(own, abs=1e-5)
    assert facts["reached"] == int(np.argmax(facts["probabilities_after"]))
    assert facts["success"] == (facts["reached"] != facts["label"])
    if row.source is None:
        assert facts["source_reached"] is None
        assert facts["source_probabilities_after"] is None


def test_there_is_no_example_beyond_the_matrix(finished: Finished) -> None:
    assert finished.spec.example(finished, 12 * IMAGES) is None
    assert finished.spec.example(finished, -1) is None
    assert finished.spec.example(finished, 0, 3) is None


def test_many_images_keep_confidences_only(
    finished: Finished, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "MOST_PROBABILITIES", 1000)
    lean = laboratory.run(transfer())
    assert dict(lean.result.summary) == dict(finished.result.summary)
    shown = lean.spec.example(lean, IMAGES, 1)
    assert shown is not None
    assert shown.facts["probabilities_after"] is None
    assert shown.facts["confidence_after"] is not None
    assert shown.facts["source_probabilities_after"] is not None, "the attack keeps them anyway"


def test_noise_can_be_measured_on_the_whole_split(laboratory: Laboratory) -> None:
    whole = laboratory.run(transfer(noise={"sigmas": [0.2], "whole_split": True}))
    chosen = laboratory.run(transfer(noise={"sigmas": [0.2]}))
    size = laboratory.dataset("digits", field="dataset").sizes["test"]
    summary: Any = whole.result.summary
    assert (summary["images"], summary["split_images"]) == (IMAGES, size)
    rows: Any = summary["rows"]
    assert {row["images"] for row in rows if row["source"] is None} == {size}
    others: Any = chosen.result.summary["rows"]
    assert rows[1:-1] == others[1:-1], "excess and both right are over the chosen images all the same"
    index = chosen.parts[0].array("index")
    last = len(rows) - 1
    for place in (0, 41):
        one = chosen.spec.example(chosen, last * IMAGES + place, 0)
        other = whole.spec.example(whole, last * size + int(index[place]), 0)
        assert one is not None
        assert other is not None
        assert one.adversarial is not None
        assert np.array_equal(one.adversarial, other.adversarial), "the noise of an image is its own"
        attacked = whole.spec.example(whole, size + place, 1), chosen.spec.example(chosen, IMAGES + place, 1)
        assert all(each is not None for each in attacked)
        first, second = (dict(each.facts) for each in attacked if each is not None)
        assert first.pop("index") == size + place
        second.pop("index")
        assert first == {
            name: pytest.approx(value, abs=1e-6) if "probabilities" in name or "confidence" in name else value
            for name, value in second.items()
        }


def test_without_sources_it_is_an_evaluation(laboratory: Laboratory) -> None:
    spec = transfer(sources=[], noise={"sigmas": []})
    assert spec.steps(laboratory) == []
    outcome = laboratory.run(spec)
    summary: Any = outcome.result.summary
    assert [row["kind"] for row in summary["rows"]] == ["clean"]
    assert summary["equal_l2_norm"] is None
    for figure in outcome.spec.figures.values():
        assert figure.draw(outcome, "light").layout is not None


def test_a_source_need_not_be_evaluated(finished: Finished, laboratory: Laboratory) -> None:
    outcome = laboratory.run(transfer(sources=MODELS[:1], evaluated=MODELS[1:]))
    all_rows: Any = finished.result.summary["rows"]
    _, row = next(rows_of(outcome, "attack"))
    for cell, expected in zip(row["cells"], all_rows[1]["cells"][1:], strict=True):
        assert cell["cosine"] is None
        for name in ("wrong", "both_right", "same_wrong", "excess_low"):
            assert cell[name] == expected[name]


def test_an_uploaded_image_with_its_class(laboratory: Laboratory) -> None:
    reference = laboratory.upload(laboratory.pixels("digits", "test")[0][5])
    label = int(laboratory.pixels("digits", "test")[1][5])
    outcome = laboratory.run(transfer(images={"source": "upload", "image": reference, "label": label}))
    summary: Any = outcome.result.summary
    assert {row["images"] for row in summary["rows"]} == {1}
    assert outcome.spec.example(outcome, 1, 0) is not None
    assert outcome.spec.example(outcome, len(summary["rows"]), 0) is None


def test_a_table_has_one_line_per_cell(finished: Finished) -> None:
    table = finished.spec.table(finished)
    assert {len(column) for column in table.values()} == {12 * 3}
    rows: Any = finished.result.summary["rows"]
    assert table["error"][3 * 2 + 1] == rows[2]["cells"][1]["error"]
    assert table["evaluated"][3 * 2 + 1] == "linear-b"
    assert table["both_right_images"][3 * 2 + 1] == rows[2]["cells"][1]["both_right"]["images"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_matrix_shows_its_numbers(finished: Finished, theme: Any) -> None:
    rows: Any = finished.result.summary["rows"]
    drawn = json.loads(finished.spec.figures["error_matrix"].draw(finished, theme).to_json())
    assert drawn["data"][0]["text"] == [
        [f"{100 * cell['error']:.1f}" for cell in row["cells"]] for row in rows
    ]
    for name in ("excess", "equal_l2", "cosine", "distortion"):
        assert json.loads(finished.spec.figures[name].draw(finished, theme).to_json())["data"], name


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
