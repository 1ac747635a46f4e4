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


SIGMOID = [1e-5, 1e-5, 1e-6]
PAPER_NETWORKS: dict[str, tuple[dict[str, Any], list[float], str]] = {
    "softmax1": ({"name": "softmax"}, [1e-4], ""),
    "softmax2": ({"name": "softmax"}, [1e-2], ""),
    "softmax3": ({"name": "softmax"}, [1.0], ""),
    "N100-100-10": ({"name": "mlp", "widths": [100, 100]}, SIGMOID, ""),
    "N200-200-10": ({"name": "mlp", "widths": [200, 200]}, SIGMOID, ""),
    "AE400-10": ({"name": "autoencoder_softmax", "codes": 400}, [1e-6], ""),
    "M1": ({"name": "mlp", "widths": [100, 100]}, SIGMOID, ":P1:0"),
    "M1'": ({"name": "mlp", "widths": [123, 456]}, SIGMOID, ":P1:0"),
    "M2": ({"name": "mlp", "widths": [100, 100]}, SIGMOID, ":P2:0"),
}
"""The models of Szegedy et al. 2013, tables 1 and 3: network, lambda of each layer, half of the training set.

Table 3 prints no lambda; those of N100-100-10 are taken.
"""


def paper_training(name: str, dataset: str = "mnist") -> dict[str, Any]:
    """The Train document of a model of tables 1 and 3, on the paper's data set or another.

    Raises KeyError for a name that the tables do not have.
    """
    network, penalties, half = PAPER_NETWORKS[name]
    return {
        "kind": "train",
        "title": f"{name} of the paper" if dataset == "mnist" else f"{name} of the paper, on {dataset}",
        "dataset": dataset + half,
        "network": network,
        "optimiser": LBFGS,
        "weight_decay": {"mode": "half_l2_with_bias", "penalties": penalties},
        "model_name": name if dataset == "mnist" else f"{dataset}-{name}",
    }


CONVOLUTIONAL: dict[str, Any] = {
    "kind": "train",
    "title": "conv of the paper",
    "dataset": "mnist",
    "network": {"name": "conv"},
    "optimiser": {"name": "adam", "epochs": 5},
    "weight_decay": {"mode": "half_l2_with_bias", "penalties": [0.0]},
    "model_name": "conv",
}
PAPER: tuple[dict[str, Any], ...] = (*(paper_training(name) for name in PAPER_NETWORKS), CONVOLUTIONAL)


PRESETS = (*DEMO, *PAPER)
