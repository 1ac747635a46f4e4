"""The networks that can be trained and attacked: what a user fills in, and how a module is built of it.

A network is one class in a file of its own, and its name in the union `Network`. Modules are built in
`build`, which is the first to import torch: forms and plans need only the parameters.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import Field, TypeAdapter

from blindspots.zoo.alexnet import AlexNet
from blindspots.zoo.autoencoder_softmax import AutoencoderSoftmax
from blindspots.zoo.convolutional import Convolutional
from blindspots.zoo.multilayer_perceptron import MultilayerPerceptron
from blindspots.zoo.network import NetworkParameters, Shape
from blindspots.zoo.onnx_network import OnnxNetwork
from blindspots.zoo.softmax import Softmax

if TYPE_CHECKING:
    from torch import nn

RegisteredNetwork = Softmax | MultilayerPerceptron | AutoencoderSoftmax | Convolutional | AlexNet
Network = Annotated[RegisteredNetwork, Field(discriminator="name")]
# What a model may be made of: besides those that can be trained here, a graph from a file.
_ADAPTER: TypeAdapter[NetworkParameters] = TypeAdapter(
    Annotated[RegisteredNetwork | OnnxNetwork, Field(discriminator="name")]
)


# Name -> parameters; a class carries its title and source.
ARCHITECTURES: dict[str, type[NetworkParameters]] = {
    "softmax": Softmax,
    "mlp": MultilayerPerceptron,
    "autoencoder_softmax": AutoencoderSoftmax,
    "conv": Convolutional,
    "alexnet": AlexNet,
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
    network = parse(facts.network, facts.parameters)
    module = network.loaded(facts.input_shape, len(facts.class_names), weights)
    return module.requires_grad_(False).eval()
