"""How a finished job came about."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True)
class Record:
    """How a finished job came about: what its page and a report tell of it besides its results."""

    job_id: str
    title: str
    versions: Mapping[str, JsonValue]  # of Blindspots, Python, torch ...; and the device
    created_at: str  # ISO 8601, UTC
    finished_at: str
    seconds: float  # that its parts took, of all workers together; those of its steps are counted there
    parts: int
    parts_reused: int  # found finished, from an earlier job
