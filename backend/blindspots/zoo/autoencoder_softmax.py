"""A sparse autoencoder and a softmax on its codes."""

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from blindspots.zoo.network import (
    NetworkParameters,
    Shape,
    WeightShapes,
    dense_parameters,
    dense_products,
    dense_shapes,
)

if TYPE_CHECKING:
    from torch import nn


def _when(optimiser: str) -> dict[str, Any]:
    """For a field that counts only with this optimiser of the autoencoder."""
    return {"x-group": "advanced", "x-when": {"autoencoder_optimiser": [optimiser]}}


class AutoencoderSoftmax(NetworkParameters):
    """A sparse autoencoder learns codes without labels; a softmax on the codes learns the classes."""

    name: Literal["autoencoder_softmax"] = "autoencoder_softmax"

    codes: int = Field(400, ge=1, le=10_000)
    """Units of the code."""

    sparsity: float = Field(0.1, gt=0, lt=1)
    """Share of images on which a code unit shall be active: rho."""

    sparsity_weight: float = Field(1.0, ge=0, le=1000, json_schema_extra={"x-group": "advanced"})
    """How much sparsity counts beside reconstruction: beta. The paper is silent."""

    weight_penalty: float = Field(1e-3, ge=0, le=10, json_schema_extra={"x-group": "advanced"})
    """Weight decay of encoder and decoder: mu. The paper is silent."""

    autoencoder_optimiser: Literal["adam", "lbfgs"] = Field("adam", json_schema_extra={"x-group": "advanced"})
    """How the codes are learnt, before the softmax sees its first label: Adam on batches, or L-BFGS on all
    images at once, whose codes are worse after the same two minutes on MNIST: 3.0 % test error, not 1.9 %."""

    autoencoder_epochs: int = Field(40, ge=1, le=10_000, json_schema_extra=_when("adam"))
    """How often Adam sees every image."""

    autoencoder_batch_size: int = Field(256, ge=1, le=65_536, json_schema_extra=_when("adam"))
    """Images of one step of Adam; the sparsity is measured on them."""

    autoencoder_learning_rate: float = Field(0.01, gt=0, le=1, json_schema_extra=_when("adam"))
    """Length of Adam's first steps; they shrink linearly to nothing."""

    autoencoder_iterations: int = Field(400, ge=1, le=10_000, json_schema_extra=_when("lbfgs"))
    """Iterations of L-BFGS."""

    title = "Sparse autoencoder with softmax"
    source = "Szegedy et al. 2013, table 1: AE400-10"
    first_layer = "encoder"

    @property
    def layers(self) -> tuple[str, ...]:
        return ("output",)

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (1e-6,)

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        pixels = math.prod(input_shape)
        return dense_parameters(pixels, self.codes, pixels) + dense_parameters(self.codes, classes)

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        return dense_products(math.prod(input_shape), self.codes, classes)  # nothing is decoded

    def weight_shapes(self, input_shape: Shape, classes: int) -> WeightShapes:
        pixels = math.prod(input_shape)
        return {
            **dense_shapes("encoder", pixels, self.codes),
            **dense_shapes("decoder", self.codes, pixels),
            **dense_shapes("output", self.codes, classes),
        }

    @property
    def short_name(self) -> str:
        return f"AE{self.codes}"

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.SparseAutoencoderSoftmax(input_shape, classes, codes=self.codes)
