"""What every network's parameters have in common."""

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, int, int]  # channels, height, width
WeightShapes = dict[str, tuple[int, ...]]  # of a module's state: name -> shape, in the module's order


def dense_parameters(*sizes: int) -> int:
    """Weights and biases of fully connected layers of these sizes."""
    return sum((before + 1) * after for before, after in itertools.pairwise(sizes))


def dense_products(*sizes: int) -> int:
    """Multiply-adds of fully connected layers of these sizes."""
    return sum(before * after for before, after in itertools.pairwise(sizes))


def dense_shapes(name: str, inputs: int, outputs: int) -> WeightShapes:
    """What a fully connected layer of that name keeps."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def convolution_shapes(name: str, channels: int, filters: int, kernel: int) -> WeightShapes:
    """What a convolution of that name keeps; of a grouped one, `channels` are those of one group."""
    return {f"{name}.weight": (filters, channels, kernel, kernel), f"{name}.bias": (filters,)}


class NetworkParameters(BaseModel):
    """Base of every network's parameters: strict, frozen, no unknown field, no NaN."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    title: ClassVar[str]
    source: ClassVar[str]
    unfit_field: ClassVar[str] = "name"  # that `unfit` asks to change
    linear: ClassVar[bool] = False  # logits are affine in the pixels
    first_layer: ClassVar[str] = ""
    """Module that reads the pixels, without padding: preprocessing can become part of its weights."""

    @property
    def smooth(self) -> bool:
        """Whether the logits have continuous derivatives."""
        return True

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that learn from labels, in order: each may have its own weight decay."""
        raise NotImplementedError

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        """Lambda of each of `layers` as the paper has it, for a user who gives none."""
        raise NotImplementedError

    @property
    def short_name(self) -> str:
        """For a model that its user does not name."""
        raise NotImplementedError

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        """Numbers that training has to find."""
        raise NotImplementedError

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        """Of one forward pass of one image; as `science.networks.multiply_adds` counts them."""
        raise NotImplementedError

    def weight_shapes(self, input_shape: Shape, classes: int) -> WeightShapes:
        """Names and shapes of the module's state, known without building it."""
        raise NotImplementedError

    def unfit(self, input_shape: Shape) -> str | None:  # noqa: ARG002
        """Why images of that shape cannot be read, None where they can."""
        return None

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        """The module, with torch's own starting weights."""
        raise NotImplementedError

    def loaded(self, input_shape: Shape, classes: int, weights: Mapping[str, Any]) -> "nn.Module":
        """The module with these weights, arrays by the names of its state, on the CPU.

        Raises ValueError where they do not fit.
        """
        import numpy as np
        import torch

        with torch.device("meta"):  # a large network is not filled with starting weights first
            module = self.build(input_shape, classes)
        arrays = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
        state = {name: each.float() if each.is_floating_point() else each for name, each in arrays.items()}
        try:
            module.load_state_dict(state, assign=True)
        except RuntimeError as error:
            raise ValueError(f"these weights are not of a {self.title} like this: {error}") from error
        return module
