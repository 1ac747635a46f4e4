"""The door of one running part, and what a part leaves, in memory."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from safetensors import numpy as safetensors

from blindspots.errors import Cancelled, Conflict
from blindspots.experiments.base import Result
from blindspots.experiments.facts import ModelFacts, Pictures
from blindspots.experiments.parameters import Array, Arrays

if TYPE_CHECKING:
    from in_memory import Finished, Laboratory


class MemoryResult:
    """A committed result, kept as the bytes that the artifact store would keep."""

    def __init__(self, result: Result) -> None:
        self.summary = result.summary
        self.bytes = safetensors.save(
            {name: np.ascontiguousarray(value) for name, value in result.arrays.items()}
        )

    @property
    def names(self) -> frozenset[str]:
        return frozenset(safetensors.load(self.bytes))

    def array(self, name: str, rows: slice | None = None) -> Array:
        value = safetensors.load(self.bytes)[name]
        return value if rows is None else value[rows]


@dataclass
class MemoryContext:
    """The door of one running part."""

    laboratory: "Laboratory"
    seed: int = 0
    device: str = "cpu"
    parts: list[MemoryResult] = field(default_factory=list)
    cancel_when: Callable[[float], bool] = lambda _: False
    reports: list[tuple[float, float, str]] = field(default_factory=list)
    checkpoint: dict[str, Array] | None = None
    installed: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    steps: Mapping[str, "Finished"] = field(default_factory=dict)

    def progress(self, done: float, total: float, message: str = "") -> None:
        self.reports.append((done, total, message))
        self.check_cancelled()

    def check_cancelled(self) -> None:
        if self.cancel_when(self.reports[-1][0] if self.reports else 0):
            raise Cancelled("The job was cancelled.")

    def model(self, reference: str) -> tuple[ModelFacts, Arrays]:
        facts = self.laboratory.model(reference, field="model")
        return facts, self.laboratory.weights[facts.id]

    def dataset(self, name: str, split: str) -> tuple[Array, Array]:
        return self.laboratory.pixels(name, split)

    def image(self, reference: str) -> Array:
        return self.laboratory.images[reference]

    def pictures(self, place: str, reference: str) -> Pictures:
        return self.laboratory.pictures(place, reference, field="source")

    def weight_file(self, reference: str) -> Arrays:
        return self.laboratory.weight_files[reference][1]

    def part(self, index: int) -> MemoryResult:
        return self.parts[index]

    def part_count(self) -> int:
        return len(self.parts)

    def step(self, name: str) -> "Finished":
        return self.steps[name]

    def load_checkpoint(self) -> Arrays | None:
        return self.checkpoint

    def save_checkpoint(self, arrays: Arrays) -> None:
        self.checkpoint = {name: np.array(value) for name, value in arrays.items()}

    def install_dataset(
        self, name: str, files: Mapping[str, bytes | Iterable[bytes]], *, replace: bool = True
    ) -> None:
        if not replace and name in self.installed:
            raise Conflict(f"There is another set {name}.")
        self.installed[name] = {
            file: content if isinstance(content, bytes) else b"".join(content)
            for file, content in files.items()
        }
