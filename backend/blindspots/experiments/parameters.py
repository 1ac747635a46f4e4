"""What every form of parameters is made of."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]
Device = Literal["auto", "cpu", "cuda"]
Theme = Literal["light", "dark"]


class Parameters(BaseModel):
    """Base of every model that a user fills in: strict, frozen, no unknown field, no NaN or infinity."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
