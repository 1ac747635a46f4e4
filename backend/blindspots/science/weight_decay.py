"""Four readings of the paper's weight decay, lambda * sum_i w_i^2 / k.

Szegedy et al. 2013, section 3.1, prints a division by "the number of units in the layer"; only half of
lambda times the squared norm of weights and biases, added to the mean cross-entropy, reproduces table 1.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from blindspots.science.networks import layers

DecayMode = Literal["half_l2_with_bias", "half_l2", "l2", "literal_k_units"]


@dataclass(frozen=True)
class WeightDecay:
    """A reading, and one lambda >= 0 per layer; a single lambda counts for every layer."""

    mode: DecayMode = "half_l2_with_bias"
    penalties: tuple[float, ...] = (0.0,)

    def coefficients(self, module: nn.Module) -> Tensor:
        """(p,) float64 on the module's device: the penalty is sum_i coefficient_i * parameter_i^2.

        The order is that of `flatten(module)`. Raises ValueError where the lambdas do not match the layers.
        """
        found = layers(module)
        if len(self.penalties) not in (1, len(found)):
            raise ValueError(
                f"expected 1 or {len(found)} penalties, one per layer, got {len(self.penalties)}"
            )
        penalties = self.penalties if len(self.penalties) == len(found) else self.penalties * len(found)
        pieces = []
        for layer, penalty in zip(found, penalties, strict=True):
            weight, bias = self._of_layer(penalty, units=layer.weight.shape[0])
            pieces.append(torch.full((layer.weight.numel(),), weight, dtype=torch.float64))
            if layer.bias is not None:
                pieces.append(torch.full((layer.bias.numel(),), bias, dtype=torch.float64))
        return torch.cat(pieces).to(found[0].weight.device)

    def _of_layer(self, penalty: float, *, units: int) -> tuple[float, float]:
        """Coefficients of weights and of biases."""
        match self.mode:
            case "half_l2_with_bias":
                return penalty / 2, penalty / 2
            case "half_l2":
                return penalty / 2, 0.0
            case "l2":
                return penalty, 0.0
            case "literal_k_units":
                return penalty / units, 0.0


def flatten(module: nn.Module) -> Tensor:
    """All parameters as one vector (p,) float64."""
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).double()


@torch.no_grad()
def unflatten(module: nn.Module, point: Tensor) -> None:
    """Put a vector (p,) back into the parameters, rounded to float32."""
    start = 0
    for parameter in module.parameters():
        parameter.copy_(point[start : start + parameter.numel()].view_as(parameter))
        start += parameter.numel()
    assert start == point.numel()
