"""A committed result, read from its file when it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from blindspots.experiments.parameters import Array
from blindspots.store.artifacts import StoredArrays


@dataclass(frozen=True)
class Stored:
    """Implements `experiments.base.StoredResult`."""

    summary: Mapping[str, JsonValue]
    arrays: StoredArrays | None

    @property
    def names(self) -> frozenset[str]:
        """Names of the stored arrays."""
        return self.arrays.names if self.arrays else frozenset()

    def array(self, name: str, rows: slice | None = None) -> Array:
        """The array of that name, or only some of its leading rows. Raises KeyError."""
        if self.arrays is None:
            raise KeyError(name)
        return self.arrays.array(name, rows)
