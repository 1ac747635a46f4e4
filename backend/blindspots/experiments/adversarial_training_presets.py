"""Adversarial trainings to start from: a look on the bundled digits, and the paper's on MNIST."""

from typing import Any

ARMS = ["decay", "dropout", "input", "layer1", "layer2", "all", "noise", "pgd"]


def _pools(size: int) -> dict[str, Any]:
    return {
        "size": size, "refresh": 0.1, "weights": [0.1], "staleness": "recompute", "target": "random",
        "mode": "tight", "max_ticks": 10, "initial_c": 1.0, "growth": 2.0, "max_iterations": 10,
    }  # fmt: skip


QUICK: dict[str, Any] = {
    "kind": "adversarial_training",
    "title": "Adversarial training, quick: digits",
    "dataset": "digits",
    "train_count": None,
    "network": {"name": "mlp", "widths": [100, 100], "activation": "sigmoid"},
    "arms": ARMS,
    "seeds": 2,
    "rounds": 15,
    "optimiser": {"name": "adam", "batch_size": 64, "learning_rate": 1e-2},
    "weight_decay": {"mode": "half_l2_with_bias", "penalties": None},
    "pools": _pools(400),
    "rivals": {"input_dropout": 0.2, "hidden_dropout": 0.5, "pgd_radius": 0.3, "pgd_steps": 5},
    "evaluation": {"images": 200, "radii": [0.2, 0.4, 0.6, 0.8], "noise": [0.1, 0.3]},
}
PAPER: dict[str, Any] = {
    **QUICK,
    "title": "Adversarial training of the paper: MNIST, 5 seeds",
    "dataset": "mnist",
    "seeds": 5,
    "rounds": 20,
    "optimiser": {"name": "adam", "batch_size": 256, "learning_rate": 1e-2},
    "pools": _pools(10_000),
    "rivals": {"input_dropout": 0.2, "hidden_dropout": 0.5, "pgd_radius": 1.0, "pgd_steps": 5},
    "evaluation": {"images": 500, "radii": [0.5, 1.0, 1.5, 2.0], "noise": [0.1, 0.3]},
}
PRESETS = (QUICK, PAPER)
