"""Pictures that users uploaded, re-encoded as PNG."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from blindspots.store import files
from blindspots.store.artifacts import Artifact
from blindspots.store.database import now
from blindspots.store.tables import images
from blindspots.store.upserts import upsert


def enter(tx: Connection, picture: Artifact, shape: Sequence[int]) -> None:
    """Note a stored picture; its id is its hash."""
    files.enter(tx, picture)
    upsert(tx, images, {"sha256": picture.sha256}, {"shape": list(shape), "created_at": now()})


def find(tx: Connection, image_id: str) -> Row[Any] | None:
    """The row of that picture."""
    return tx.execute(select(images).where(images.c.sha256 == image_id)).one_or_none()
