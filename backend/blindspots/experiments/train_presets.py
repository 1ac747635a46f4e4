"""Trainings to start from: the demo networks of the first start, and those of the paper."""

from typing import Any

LBFGS = {"name": "lbfgs", "max_iterations": 600}
DEMO: tuple[dict[str, Any], ...] = (
    {
        "kind": "train",
        "title": "Demo: a linear network",
        "dataset": "digits",
        "network": {"name": "softmax"},
        "optimiser": {"name": "lbfgs"},
        "weight_decay": {"penalties": [1e-4]},
        "model_name": "digits-softmax",
    },
    {
        "kind": "train",
        "title": "Demo: two hidden layers of sigmoids",
        "dataset": "digits",
        "network": {"name": "mlp", "widths": [100, 100], "activation": "sigmoid"},
        "optimiser": {"name": "lbfgs", "max_iterations": 400},
        "weight_decay": {"penalties": [1e-5, 1e-5, 1e-6]},
        "model_name": "digits-100-100-10",
    },
    {
        "kind": "train",
        "title": "Demo: a convolutional network",
        "dataset": "digits",
        "network": {"name": "conv", "filters": 32, "kernel": 3, "pool": 2, "hidden": 128, "dropout": 0.5},
        "optimiser": {"name": "adam", "epochs": 20, "batch_size": 32, "learning_rate": 2e-3},
        "model_name": "digits-conv",
    },
)


def _paper(
    name: str, network: dict[str, Any], penalties: list[float], optimiser: dict[str, Any] = LBFGS
) -> dict[str, Any]:
    return {
        "kind": "train",
        "title": f"{name} of the paper",
        "dataset": "mnist",
        "network": network,
        "optimiser": optimiser,
        "weight_decay": {"mode": "half_l2_with_bias", "penalties": penalties},
        "model_name": name,
    }


PAPER: tuple[dict[str, Any], ...] = (
    _paper("softmax1", {"name": "softmax"}, [1e-4]),
    _paper("softmax2", {"name": "softmax"}, [1e-2]),
    _paper("softmax3", {"name": "softmax"}, [1.0]),
    _paper("N100-100-10", {"name": "mlp", "widths": [100, 100]}, [1e-5, 1e-5, 1e-6]),
    _paper("N200-200-10", {"name": "mlp", "widths": [200, 200]}, [1e-5, 1e-5, 1e-6]),
    _paper("AE400-10", {"name": "autoencoder_softmax", "codes": 400}, [1e-6]),
    _paper("conv", {"name": "conv"}, [0.0], {"name": "adam", "epochs": 5}),
)


PRESETS = (*DEMO, *PAPER)
