"""Telling workers that there is something to do. Messages are hints: the database is the truth."""

import logging
from typing import Protocol

from blindspots.settings import Settings
from blindspots.store import parts, turns
from blindspots.store.database import Database

WINDOW = 8  # messages of one lane that are in the broker at once, however long the queue is
log = logging.getLogger(__name__)


class Publisher(Protocol):
    """Puts part ids into the broker."""

    def send(self, lane: str, part_id: str) -> None:
        """Raises OSError or an error of the broker where it cannot be reached."""


class NoBroker:
    """Sends nothing: workers find ready parts in the database by themselves."""

    def send(self, lane: str, part_id: str) -> None:
        """Nothing."""


def publish(database: Database, publisher: Publisher, settings: Settings, lane: str) -> int:
    """Announce ready parts, whose turn it is, up to the window; answers how many.

    Called after the commit. Where the broker does not answer, nothing is lost: the reconciler publishes
    again.
    """
    with database.read() as tx:
        chosen = turns.unpublished(tx, lane, older_than=republish_seconds(settings), window=WINDOW)
    if not chosen:
        return 0
    try:
        for part_id in chosen:
            publisher.send(lane, part_id)
    except Exception as error:
        log.warning("the broker does not answer, parts will be published again: %s", error)
        return 0
    with database.write() as tx:
        parts.mark_published(tx, chosen)
    return len(chosen)


def republish_seconds(settings: Settings) -> float:
    """After this long a message that no worker took counts as lost."""
    return 2 * settings.reconcile_seconds
