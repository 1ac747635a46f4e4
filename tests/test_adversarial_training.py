"""What a user of adversarial training may rely on: the arms, the numbers, resumption, refusals."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from blindspots.errors import Cancelled, InvalidInput
from blindspots.experiments import train_run
from blindspots.experiments.adversarial_training import AdversarialTraining
from blindspots.experiments.adversarial_training_arms import ALL
from blindspots.experiments.adversarial_training_presets import PRESETS, QUICK
from blindspots.experiments.adversarial_training_run import ArmWatch, attacked_rows, started
from blindspots.experiments.adversarial_training_summary import NOTES, summarise
from blindspots.science.adversarial_training import Stage
from blindspots.science.statistics import mcnemar, wilson
from blindspots.zoo import architectures, datasets
from in_memory import Finished, Laboratory, MemoryResult

SMALL: dict[str, Any] = {
    **QUICK,
    "title": "",
    "train_count": 300,
    "network": {"name": "mlp", "widths": [24, 24]},
    "seeds": 2,
    "rounds": 6,
    "optimiser": {"name": "adam", "batch_size": 16, "learning_rate": 0.03},
    "pools": {"size": 60},
    "evaluation": {"images": 30, "radii": [0.3, 0.6], "noise": [0.2]},
}


def spec(**fields: Any) -> AdversarialTraining:
    return AdversarialTraining.model_validate_json(json.dumps({**SMALL, **fields}))


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """The bundled digits."""
    return Laboratory(datasets.find())


@pytest.fixture(scope="module")
def finished(laboratory: Laboratory) -> Finished:
    """All arms, two seeds."""
    return laboratory.run(spec())


def arm_of(outcome: Finished, name: str) -> dict[str, Any]:
    arms: Any = outcome.result.summary["arms"]
    return next(arm for arm in arms if arm["arm"] == name)


# The numbers


def test_every_run_is_in_the_table_with_its_interval(finished: Finished) -> None:
    table = finished.spec.table(finished)
    assert list(table["arm"]) == [name for name in ALL for _ in range(2)]
    assert list(table["seed"]) == [0, 1] * len(ALL)
    wrong = finished.result.array("wrong")
    assert wrong.shape == (len(ALL), 2, 500)
    np.testing.assert_allclose(table["test_error"], wrong.mean(axis=2).ravel())
    low, high = wilson(wrong.sum(axis=2).ravel(), 500)
    np.testing.assert_allclose((table["low"], table["high"]), (low, high))
    assert np.all(table["test_error"] < 0.6)


def test_comparisons_can_be_counted_again_by_hand(finished: Finished) -> None:
    wrong = dict(zip(ALL, finished.result.array("wrong"), strict=True))
    for name in ALL[1:]:
        versus = arm_of(finished, name)["versus_decay"]
        only_arm = int((wrong[name] & ~wrong["decay"]).sum())
        only_decay = int((~wrong[name] & wrong["decay"]).sum())
        assert versus["discordant"] == [only_arm, only_decay]
        assert versus["difference"] == pytest.approx((only_arm - only_decay) / 1000)
        for seed, test in enumerate(versus["mcnemar"]):
            expected = mcnemar(wrong[name][seed], wrong["decay"][seed])
            assert (test["only_arm"], test["only_other"]) == (expected.only_a, expected.only_b)
            assert test["p_value"] == expected.p_value
        assert versus["p_value"] >= versus["p_value_uncorrected"] >= versus["p_over_images"]
    assert arm_of(finished, "decay")["versus_decay"] is None
    assert arm_of(finished, "all")["versus_noise"] is not None
    assert arm_of(finished, "pgd")["versus_noise"] is None


def test_robust_error_rises_with_the_radius_and_before_is_weight_decay_only(finished: Finished) -> None:
    before = {name: arm_of(finished, "decay")[name] for name in ("robust_error", "mean_distortion")}
    for name in ALL:
        arm = arm_of(finished, name)
        shares = [arm["robust_error"][key] for key in ("0.3", "0.6")]
        assert 0 <= shares[0] <= shares[1] <= 1
        assert arm["mean_distortion_random"] >= arm["mean_distortion"] > 0
        assert {key: arm["before"][key] for key in before} == before
        place = ALL.index(name)
        failed = sum(np.isinf(finished.result.array(f"{to}_l2")[place]).sum() for to in ("nearest", "random"))
        assert sum(run["not_fooled"] for run in arm["runs"]) == failed


def test_networks_of_the_first_seed_are_kept_and_answer_as_the_table_says(
    finished: Finished, laboratory: Laboratory
) -> None:
    images, labels = laboratory.pixels("digits", "test")
    pixels = torch.tensor(images).float() / 255
    for place, name in enumerate(ALL):
        facts = laboratory.model(f"digits-{name}", field="model")
        answers = architectures.load(facts, laboratory.weights[facts.id])(pixels).argmax(1).numpy()
        np.testing.assert_array_equal(answers != labels, finished.result.array("wrong")[place, 0])
        assert facts.network == "mlp"


def test_arms_of_a_seed_share_their_start_and_seeds_do_not() -> None:
    def weights(chosen: AdversarialTraining, number: int) -> Any:
        return started(chosen, (1, 8, 8), 10, number).output.weight.detach().numpy()

    first = weights(spec(), 0)
    np.testing.assert_array_equal(first, weights(spec(arms=["pgd"]), 0))
    assert not np.array_equal(first, weights(spec(), 1))
    assert not np.array_equal(first, weights(spec(seed=1), 0))
    np.testing.assert_array_equal(
        attacked_rows(spec(), 500), attacked_rows(spec(arms=["all"], rounds=3), 500)
    )


def test_one_seed_and_no_arm_to_compare_with(laboratory: Laboratory) -> None:
    outcome = laboratory.run(spec(arms=["layer1"], seeds=1, rounds=2))
    arm = arm_of(outcome, "layer1")
    assert arm["test_error_sd"] is None
    assert arm["versus_decay"] is arm["before"] is None
    assert "Nothing was compared" in str(outcome.result.summary["conclusion"])
    assert any("one seed" in note for note in outcome.result.summary["notes"])  # type: ignore[union-attr]
    for figure in outcome.spec.figures.values():
        figure.draw(outcome, "light")


def invented(errors: dict[str, float], *, dataset: str = "mnist", seeds: int = 5) -> dict[str, Any]:
    """The summary of runs with these test errors: whoever is better answers some images more."""
    random = np.random.default_rng(0)
    chance = random.random((seeds, 10_000))
    wrong = np.stack([chance < error for error in errors.values()])
    chosen = spec(dataset=dataset, arms=list(errors), seeds=seeds)
    lengths = random.random((len(errors), seeds, 30))
    runs = [
        {"arm": name, "seed": seed, "train_wrong": 0, "train_images": 9, "test_images": 10_000,
         "test_wrong": int(wrong[place, seed].sum()), "noise_error": [0.1], "seconds": 1.0}
        for seed in range(seeds) for place, name in enumerate(errors)
    ]  # fmt: skip
    return summarise(chosen, runs, {"wrong": wrong, "nearest_l2": lengths, "random_l2": lengths}, 784)


def test_the_conclusion_follows_its_rule() -> None:
    clear = invented({"decay": 0.016, "all": 0.012, "dropout": 0.0161, "pgd": 0.03})
    assert "Better than that: Pools of all layers (1.2" in clear["conclusion"]
    assert "Worse: Projected gradient" in clear["conclusion"]
    assert "No difference shown: Dropout" in clear["conclusion"]
    assert "is seen here too" in clear["conclusion"]
    assert [arm["paper"] for arm in clear["arms"]] == [0.016, 0.012, 0.013, None]
    assert clear["arms"][1]["paper_verdict"] == "consistent"
    assert clear["arms"][2]["paper_low"] == pytest.approx(wilson(130, 10_000)[0])
    unclear = invented({"decay": 0.020, "all": 0.020})
    assert "is not seen with these settings" in unclear["conclusion"]
    assert unclear["arms"][0]["paper_verdict"] == "differs"
    assert set(NOTES) < set(clear["notes"])
    elsewhere = invented({"decay": 0.016, "all": 0.012}, dataset="digits")
    assert elsewhere["arms"][0]["paper"] is None, "the paper has no number for other images"


# Interruption


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_an_interrupted_run_ends_with_the_same_bytes(
    share: float, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_run, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(train_run, "CHECKPOINT_SHARE", 1e9)
    chosen = spec(arms=["all"], seeds=1, rounds=4)
    (part,) = chosen.plan(laboratory)
    undisturbed = MemoryResult(chosen.run(part, laboratory.context()))
    killed = laboratory.context(cancel_when=lambda done: done >= share * 1000)
    with pytest.raises(Cancelled):
        chosen.run(part, killed)
    again = laboratory.context(checkpoint=killed.checkpoint)
    assert MemoryResult(chosen.run(part, again)).bytes == undisturbed.bytes
    assert again.reports[0][0] > killed.reports[0][0], "it did not begin anew"
    done = [report[0] for report in again.reports]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1000)
    messages = [report[2] for report in killed.reports + again.reports]
    assert messages[0].startswith("Pools of all layers, seed 0: round 1 of at most 4, loss ")
    assert any("round 4 of at most 4" in message and "test error" in message for message in messages)


def test_a_diverging_training_ends_with_advice(laboratory: Laboratory) -> None:
    watch = ArmWatch(laboratory.context(), "decay", 0, rounds=9)
    with pytest.raises(InvalidInput, match="smaller learning rate") as refusal:
        watch.stage(Stage(round=1, done=0.1, loss=float("inf"), test_error=0.5, state=dict))
    assert refusal.value.field == "optimiser.learning_rate"


# Refusals


@pytest.mark.parametrize(
    ("fields", "blamed", "words"),
    [
        ({"dataset": "letters"}, "dataset", "letters"),
        ({"train_count": 1298}, "train_count", "1297"),
        ({"arms": ["decay", "all", "decay"]}, "arms", "named twice"),
        ({"arms": ["layer2"], "network": {"name": "mlp", "widths": [9]}}, "arms", "hidden layer 2"),
        ({"network": {"name": "mlp", "activation": "relu"}}, "network.activation", "sigmoid"),
        ({"network": {"name": "mlp", "widths": [10_000, 10_000]}}, "network", "at most 20,000,000"),
        ({"pools": {"size": 301}}, "pools.size", "smaller pool"),
        ({"pools": {"size": 60, "weights": [0.5, 0.5]}}, "pools.weights", "or 3"),
        ({"weight_decay": {"penalties": [0.1, 0.1]}}, "weight_decay.penalties", "3 layers"),
        ({"evaluation": {"images": 501}}, "evaluation.images", "500 test images"),
        ({"evaluation": {"images": 9, "radii": [1.0, 1.0]}}, "evaluation.radii", "once"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(
    fields: dict[str, Any], blamed: str, words: str, laboratory: Laboratory
) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        spec(**fields).resolve(laboratory)
    assert refusal.value.field == blamed


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"arms": ["decay", "magic"]}, ("arms", 1)),
        ({"arms": []}, ("arms",)),
        ({"seeds": 0}, ("seeds",)),
        ({"rounds": 1}, ("rounds",)),
        ({"network": {"name": "softmax"}}, ("network", "name")),
        ({"network": {"name": "mlp", "widths": []}}, ("network", "widths")),
        ({"evaluation": {"radii": [0.0]}}, ("evaluation", "radii", 0)),
        ({"evaluation": {"radii": [1e9]}}, ("evaluation", "radii", 0)),
        ({"evaluation": {"noise": [-0.1]}}, ("evaluation", "noise", 0)),
        ({"pools": {"refresh": 1.5}}, ("pools", "refresh")),
        ({"pools": {"weights": []}}, ("pools", "weights")),
        ({"pools": {"staleness": "fresh"}}, ("pools", "staleness")),
        ({"rivals": {"hidden_dropout": 1.0}}, ("rivals", "hidden_dropout")),
        ({"optimiser": {"name": "lbfgs", "iterations": 0}}, ("optimiser", "lbfgs", "iterations")),
    ],
)
def test_values_out_of_range_are_refused_at_their_field(
    fields: dict[str, Any], blamed: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        spec(**fields)
    assert refusal.value.errors()[0]["loc"] == blamed


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: str(preset["title"]))
def test_a_preset_holds_every_parameter_of_its_form(preset: dict[str, Any]) -> None:
    parsed = AdversarialTraining.model_validate_json(json.dumps(preset))
    whole = parsed.model_dump(mode="json", exclude={"seed", "device"})
    assert whole == preset
    assert list(parsed.arms) == list(ALL)


def test_the_form_as_it_opens_is_a_job(laboratory: Laboratory) -> None:
    opened = AdversarialTraining().resolve(laboratory)
    assert len(opened.plan(laboratory)) == 5 * len(ALL)
    assert opened.pools.settings(1297).size == 216
    assert opened.pools.settings(60_000).size == 10_000
    assert opened.pools.model_copy(update={"size": 7}).settings(60_000).size == 7


def test_parts_are_every_arm_of_a_seed_before_the_next_seed(laboratory: Laboratory) -> None:
    chosen = spec(arms=["all", "decay"], seeds=3)
    order = [(part.parameters["seed"], part.parameters["arm"]) for part in chosen.plan(laboratory)]
    assert order == [(seed, arm) for seed in range(3) for arm in ("all", "decay")]
