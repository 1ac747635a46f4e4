"""Reproducing the paper: which number goes into which cell, what is called consistent, what is said of it."""

import json
import math
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from blindspots import experiments
from blindspots.errors import InvalidInput
from blindspots.experiments.base import Spec
from blindspots.experiments.reproduce import Reproduce
from blindspots.experiments.reproduce_cells import Measured, Printed, decimals, distortion_agrees, rate_agrees
from blindspots.experiments.reproduce_presets import HALVES, SIZES, WHOLE, training
from blindspots.experiments.reproduce_reasons import COARSE_AGREES, FAILED, UNEXPLAINED
from blindspots.experiments.train_presets import paper_training
from blindspots.science.statistics import wilson
from blindspots.zoo import datasets
from blindspots.zoo.papers import TABLE_2, TABLE_4
from blindspots.zoo.printed import tables
from in_memory import Finished, Laboratory
from made_up_steps import CLEAN, SPLITS, TIGHT, TRAINED, MadeUpSteps, reproduced

EXPERIMENT: TypeAdapter[Spec] = TypeAdapter(experiments.Experiment)


@pytest.fixture(scope="module")
def made_up() -> MadeUpSteps:
    """All tables from numbers that were measured on MNIST."""
    return reproduced()


def table(outcome: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in outcome.result.summary["tables"] if each["name"] == name)
    return found


def cell(outcome: Any, name: str, row: str, column: str) -> dict[str, Any]:
    found = table(outcome, name)
    cells = next(each["cells"] for each in found["rows"] if each["label"] == row)
    place: dict[str, Any] = cells[found["columns"].index(column)]
    return place


def test_a_sample_of_256_is_what_the_printed_percentages_suggest() -> None:
    def fits(value: float, *, truncated: bool) -> bool:
        digits = decimals(value, "percent")
        shares = [100 * count / 256 for count in range(257)]
        rounded = any(math.isclose(round(share, digits), value) for share in shares)
        cut = any(math.isclose(math.floor(share * 10**digits) / 10**digits, value) for share in shares)
        return rounded or (truncated and cut)

    def off_diagonal(rows: Any) -> list[float]:
        return [value for i, row in enumerate(rows) for j, value in enumerate(row.errors) if i != j]

    assert [fits(value, truncated=False) for value in off_diagonal(TABLE_4.rows[:3])].count(True) == 6
    assert [fits(value, truncated=False) for value in off_diagonal(TABLE_2.rows[:6])].count(True) == 27
    noise = [value for row in TABLE_2.rows[6:] for value in row.errors]
    assert all(fits(value, truncated=True) for value in noise)


@pytest.mark.parametrize(
    ("value", "unit", "digits"),
    [
        (100, "percent", 0),
        (6.25, "percent", 2),
        (5.0, "percent", 1),
        (0.062, "distortion", 3),
        (0.1, "distortion", 2),
    ],
)
def test_rounding_is_read_off_the_print(value: float, unit: Any, digits: int) -> None:
    assert decimals(value, unit) == digits


def rate(value: float, images: int) -> Measured:
    low, high = wilson(value / 100 * images, images)
    return Measured(value, 100 * low, 100 * high, images)


@pytest.mark.parametrize(
    ("printed", "measured", "agrees"),
    [
        (Printed(11.7, 1, 256), rate(11.7, 256), True),
        (Printed(27.3, 1, 256), rate(34.0, 256), True),
        (Printed(27.3, 1, 256), rate(37.1, 256), False),
        (Printed(6.25, 2, 256), rate(19.5, 256), False),
        (Printed(10, 0, 60_000), rate(9.85, 60_000), True),  # 9.85 % rounds to 10 %
        (Printed(10, 1, 60_000), rate(9.35, 60_000), False),
        (Printed(100, 0, 256), rate(100, 256), True),
        (Printed(0, 0, 256), rate(0, 256), True),
        (Printed(1.2, 1, 10_000, below=True), rate(0.5, 10_000), True),
        (Printed(1.2, 1, 10_000), rate(0.5, 10_000), False),
        (Printed(1.2, 1, 10_000, below=True), rate(1.8, 10_000), False),
    ],
)
def test_rates_agree_within_chance_and_rounding(printed: Printed, measured: Measured, agrees: bool) -> None:
    assert rate_agrees(printed, measured) is agrees


