"""Weights of torchvision's trained networks, written as safetensors that can be added here."""

from pathlib import Path
from typing import Any

from blindspots.errors import InvalidInput

NETWORKS: dict[str, dict[str, Any]] = {"alexnet": {"name": "alexnet", "variant": "torchvision"}}
"""Name there -> the network here that has the same names of its weights."""
SHAPE = (3, 224, 224)


def save(name: str, file: Path) -> list[str]:
    """Download the trained weights of a network into a safetensors file; the names of its classes.

    Raises InvalidInput for a network that is not known, and where torchvision is missing.
    """
    if name not in NETWORKS:
        raise InvalidInput(
            f"Of torchvision's networks, these are known: {', '.join(NETWORKS)}.", field="name"
        )
    try:
        from torchvision import models
    except ImportError as error:
        raise InvalidInput(
            "torchvision is not installed here. Install the one that matches this torch with "
            "pip install 'blindspots[zoo]', or bring the weights as safetensors or ONNX: blindspots models "
            "add.",
            field="name",
        ) from error
    weights = models.get_model_weights(name).DEFAULT
    write(models.get_model(name, weights=weights), file)
    return list(weights.meta["categories"])


def write(module: Any, file: Path) -> None:
    """The state of a module as safetensors."""
    from safetensors.torch import save_file

    save_file({key: value.contiguous() for key, value in module.state_dict().items()}, file)
