"""Rows of a job that somebody pinned, with what they saw in them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, Integer, Row, String, Table, Text, delete, func, select

from blindspots.store.database import Moment, now
from blindspots.store.tables import Id, metadata
from blindspots.store.upserts import upsert

pins = Table(
    "pins",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("job_row", Integer, primary_key=True, autoincrement=False),
    Column("caption", Text, nullable=False),
    Column("owner", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
)


def of_job(tx: Connection, job_id: str) -> Sequence[Row[Any]]:
    """In the order of their rows."""
    return tx.execute(select(pins).where(pins.c.job_id == job_id).order_by(pins.c.job_row)).all()


def count(tx: Connection, job_id: str) -> int:
    """How many rows of the job are pinned."""
    return int(tx.execute(select(func.count()).where(pins.c.job_id == job_id)).scalar_one())


def put(tx: Connection, job_id: str, row: int, *, caption: str, owner: str) -> None:
    """Pin a row, or change its caption."""
    values = {"caption": caption, "owner": owner, "created_at": now()}
    upsert(tx, pins, {"job_id": job_id, "job_row": row}, values)


def remove(tx: Connection, job_id: str, row: int) -> bool:
    """False where it was not pinned."""
    return tx.execute(delete(pins).where(pins.c.job_id == job_id, pins.c.job_row == row)).rowcount == 1
