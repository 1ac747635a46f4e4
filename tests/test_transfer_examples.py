"""The images behind a cell, one image's record, the table and the figures of a transfer."""

import json
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from blindspots.errors import InvalidInput
from blindspots.experiments import transfer as kind
from blindspots.experiments.examples import ExampleQuery
from blindspots.experiments.transfer_rows import matrix_rows
from in_memory import Finished, Laboratory
from transferred import (
    IMAGES,
    LINEAR,
    finished_transfer,
    logits,
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
