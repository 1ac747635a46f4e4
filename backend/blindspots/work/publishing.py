"""Telling workers that there is something to do. Messages are hints: the database is the truth."""

from typing import Protocol


class Publisher(Protocol):
    """Puts part ids into the broker."""

    def send(self, lane: str, part_id: str) -> None:
        """Raises where the broker cannot be reached."""
