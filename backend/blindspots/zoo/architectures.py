"""The networks that can be trained and attacked: what a user fills in, and how a module is built of it.

A network is one class here and its name in the union `Network`. Modules are built in `build`, which is the
first to import torch: forms and plans need only the parameters.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pydantic import Field, TypeAdapter

from blindspots.zoo.network import NetworkParameters, Shape, dense_parameters, dense_products

if TYPE_CHECKING:
    from torch import nn


class Softmax(NetworkParameters):
    """A linear classifier: one weight per pixel and class."""

    name: Literal["softmax"] = "softmax"

    title = "Softmax (linear)"
    source = "Szegedy et al. 2013, table 1: FC10"
    linear = True

    @property
    def layers(self) -> tuple[str, ...]:
        return ("output",)

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (1e-4,)

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        return dense_parameters(math.prod(input_shape), classes)

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        return dense_products(math.prod(input_shape), classes)

    @property
    def short_name(self) -> str:
        return "softmax"

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.Softmax(input_shape, classes)


class MultilayerPerceptron(NetworkParameters):
    """Fully connected hidden layers of any widths."""

    name: Literal["mlp"] = "mlp"

    widths: list[Annotated[int, Field(ge=1, le=10_000)]] = Field([100, 100], min_length=1, max_length=8)
    """Units of each hidden layer, from the pixels on."""

    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    """What each hidden unit does with its sum. The paper uses sigmoids."""

    title = "Multilayer perceptron"
    source = "Szegedy et al. 2013, table 1: FC100-100-10, FC200-200-10; table 3: FC123-456-10"

    @property
    def smooth(self) -> bool:
        return self.activation != "relu"

    @property
    def layers(self) -> tuple[str, ...]:
        return (*(f"hidden {number}" for number in range(1, len(self.widths) + 1)), "output")

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (*(1e-5 for _ in self.widths), 1e-6)

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        return dense_parameters(math.prod(input_shape), *self.widths, classes)

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        return dense_products(math.prod(input_shape), *self.widths, classes)

    @property
    def short_name(self) -> str:
        return "-".join(str(width) for width in self.widths)

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.MultilayerPerceptron(
            input_shape, classes, widths=self.widths, activation=self.activation
        )


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

    @property
    def short_name(self) -> str:
        return f"AE{self.codes}"

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.SparseAutoencoderSoftmax(input_shape, classes, codes=self.codes)


class Convolutional(NetworkParameters):
    """One convolution, one max-pooling, one fully connected layer with dropout."""

    name: Literal["conv"] = "conv"

    filters: int = Field(32, ge=1, le=1024)
    """Filters of the convolution."""

    kernel: int = Field(5, ge=1, le=32)
    """Side of a filter, in pixels."""

    pool: int = Field(2, ge=1, le=16)
    """Side of the max-pooling window, and its stride."""

    hidden: int = Field(400, ge=1, le=10_000)
    """Units of the fully connected layer."""

    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of the hidden units that are silenced during training by Adam; L-BFGS trains without."""

    title = "Convolutional network"
    source = "Szegedy et al. 2013, section 3, which gives no sizes"

    @property
    def smooth(self) -> bool:
        return False

    @property
    def layers(self) -> tuple[str, ...]:
        return ("convolution", "hidden", "output")

    @property
    def paper_penalties(self) -> tuple[float, ...]:
        return (0.0, 0.0, 0.0)  # the paper names dropout and no weight decay

    def parameter_count(self, input_shape: Shape, classes: int) -> int:
        weights = self.filters * (input_shape[0] * self.kernel**2 + 1)
        return weights + dense_parameters(self._maps(input_shape), self.hidden, classes)

    def multiply_adds(self, input_shape: Shape, classes: int) -> int:
        channels, height, width = input_shape
        positions = (height - self.kernel + 1) * (width - self.kernel + 1)
        convolution = positions * self.filters * channels * self.kernel**2
        return convolution + dense_products(self._maps(input_shape), self.hidden, classes)

    def _maps(self, input_shape: Shape) -> int:
        """Numbers that pooling leaves."""
        return self.filters * self._pooled(input_shape[1]) * self._pooled(input_shape[2])

    def _pooled(self, side: int) -> int:
        return max(0, side - self.kernel + 1) // self.pool

    @property
    def short_name(self) -> str:
        return "conv"

    def unfit(self, input_shape: Shape) -> str | None:
        _, height, width = input_shape
        if self._pooled(min(height, width)) >= 1:
            return None
        return (
            f"A {self.kernel} × {self.kernel} convolution and {self.pool} × {self.pool} pooling leave "
            f"nothing of {height} × {width} pixels; choose a smaller kernel or pool."
        )

    def build(self, input_shape: Shape, classes: int) -> "nn.Module":
        from blindspots.science import networks

        return networks.Convolutional(input_shape, classes, **self.model_dump(exclude={"name"}))


Network = Annotated[
    Softmax | MultilayerPerceptron | AutoencoderSoftmax | Convolutional, Field(discriminator="name")
]
_ADAPTER: TypeAdapter[NetworkParameters] = TypeAdapter(Network)


# Name -> parameters; a class carries its title and source.
ARCHITECTURES: dict[str, type[NetworkParameters]] = {
    "softmax": Softmax,
    "mlp": MultilayerPerceptron,
    "autoencoder_softmax": AutoencoderSoftmax,
    "conv": Convolutional,
}


class TrainedFacts(Protocol):
    """What `load` needs to know of a trained model; `experiments.base.ModelFacts` is one."""

    @property
    def network(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def input_shape(self) -> Shape: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...


def parse(name: str, parameters: Mapping[str, Any]) -> NetworkParameters:
    """The parameters of the network of that name. Raises pydantic's ValidationError."""
    return _ADAPTER.validate_python({**parameters, "name": name})


def load(facts: TrainedFacts, weights: Mapping[str, Any]) -> "nn.Module":
    """The trained module, on the CPU, in evaluation mode, without gradients for its weights.

    weights: arrays by the names of the module's state. Raises ValueError where they do not fit the network.
    """
    import numpy as np
    import torch

    module = parse(facts.network, facts.parameters).build(facts.input_shape, len(facts.class_names))
    state = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"these weights are not of a {facts.network} network like this: {error}") from error
    return module.requires_grad_(False).eval()