def test_a_distortion_agrees_within_the_measured_spread_and_rounding() -> None:
    printed = Printed(0.062, 3, 256)
    # 1.96 * 0.02 * sqrt(2 / 256) = 0.00346, and half a unit is 0.0005.
    assert distortion_agrees(printed, Measured(0.0581, 0, 0, 256, spread=0.02))
    assert not distortion_agrees(printed, Measured(0.0579, 0, 0, 256, spread=0.02))
    assert not distortion_agrees(printed, Measured(0.0581, 0, 0, 60_000, spread=0.02))


def test_every_printed_number_has_its_cell(made_up: MadeUpSteps) -> None:
    for printed in tables()[:4]:
        found = table(made_up, printed.name)
        assert found["columns"] == list(printed.columns)
        values = [[each["paper"] for each in row["cells"]] for row in found["rows"]]
        assert values == [[float(value) for value in row] for _, row in printed.rows]


def test_measured_numbers_come_from_the_right_place(made_up: MadeUpSteps) -> None:
    for source, (distortion, errors) in zip(WHOLE, TIGHT, strict=True):
        assert cell(made_up, "table2", source, "distortion")["measured"] == distortion
        for evaluated, error in zip(WHOLE, errors, strict=True):
            assert cell(made_up, "table2", source, evaluated)["measured"] == pytest.approx(error, abs=0.2)
        for column, error in zip(("training error", "test error"), TRAINED[source], strict=True):
            assert cell(made_up, "table1", source, column)["measured"] == pytest.approx(error)
    for place, name in enumerate(HALVES):
        for column, split in (("error on P1", "P1"), ("error on P2", "P2"), ("test error", "test")):
            found = cell(made_up, "table3", name, column)
            assert found["measured"] == pytest.approx(CLEAN[split][place], abs=0.01)
            assert found["images"] == found["paper_images"] == SPLITS[split]
    amplified = cell(made_up, "table4", "M1', amplified to 0.1", "M2")
    assert (amplified["paper"], amplified["measured"]) == (22, pytest.approx(48.4, abs=0.1))
    assert (amplified["step"], amplified["column"]) == ("halves tight", 2)
    noise = cell(made_up, "table4", "noise 0.06", "M1")
    assert (noise["images"], noise["paper_images"], noise["coarse"]) == (10_000, 10_000, None)


def test_what_differs_has_a_reason_and_what_agrees_has_none(made_up: MadeUpSteps) -> None:
    for found in made_up.result.summary["tables"]:
        for row in found["rows"]:
            for each in row["cells"]:
                assert (each["verdict"] == "differs") == (each["reason"] is not None), (row["label"], each)
    assert cell(made_up, "table2", "softmax3", "softmax1")["reason"] == COARSE_AGREES
    assert "decay of M1'" in cell(made_up, "table4", "M1'", "M1")["reason"]
    assert "autoencoder" in cell(made_up, "table2", "AE400-10", "N100-100-10")["reason"]
    assert cell(made_up, "table2", "softmax2", "N200-200-10")["reason"] == UNEXPLAINED


def test_an_attack_that_failed_is_not_hidden_in_the_diagonal() -> None:
    def fail(found: dict[str, dict[str, Any]]) -> None:
        found["transfer tight"]["rows"][1]["cells"][0].update(wrong=128, error=0.5, low=0.44, high=0.56)

    broken = cell(reproduced(fail, experiment="table2"), "table2", "softmax1", "softmax1")
    assert (broken["verdict"], broken["measured"], broken["reason"]) == ("differs", 50, FAILED)


def test_a_noise_error_below_the_networks_own_is_said_to_be_of_easy_images() -> None:
    def raise_noise(found: dict[str, dict[str, Any]]) -> None:
        noisy = next(row for row in found["transfer tight"]["rows"] if row["sigma"] == 0.1)
        noisy["cells"][0].update(wrong=31, error=0.12, low=0.087, high=0.165)
        noisy["cells"][4].update(wrong=31, error=0.12, low=0.087, high=0.165)

    outcome = reproduced(raise_noise, experiment="table2")
    assert "easier than most" in cell(outcome, "table2", "noise 0.1", "softmax1")["reason"]
    assert cell(outcome, "table2", "noise 0.1", "N200-200-10")["reason"] == UNEXPLAINED


