"""A transfer between three models of the bundled digits, and its images recomputed: what its tests share."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from blindspots.experiments.base import NewModel
from blindspots.experiments.transfer import Transfer
from blindspots.zoo import datasets
from in_memory import DIGITS, Finished, Laboratory, train_on_digits

MODELS = ["digits-softmax", "linear-b", "digits-mlp"]
LINEAR = MODELS[:2]
IMAGES = 60


@cache
def transfer_laboratory() -> Laboratory:
    """Two linear networks and a sigmoid one on the bundled digits; made once per process."""
    laboratory = Laboratory(datasets.find())
    first = train_on_digits(laboratory, "softmax")
    train_on_digits(laboratory, "mlp", widths=[16])
    rng = np.random.default_rng(0)
    add_model(
        laboratory,
        name="linear-b",
        weights={
            name: (value + rng.normal(0, 0.4, value.shape)).astype(np.float32)
            for name, value in laboratory.weights[first.id].items()
        },
    )
    return laboratory


def add_model(laboratory: Laboratory, **changes: Any) -> None:
    """A model like the first one, but for these fields."""
    first = laboratory.models["model-0"]
    fields = {
        name: getattr(first, name)
        for name in ("network", "parameters", "input_shape", "class_names", "dataset", "multiply_adds")
    }
    laboratory.add_model(
        NewModel(
            **{**fields, "weights": laboratory.weights[first.id], "metrics": {}, "linear": True, **changes}
        )
    )


def transfer(**fields: Any) -> Transfer:
    """All three models shown each other's images, but for those fields."""
    document = {
        "kind": "transfer", "sources": MODELS, "evaluated": MODELS, "seed": 4,
        "images": {**DIGITS, "count": IMAGES}, **fields,
    }  # fmt: skip
    return Transfer.model_validate_json(json.dumps(document))


@cache
def finished_transfer() -> Finished:
    """The whole matrix of sixty digits."""
    return transfer_laboratory().run(transfer())


def rows_of(outcome: Finished, kind: str) -> Iterator[tuple[int, Any]]:
    rows: Any = outcome.result.summary["rows"]
    return ((number, row) for number, row in enumerate(rows) if row["kind"] == kind)


def logits(laboratory: Laboratory, name: str, images: np.ndarray) -> np.ndarray:
    """Of a linear network, by numpy in float64."""
    weights = laboratory.weights[laboratory.model(name, field="model").id]
    matrix, bias = sorted((np.asarray(each, np.float64) for each in weights.values()), key=lambda w: -w.ndim)
    return images.reshape(len(images), -1).astype(np.float64) @ matrix.T + bias


def pixels(outcome: Finished, row: int, count: int = IMAGES) -> tuple[np.ndarray, np.ndarray]:
    """Unchanged and changed images of a row, as the page shows them."""
    shown = [outcome.spec.example(outcome, row * count + place) for place in range(count)]
    assert all(each is not None and each.adversarial is not None for each in shown)
    return (
        np.stack([each.original for each in shown if each is not None]),
        np.stack([each.adversarial for each in shown if each is not None and each.adversarial is not None]),
    )


def labels(outcome: Finished) -> np.ndarray:
    return outcome.parts[0].array("label")
