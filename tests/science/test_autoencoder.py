"""The autoencoder learns codes without labels: its loss, its two optimisers, and what its codes are worth."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from blindspots.science.autoencoder import (
    Reconstruction,
    Sparsity,
    encode_all,
    train_autoencoder,
    train_autoencoder_adam,
)
from blindspots.science.networks import SparseAutoencoderSoftmax
from blindspots.science.training import State, Step, error_rate, train_lbfgs
from blindspots.science.weight_decay import WeightDecay, flatten
from small_trainings import SHAPE, Stopped, check_gradient, digits, started


def test_gradient_of_the_autoencoder_agrees_with_finite_differences() -> None:
    images, _ = digits("train", 30)
    network = SparseAutoencoderSoftmax(SHAPE, 10, codes=5)
    started(network).double()
    objective = Reconstruction(network, images.double(), sparsity=Sparsity(0.1, 0.5, 0.02))
    check_gradient(objective, flatten(objective.module))


def test_an_autoencoder_resumes_to_the_same_bytes() -> None:
    images, _ = digits("train", 200)

    def fit(state: State | None, report: Callable[[Step], None]) -> list[bytes]:
        network = SparseAutoencoderSoftmax(SHAPE, 10, codes=8)
        started(network)
        curves, _ = train_autoencoder(
            network, images, sparsity=Sparsity(), max_iterations=20, state=state, report=report
        )
        return [
            np.array(curves["loss"]).tobytes(),
            *(v.numpy().tobytes() for v in network.state_dict().values()),
        ]

    kept: dict[str, Any] = {}

    def stop(step: Step) -> None:
        if step.done == 9:
            kept.update(step.state())
            raise Stopped

    with pytest.raises(Stopped):
        fit(None, stop)
    assert fit(kept, lambda _: None) == fit(None, lambda _: None)


def test_codes_are_sparse_and_good_to_classify() -> None:
    images, labels = digits("train")
    network = SparseAutoencoderSoftmax(SHAPE, 10, codes=64)
    started(network)
    sparsity = Sparsity(share=0.05, weight=0.3, decay=1e-4)
    curves, _ = train_autoencoder(network, images, sparsity=sparsity, max_iterations=120)
    assert curves["loss"][-1] < 0.1 * curves["loss"][0]
    encoder = network.encoder.weight.detach().clone()
    codes = encode_all(network, images)
    assert float(codes.mean()) == pytest.approx(0.05, abs=0.03)
    train_lbfgs(network.output, codes, labels, weight_decay=WeightDecay(penalties=(1e-6,)))
    assert torch.equal(network.encoder.weight, encoder), "the encoder is frozen"
    assert error_rate(network, *digits("test")) < 0.06


def test_learnt_codes_are_better_than_random_ones() -> None:
    """The softmax on frozen codes errs far less often than on as many random features of the pixels."""
    images, labels = digits("train")

    def probe_error(network: SparseAutoencoderSoftmax) -> float:
        decay = WeightDecay(penalties=(1e-6,))
        train_lbfgs(
            network.output, encode_all(network, images), labels, weight_decay=decay, max_iterations=100
        )
        return error_rate(network, *digits("test"))

    random = SparseAutoencoderSoftmax(SHAPE, 10, codes=16)
    started(random)
    learnt = SparseAutoencoderSoftmax(SHAPE, 10, codes=16)
    started(learnt)
    curves = train_autoencoder_adam(
        learnt,
        images,
        sparsity=Sparsity(share=0.2, weight=1.0, decay=1e-3),
        epochs=40,
        batch_size=64,
        learning_rate=0.01,
        generator=torch.Generator().manual_seed(0),
    )
    assert curves["loss"][-1] < 0.5 * curves["loss"][0]
    assert float(encode_all(learnt, images).mean()) == pytest.approx(0.2, abs=0.05)
    assert probe_error(learnt) < 0.5 * probe_error(random)


def test_adam_and_lbfgs_lower_the_same_loss_of_an_autoencoder() -> None:
    images, _ = digits("train", 256)
    sparsity = Sparsity(share=0.1, weight=0.5, decay=1e-3)
    by_adam = SparseAutoencoderSoftmax(SHAPE, 10, codes=16)
    started(by_adam)
    by_lbfgs = copy.deepcopy(by_adam)
    train_autoencoder_adam(
        by_adam, images, sparsity=sparsity, epochs=1500, batch_size=256, learning_rate=0.01,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    curves, _ = train_autoencoder(by_lbfgs, images, sparsity=sparsity, max_iterations=150)
    objective = Reconstruction(by_adam, images, sparsity=sparsity)
    assert objective(flatten(objective.module))[0] == pytest.approx(curves["loss"][-1], rel=0.1)
