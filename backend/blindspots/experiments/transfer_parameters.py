"""The controls of a transfer, as a user fills them in."""

from typing import Annotated

from pydantic import Field

from blindspots.experiments.parameters import Parameters

MOST_LEVELS = 10


class NoiseRows(Parameters):
    """Normal noise on every pixel: rows of the matrix that no attack made."""

    sigmas: list[Annotated[float, Field(gt=0, le=2)]] = Field(
        [0.1, 0.3], max_length=MOST_LEVELS, json_schema_extra={"x-widget": "numbers"}
    )
    """Standard deviations, one row each; the range of a pixel is 1. The paper uses 0.1 and 0.3 in table 2,
    0.06 and 0.1 in table 4."""

    clip: bool = False
    """Put the noisy pixels back into 0 to 1. The paper's numbers are matched without."""

    whole_split: bool = False
    """Measure the unchanged and the noisy images on the whole split, not only on the chosen images: a
    narrower interval. Every other row stays with the chosen ones."""


class AmplifiedRows(Parameters):
    """Every change brought to one distortion, in its own direction: x + t·√n·r/‖r‖. The paper prints it
    without √n, which would shrink the change."""

    distortions: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        [0.1], max_length=MOST_LEVELS, json_schema_extra={"x-widget": "numbers"}
    )
    """Values of t, one row for each source and value. The paper uses 0.1 in table 4."""

    clip: bool = False
    """Put the pixels back into 0 to 1 afterwards; their distortion is then smaller than t."""

    at_least_own: bool = False
    """Leave changes that are larger than t already as they are. The formula shrinks them."""
