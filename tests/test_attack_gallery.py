"""Reading a finished attack image by image."""

import json

import numpy as np
import pytest

from blindspots.experiments.examples import ExampleQuery
from in_memory import DIGITS, Finished, Laboratory, MemoryResult, attack, digits_laboratory


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
