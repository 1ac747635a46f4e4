"""Training reaches the minimum, says why it stopped, and resumes to the same bytes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from blindspots.science.adam import train_adam
from blindspots.science.descent import StopReason
from blindspots.science.networks import (
    Convolutional,
    MultilayerPerceptron,
    Softmax,
)
from blindspots.science.training import Objective, State, Step, TrainingOutcome, error_rate, train_lbfgs
from blindspots.science.weight_decay import DecayMode, WeightDecay, flatten
from blindspots.zoo import datasets
from small_trainings import SHAPE, Stopped, check_gradient, digits, started

MODES: tuple[DecayMode, ...] = ("half_l2_with_bias", "half_l2", "l2", "literal_k_units")


def perceptron() -> nn.Module:
    return started(MultilayerPerceptron(SHAPE, 10, widths=[12, 9]))


# The objective


def test_weight_decay_follows_each_reading() -> None:
    module = MultilayerPerceptron(SHAPE, 10, widths=[5])
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(2.0)
    weights, biases = (320, 50), (5, 10)  # numbers of weights and of biases in each layer
    first, second = 0.3, 0.7  # lambda of each layer
    expected = {
        "half_l2_with_bias": 2 * first * (weights[0] + biases[0]) + 2 * second * (weights[1] + biases[1]),
        "half_l2": 2 * first * weights[0] + 2 * second * weights[1],
        "l2": 4 * first * weights[0] + 4 * second * weights[1],
        "literal_k_units": 4 * first * weights[0] / 5 + 4 * second * weights[1] / 10,
    }
    for mode in MODES:
        coefficients = WeightDecay(mode, (first, second)).coefficients(module)
        assert float((coefficients * flatten(module).square()).sum()) == pytest.approx(expected[mode])


def test_one_penalty_counts_for_every_layer_and_a_wrong_number_is_refused() -> None:
    module = perceptron()
    one, three = WeightDecay("l2", (0.5,)), WeightDecay("l2", (0.5, 0.5, 0.5))
    assert torch.equal(one.coefficients(module), three.coefficients(module))
    with pytest.raises(ValueError, match="expected 1 or 3 penalties, one per layer, got 2"):
        WeightDecay("l2", (0.5, 0.5)).coefficients(module)


@pytest.mark.parametrize("mode", MODES)
def test_gradient_of_the_loss_agrees_with_finite_differences(mode: DecayMode) -> None:
    images, labels = digits("train", 40)
    module = started(MultilayerPerceptron(SHAPE, 10, widths=[4])).double()
    objective = Objective(module, images.double(), labels, weight_decay=WeightDecay(mode, (0.1, 0.3)))
    check_gradient(objective, flatten(module))


def test_images_without_labels_are_refused() -> None:
    images, labels = digits("train", 8)
    with pytest.raises(ValueError, match="expected as many labels as images, and some, got 7 and 8"):
        Objective(perceptron(), images, labels[:7], weight_decay=WeightDecay())


# L-BFGS


@pytest.mark.parametrize("mode", MODES)
def test_lbfgs_reaches_the_minimum_that_scipy_finds(mode: DecayMode) -> None:
    images, labels = digits("train", 300)
    decay = WeightDecay(mode, (1e-3,))
    module = started(Softmax(SHAPE, 10))
    outcome = train_lbfgs(module, images, labels, weight_decay=decay)
    double = Softmax(SHAPE, 10).double()
    objective = Objective(double, images.double(), labels, weight_decay=decay)

    def value_and_gradient(point: Any) -> tuple[float, Any]:
        value, gradient = objective(torch.tensor(point))
        return value, gradient.numpy()

    options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9, "maxfun": 100_000}
    found = minimize(value_and_gradient, np.zeros(650), jac=True, method="L-BFGS-B", options=options)
    assert outcome.loss == pytest.approx(found.fun, rel=1e-5)
    assert "Converged" in outcome.stop_reason.value


def test_curves_begin_at_the_start_and_end_at_the_result() -> None:
    images, labels = digits("train", 300)
    test = digits("test")
    module = perceptron()
    before = error_rate(module, images, labels)
    outcome = train_lbfgs(
        module, images, labels, weight_decay=WeightDecay(penalties=(1e-4,)), test=test, max_iterations=60
    )
    curves = outcome.curves
    assert {len(curve) for curve in curves.values()} == {61}
    assert curves["iteration"].tolist() == list(range(61))
    assert (np.diff(curves["loss"]) < 0).all(), "L-BFGS never goes up"
    assert curves["train_error"][0] == before
    assert curves["train_error"][-1] == error_rate(module, images, labels) == outcome.train_error
    assert curves["test_error"][-1] == error_rate(module, *test) == outcome.test_error
    assert curves["gradient_norm"][-1] == outcome.gradient_norm


# Interruption


def lbfgs(state: State | None, report: Callable[[Step], None]) -> tuple[nn.Module, TrainingOutcome]:
    module = perceptron()
    outcome = train_lbfgs(
        module, *digits("train", 400), weight_decay=WeightDecay(penalties=(1e-4,)), test=digits("test", 100),
        max_iterations=40, history=6, state=state, report=report,
    )  # fmt: skip
    return module, outcome


def adam(state: State | None, report: Callable[[Step], None]) -> tuple[nn.Module, TrainingOutcome]:
    module = started(Convolutional(SHAPE, 10, filters=4, kernel=3, pool=2, hidden=16, dropout=0.5))
    outcome = train_adam(
        module, *digits("train", 400), weight_decay=WeightDecay(penalties=(1e-4,)), test=digits("test", 100),
        epochs=4, batch_size=64, learning_rate=2e-3, generator=torch.Generator().manual_seed(7), state=state,
        report=report,
    )  # fmt: skip
    return module, outcome


def fingerprint(module: nn.Module, outcome: TrainingOutcome) -> list[bytes]:
    weights = [value.numpy().tobytes() for value in module.state_dict().values()]
    return [*weights, *(outcome.curves[name].tobytes() for name in sorted(outcome.curves))]


@pytest.mark.parametrize("training", [lbfgs, adam])
@pytest.mark.parametrize("stops", [[1], [3, 4, 5], [7, 14, 21], [27]], ids=str)
def test_a_killed_and_resumed_training_gives_the_same_bytes(training: Any, stops: list[int]) -> None:
    undisturbed = fingerprint(*training(None, lambda _: None))
    state: State | None = None
    for stop in stops:
        kept: dict[str, Any] = {}

        def report(step: Step, stop: int = stop, kept: dict[str, Any] = kept) -> None:
            if step.done == stop:
                kept.update({name: array.copy() for name, array in step.state().items()})
                raise Stopped

        with pytest.raises(Stopped):
            training(state, report)
        state = kept
    assert fingerprint(*training(state, lambda _: None)) == undisturbed


@pytest.mark.parametrize("training", [train_lbfgs, train_adam])
def test_cancelling_is_heard_within_an_iteration(training: Any) -> None:
    settings = {"epochs": 1, "batch_size": 32, "learning_rate": 1e-3, "generator": torch.Generator()}
    reported: list[Step] = []

    def interrupt() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        training(
            perceptron(), *digits("train", 100), weight_decay=WeightDecay(), report=reported.append,
            interrupt=interrupt, **(settings if training is train_adam else {}),
        )  # fmt: skip
    assert reported == []


# What is learnt


def test_adam_learns_digits() -> None:
    module = started(Convolutional(SHAPE, 10, filters=16, kernel=3, pool=2, hidden=64, dropout=0.5))
    outcome = train_adam(
        module, *digits("train"), weight_decay=WeightDecay(), test=digits("test"), epochs=10, batch_size=32,
        learning_rate=2e-3, generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert outcome.test_error < 0.05
    assert outcome.train_error == error_rate(module, *digits("train")), (
        "of the final weights, without dropout"
    )
    assert outcome.stop_reason is StopReason.EPOCHS
    assert outcome.curves["iteration"].tolist() == list(range(1, 11))


def test_the_papers_strongest_weight_decay_gives_the_papers_errors() -> None:
    """Table 1, softmax3: 21.2 % on the training images, 20 % on the test images."""
    default = Path(__file__).parents[3] / "shared" / "data"
    mnist = datasets.find([Path(os.environ.get("BLINDSPOTS_DATASETS_DIR") or default)])["mnist"]
    if not mnist.available:
        pytest.skip(mnist.reason)

    def tensors(split: str) -> tuple[Tensor, Tensor]:
        images, labels = mnist.load(split)
        return torch.tensor(images).float() / 255, torch.tensor(labels)

    outcome = train_lbfgs(
        started(Softmax((1, 28, 28), 10)), *tensors("train"), weight_decay=WeightDecay(penalties=(1.0,)),
        test=tensors("test"),
    )  # fmt: skip
    assert 100 * outcome.train_error == pytest.approx(21.2, abs=0.3)
    assert 100 * outcome.test_error == pytest.approx(20.0, abs=0.3)
    assert "Converged" in outcome.stop_reason.value
