"""What a user of training may rely on: the model, resumption, refusals, the demo networks."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from blindspots.errors import Cancelled, InvalidInput
from blindspots.experiments import train_run
from blindspots.experiments.train import Train
from blindspots.experiments.train_presets import DEMO, PAPER, PRESETS, paper_training
from blindspots.science.training import Step
from blindspots.zoo import architectures, datasets, papers
from in_memory import Finished, Laboratory, MemoryResult
from test_zoo import write_set


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """The bundled digits."""
    return Laboratory(datasets.find())


@pytest.fixture(scope="module")
def demo(laboratory: Laboratory) -> dict[str, Finished]:
    """The demo networks, trained as the first start does."""
    return {spec["model_name"]: laboratory.run(Train.model_validate(spec)) for spec in DEMO}


def spec(**fields: Any) -> Train:
    return Train.model_validate_json(json.dumps({"kind": "train", **fields}))


# The model


@pytest.mark.parametrize("name", ["digits-softmax", "digits-100-100-10", "digits-conv"])
def test_demo_networks_are_good(name: str, demo: dict[str, Finished]) -> None:
    summary = demo[name].result.summary
    assert summary["model_name"] == name
    assert float(str(summary["test_error"])) < 0.05


def test_the_model_is_what_the_summary_says(demo: dict[str, Finished], laboratory: Laboratory) -> None:
    import torch

    for name, outcome in demo.items():
        facts = laboratory.model(name, field="model")
        module = architectures.load(facts, laboratory.weights[facts.id])
        images, labels = laboratory.pixels("digits", "test")
        answers = module(torch.tensor(images).float() / 255).argmax(1).numpy()
        assert (answers != labels).mean() == outcome.result.summary["test_error"]
        assert facts.class_names == tuple("0123456789")
        assert facts.multiply_adds > 0
        assert facts.linear == (name == "digits-softmax")


def test_curves_and_stop_reason_are_kept(demo: dict[str, Finished]) -> None:
    outcome = demo["digits-softmax"]
    iterations = outcome.result.summary["iterations"]
    assert outcome.result.array("iteration")[-1] == iterations
    for name in ("loss", "gradient_norm", "train_error", "test_error"):
        assert len(outcome.result.array(name)) == iterations + 1  # type: ignore[operator]
    assert "Converged" in str(outcome.result.summary["stop_reason"])
    assert outcome.result.summary["weight_decay"] == "half_l2_with_bias"


def test_the_papers_penalties_are_taken_where_none_is_given(laboratory: Laboratory) -> None:
    quick = {"optimiser": {"name": "lbfgs", "max_iterations": 2}}
    summary = laboratory.run(spec(network={"name": "mlp", "widths": [5, 5]}, **quick)).result.summary
    assert summary["penalties"] == [1e-5, 1e-5, 1e-6]
    assert summary["model_name"] == "digits-5-5"
    chosen = laboratory.run(spec(network={"name": "softmax"}, weight_decay={"penalties": [0.5]}, **quick))
    assert chosen.result.summary["penalties"] == [0.5]


def test_training_on_the_first_images_only(laboratory: Laboratory) -> None:
    quick = {"network": {"name": "softmax"}, "optimiser": {"name": "lbfgs", "max_iterations": 50}}
    few, all_of_them = (
        laboratory.run(spec(train_count=count, **quick)).result.summary for count in (50, None)
    )
    assert (few["train_images"], all_of_them["train_images"]) == (50, 1297)
    assert float(str(few["test_error"])) > float(str(all_of_them["test_error"]))


# Interruption

CODES = {"name": "autoencoder_softmax", "codes": 9}
BY_LBFGS = {"autoencoder_optimiser": "lbfgs", "autoencoder_iterations": 12}
BY_ADAM = {"autoencoder_optimiser": "adam", "autoencoder_epochs": 3, "autoencoder_batch_size": 32}
LBFGS = {"name": "lbfgs", "max_iterations": 20}
ADAM = {"name": "adam", "epochs": 2, "batch_size": 16}
RESUMABLE: dict[str, dict[str, Any]] = {
    "lbfgs": {"network": {"name": "mlp", "widths": [8]}, "optimiser": {**LBFGS, "max_iterations": 30}},
    "adam": {"network": {"name": "conv", "filters": 3, "kernel": 3}, "optimiser": ADAM},
    "autoencoder": {"network": {**CODES, **BY_LBFGS}, "optimiser": LBFGS},
    "autoencoder by adam": {"network": {**CODES, **BY_ADAM}, "optimiser": LBFGS},
    "both by adam": {"network": {**CODES, **BY_ADAM}, "optimiser": ADAM},
}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
@pytest.mark.parametrize("name", RESUMABLE)
def test_an_interrupted_training_ends_with_the_same_bytes(
    name: str, share: float, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_run, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(train_run, "CHECKPOINT_SHARE", 1e9)
    chosen = spec(**RESUMABLE[name], train_count=200)
    (part,) = chosen.plan(laboratory)
    undisturbed = MemoryResult(chosen.run(part, laboratory.context()))
    killed = laboratory.context(cancel_when=lambda done: done >= share * train_run.WORK)
    with pytest.raises(Cancelled):
        chosen.run(part, killed)
    assert killed.checkpoint, "nothing would be left of the work"
    again = laboratory.context(checkpoint=killed.checkpoint)
    assert MemoryResult(chosen.run(part, again)).bytes == undisturbed.bytes
    assert again.reports[0][0] > killed.reports[0][0], "it did not begin anew"


def test_progress_rises_to_the_end_and_says_what_is_done(laboratory: Laboratory) -> None:
    context = laboratory.context()
    chosen = spec(**RESUMABLE["autoencoder"], train_count=200)
    chosen.run(chosen.plan(laboratory)[0], context)
    done = [report[0] for report in context.reports]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(train_run.WORK)
    assert context.reports[0][2].startswith("autoencoder: iteration 1 of at most 12")
    assert "train error" in context.reports[-1][2]


def test_a_diverging_training_ends_with_advice(laboratory: Laboratory) -> None:
    watch = train_run.Watch(laboratory.context(), 0.0)
    with pytest.raises(InvalidInput, match="smaller learning rate") as refusal:
        watch.report(Step(done=1, total=10, loss=float("inf"), train_error=0.5, state=dict))
    assert refusal.value.field == "optimiser.learning_rate"


# Refusals


@pytest.mark.parametrize(
    ("fields", "blamed", "words"),
    [
        ({"dataset": "letters"}, "dataset", "letters"),
        ({"train_count": 1298}, "train_count", "1297"),
        ({"network": {"name": "conv", "kernel": 9}}, "network.kernel", "smaller kernel"),
        ({"network": {"name": "mlp", "widths": [10_000, 10_000]}}, "network", "at most 20,000,000"),
        ({"weight_decay": {"penalties": [0.1, 0.1]}}, "weight_decay.penalties", "hidden 1, hidden 2, output"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(
    fields: dict[str, Any], blamed: str, words: str, laboratory: Laboratory
) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        spec(**fields).resolve(laboratory)
    assert refusal.value.field == blamed


@pytest.mark.parametrize(
    "fields",
    [
        {"train_count": 0},
        {"network": {"name": "mlp", "widths": []}},
        {"optimiser": {"name": "sgd"}},
        {"optimiser": {"name": "adam", "learning_rate": 0}},
        {"optimiser": {"name": "lbfgs", "max_iterations": 10**9}},
        {"weight_decay": {"mode": "l1"}},
        {"weight_decay": {"penalties": [-1.0]}},
        {"model_name": "a\nb"},
        {"epochs": 3},
    ],
)
def test_values_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(**fields)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: str(preset["title"]))
def test_every_preset_is_a_job(preset: dict[str, Any], laboratory: Laboratory) -> None:
    parsed = spec(**preset)
    if parsed.dataset == "digits":
        assert parsed.resolve(laboratory) == parsed
    assert len({each["title"] for each in PRESETS}) == len(DEMO) + len(PAPER)


@pytest.fixture(scope="module")
def as_large_as_mnist(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """A set named mnist with as many images, of one pixel each."""
    folder = tmp_path_factory.mktemp("sets")
    arrays = {
        f"{split}-{role}": np.arange(count).reshape(shape).astype(np.uint8) % 10
        for split, count in (("train", 60_000), ("t10k", 10_000))
        for role, shape in (("images-idx3-ubyte", (count, 1, 1)), ("labels-idx1-ubyte", (count,)))
    }
    write_set(folder / "mnist", arrays)
    return Laboratory(datasets.find([folder]))


@pytest.mark.parametrize("name", [row.name for row in (*papers.TABLE_1, *papers.TABLE_3)])
def test_every_model_of_the_tables_has_a_training_that_gives_it(
    name: str, as_large_as_mnist: Laboratory
) -> None:
    training = Train.model_validate(paper_training(name)).resolve(as_large_as_mnist)
    promised = training.promised_model(as_large_as_mnist)
    assert papers.identify(promised) == name == promised.name
    elsewhere = Train.model_validate(paper_training(name, "digits"))
    assert papers.identify(elsewhere.promised_model(as_large_as_mnist)) is None
    assert elsewhere.plan(as_large_as_mnist)


def test_forms_need_no_torch() -> None:
    program = (
        "import sys, blindspots.experiments.train as train, blindspots.experiments.fetch_dataset; "
        "train.Train.model_json_schema(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
