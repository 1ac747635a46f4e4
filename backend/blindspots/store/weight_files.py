"""Files of weights that users uploaded, read and stored again as plain arrays."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from blindspots.store import files
from blindspots.store.artifacts import Artifact
from blindspots.store.database import now
from blindspots.store.tables import weight_files
from blindspots.store.upserts import upsert


def enter(tx: Connection, stored: Artifact, form: str, facts: Mapping[str, Any]) -> None:
    """Note a stored file; its id is the hash of its arrays."""
    files.enter(tx, stored)
    values = {"form": form, "facts": dict(facts), "created_at": now()}
    upsert(tx, weight_files, {"sha256": stored.sha256}, values)


def find(tx: Connection, reference: str) -> Row[Any] | None:
    """The row of that file."""
    return tx.execute(select(weight_files).where(weight_files.c.sha256 == reference)).one_or_none()
