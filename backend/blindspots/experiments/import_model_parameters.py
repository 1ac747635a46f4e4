"""What a user says of a file of weights: which network it is for, and what that network reads."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments.parameters import Parameters
from blindspots.zoo.architectures import RegisteredNetwork
from blindspots.zoo.network import NetworkParameters

Channel = Annotated[float, Field(ge=-1e4, le=1e4)]
Pixels = Literal["0 to 1", "0 to 255", "-1 to 1"]
# Pixels p that the network reads, of pixels x in [0, 1]: p = factor * x + start.
RANGES: dict[Pixels, tuple[float, float]] = {
    "0 to 1": (1.0, 0.0),
    "0 to 255": (255.0, 0.0),
    "-1 to 1": (2.0, -1.0),
}


class OnnxFile(Parameters):
    """The network is in the file: an ONNX graph, whatever framework wrote it."""

    name: Literal["onnx"] = "onnx"

    layout: Literal["as in the file", "channels first", "channels last"] = "as in the file"
    """Order of the graph's input: n × c × h × w, or n × h × w × c."""


ImportedNetwork = Annotated[OnnxFile | RegisteredNetwork, Field(discriminator="name")]


class Preprocessing(Parameters):
    """What happened to the pixels before the network read them. It becomes part of the model."""

    pixels: Pixels = "0 to 1"
    """Range of the pixels that the network was trained on, before mean and deviation."""

    mean: list[Channel] | None = Field(None, min_length=1, max_length=16)
    """Subtracted from them: one number per channel, or one for all; in that range. Empty: nothing."""

    deviation: list[Annotated[float, Field(gt=1e-6, le=1e4)]] | None = Field(
        None, min_length=1, max_length=16
    )
    """Then divided by: one number per channel, or one for all. Empty: 1."""

    def mean_and_scale(self, channels: int) -> tuple[list[float], list[float]]:
        """m and s per channel, so that the network reads (x - m) / s of pixels x in [0, 1].

        Raises InvalidInput naming the field.
        """
        factor, start = RANGES[self.pixels]
        means = _per_channel(self.mean, 0.0, channels, "preprocessing.mean")
        deviations = _per_channel(self.deviation, 1.0, channels, "preprocessing.deviation")
        return [(mean - start) / factor for mean in means], [each / factor for each in deviations]


def _per_channel(given: Sequence[float] | None, nothing: float, channels: int, field: str) -> list[float]:
    values = list(given or [nothing])
    if len(values) not in (1, channels):
        raise InvalidInput(
            f"The images have {channels} channels: give one number for all, or {channels}.", field=field
        )
    return values * channels if len(values) == 1 else values


def registered(network: OnnxFile | NetworkParameters) -> NetworkParameters | None:
    """The network of the zoo, None where the file holds the network."""
    return network if isinstance(network, NetworkParameters) else None