def test_the_figures_of_a_table_name_what_they_leave_out(made_up: MadeUpSteps) -> None:
    figures = table(made_up, "table2")["figures"]
    assert figures["without"] == ["AE400-10", "the diagonal"]
    assert figures["cells"] == 5 * 4 + 2 * 5
    sizes = [(choice["without"], choice["cells"]) for choice in figures["choices"]]
    assert (["AE400-10", "noise rows"], 25) in sizes
    assert ([], 48) in sizes
    exact = [abs(ours - paper) for ours, paper in zip(TIGHT[0][1], TABLE_2.rows[0].errors, strict=True)]
    first_row = [
        each["measured"] - each["paper"] for each in table(made_up, "table2")["rows"][0]["cells"][:6]
    ]
    assert np.abs(first_row) == pytest.approx(exact, abs=0.2)
    assert 2.5 < figures["mean_absolute_difference"] < 3.5
    assert figures["spearman"] > 0.98
    assert figures["nearer"] == "tight"
    assert table(made_up, "table4")["figures"]["nearer"] == "coarse"


def test_numbers_on_other_images_are_shown_and_not_judged() -> None:
    quick = reproduced(preset="quick")
    assert quick.result.summary["comparable"] is False
    for found in quick.result.summary["tables"]:
        assert found["figures"] is None
        assert {each["verdict"] for row in found["rows"] for each in row["cells"]} == {"not comparable"}
    assert "not the paper's images" in quick.result.summary["conclusion"][1]


def test_figure_7_alone_says_what_was_measured() -> None:
    first, second = reproduced(experiment="figure7").result.summary["conclusion"]
    assert "0.052 makes softmax1" in first
    assert "46.5 %" in second
    assert "51 %" in second


def test_adversarial_training_stands_beside_the_three_printed_numbers() -> None:
    def add(found: dict[str, dict[str, Any]]) -> None:
        arms = [("decay", 0.0163), ("dropout", 0.0195), ("input", 0.014), ("all", 0.0101)]
        found["adversarial training"] = {
            "arms": [{"arm": name, "title": name, "test_error_mean": error} for name, error in arms],
            "test_images": 10_000, "seeds": 5, "conclusion": "Better than that: all.",
        }  # fmt: skip

    outcome = reproduced(add, experiment="adversarial_training")
    rows = {row["label"]: row["cells"][0] for row in table(outcome, "adversarial_training")["rows"]}
    verdicts = {name: each["verdict"] for name, each in rows.items()}
    assert verdicts == {
        "decay": "consistent", "dropout": "differs", "all": "consistent", "input": "not printed",
    }  # fmt: skip
    assert "Better than that" in outcome.spec.report(outcome)


def test_a_network_that_was_trained_before_is_found_again() -> None:
    for name in (*WHOLE, *HALVES):
        assert training(name, SIZES["paper"], 0) == paper_training(name)
    assert training("M2", SIZES["paper"], 7)["dataset"] == "mnist:P2:7"
    assert training("softmax1", SIZES["paper"], 7)["seed"] == 7


def document(**fields: Any) -> Spec:
    return EXPERIMENT.validate_json(json.dumps({"kind": "reproduce", **fields}))


def test_the_tables_share_their_trainings() -> None:
    laboratory = Laboratory(datasets.find())
    plans = {
        name: {step.name: step for step in document(experiment=name).steps(laboratory)}
        for name in ("table1", "table2", "table3", "table4", "figure7", "tables")
    }
    everything = plans.pop("tables")
    assert sum(step.spec["kind"] == "train" for step in everything.values()) == 9
    for plan in plans.values():
        assert {name: step.spec for name, step in plan.items()}.items() <= {
            name: step.spec for name, step in everything.items()
        }.items()  # fmt: skip


def test_without_mnist_the_preset_is_named() -> None:
    laboratory = Laboratory(datasets.find())
    with pytest.raises(InvalidInput, match="quick") as refusal:
        document(preset="paper").resolve(laboratory)
    assert refusal.value.field == "preset"


@pytest.fixture(scope="module")
def measured() -> Finished:
    """Tables 3 and 4 and figure 7 for real, on the digits."""
    laboratory = Laboratory(datasets.find())
    return laboratory.run(Reproduce(experiment="table4", preset="quick"))


def test_a_reproduction_runs_on_the_digits(measured: Finished) -> None:
    found = table(measured, "table4")
    for place, name in enumerate(HALVES):
        own = next(row for row in found["rows"] if row["label"] == name)["cells"]
        assert own[place]["measured"] == 100
        assert own[3]["measured"] < own[3]["coarse"]["measured"] * 1.05, "bisecting finds shorter changes"
    noise = next(row for row in found["rows"] if row["label"] == "noise 0.06")["cells"]
    assert {each["images"] for each in noise[:3]} == {500}
    assert noise[3]["measured"] == pytest.approx(0.06, abs=0.002)
    assert json.dumps(dict(measured.result.summary), allow_nan=False)
    columns = measured.spec.table(measured)
    assert len(columns["measured"]) == 8 * 4
