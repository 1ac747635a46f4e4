"""Spectra to start from: AlexNet in the shapes that the paper and others used, with random weights."""

from typing import Any


def _alexnet(title: str, variant: str, side: int) -> dict[str, Any]:
    """A JSON-ready document."""
    return {
        "kind": "spectral",
        "title": title,
        "weights": "random",
        "untrained": {
            "network": {"name": "alexnet", "variant": variant},
            "channels": 3,
            "side": side,
            "classes": 1000,
        },
    }


PRESETS: tuple[dict[str, Any], ...] = (
    _alexnet("Table 5: AlexNet in one column", "one_column", 227),
    _alexnet("AlexNet in its two columns", "two_columns", 227),
    _alexnet("torchvision's AlexNet", "torchvision", 224),
)
