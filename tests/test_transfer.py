"""What a user of the transfer may rely on: every number of the matrix, recomputed from the pixels."""

import math
from typing import Any

import numpy as np
import pytest

from blindspots.experiments import transfer as kind
from blindspots.experiments.transfer_rows import matrix_rows
from blindspots.science import transfer as science
from blindspots.science.statistics import paired_difference_interval, wilson
from in_memory import DIGITS, Finished, Laboratory
from transferred import (
    IMAGES,
    LINEAR,
    MODELS,
    finished_transfer,
    labels,
    logits,
    pixels,
    rows_of,
    transfer,
    transfer_laboratory,
)


@pytest.fixture
def laboratory() -> Laboratory:
    """Two linear networks and a sigmoid one on the bundled digits."""
    return transfer_laboratory()


@pytest.fixture
def finished() -> Finished:
    """The whole matrix of sixty digits."""
    return finished_transfer()


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
