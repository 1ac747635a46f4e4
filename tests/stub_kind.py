"""A job kind that only takes time: its numbers follow from its seed, so that a lost or doubled part shows."""

import os
import signal
import time
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from blindspots.experiments.base import Catalog, Context, NewModel, Part, Result, Spec
from blindspots.experiments.parameters import Array
from blindspots.experiments.plan import Plan
from blindspots.work.fingerprints import part_seed


class Stub(Spec):
    """Parts that wait and draw random numbers."""

    kind: Literal["stub"] = "stub"

    part_count: int = Field(4, ge=0, le=10_000)
    part_seconds: float = Field(0.0, ge=0, le=60)
    values: int = Field(8, ge=1)
    raises: str = ""
    """Text of an exception that every part raises; ␀ stands for a NUL character."""
    dies: bool = False
    """Every part kills its process."""
    deaf: bool = False
    """Parts do not look whether they were cancelled."""
    model_name: str = Field("", json_schema_extra={"x-group": "job"})

    heading: ClassVar[str] = "Stub"

    def plan(self, catalog: Catalog) -> list[Part]:  # noqa: ARG002
        return [
            Part(label=f"part {index}", parameters={"index": index}, units=2, bytes_kept=8 * self.values)
            for index in range(self.part_count)
        ]

    def run(self, part: Part, context: Context) -> Result:
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.raises:
            raise RuntimeError(self.raises.replace("␀", "\0"))
        end = time.monotonic() + self.part_seconds
        while time.monotonic() < end:
            time.sleep(min(0.02, self.part_seconds))
            if not self.deaf:
                context.progress(1, 2, f"in {part.label}")
        drawn = np.random.default_rng(context.seed).random(self.values)
        return Result({"drawn": drawn}, {"mean": np.float64(drawn.mean()), "nothing": float("nan")})

    def merge(self, context: Context) -> Result:
        drawn = [context.part(index).array("drawn") for index in range(context.part_count())]
        models = (self._model(),) if self.model_name else ()
        return Result({"drawn": np.concatenate(drawn)}, {"parts": len(drawn)}, models)

    def _model(self) -> NewModel:
        weights = {"weight": np.full((2, 4), self.seed, np.float32), "bias": np.zeros(2, np.float32)}
        return NewModel(
            self.model_name, "softmax", {}, weights, (1, 2, 2), ("0", "1"), "digits", 8, {"test_error": 0.5},
            linear=True,
        )  # fmt: skip


KINDS: Mapping[str, type[Spec]] = {"stub": Stub, "plan": Plan}


def expected(count: int, seed: int = 0, values: int = 8) -> Array:
    """What a job of that many parts finds when nothing disturbs it."""
    seeds = [part_seed(seed, index) for index in range(count)]
    return np.concatenate([np.random.default_rng(each).random(values) for each in seeds])
