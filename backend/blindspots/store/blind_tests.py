"""Blind tests: what a viewer is shown in which order, and what they answered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)

from blindspots.errors import NotFound
from blindspots.store.database import Moment, new_id, now
from blindspots.store.tables import Document, Id, metadata

blind_tests = Table(
    "blind_tests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("owner", String(100), nullable=False),
    Column("viewer", String(100), nullable=False),  # several people may sit at one account
    Column("arms", Document, nullable=False),
    Column("row_order", Document, nullable=False),  # rows of the job, as they are shown
    Column("created_at", Moment, nullable=False),
)

blind_test_answers = Table(
    "blind_test_answers",
    metadata,
    Column("test_id", Id, ForeignKey("blind_tests.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("job_row", Integer, nullable=False),
    Column("arm", String(64), nullable=False),
    Column("shares", String(8), nullable=False),
    Column("concept", Text, nullable=False),
    Column("guess", String(64), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("shares IN ('yes', 'no', 'unsure')", name="shares"),
)


def begin(
    tx: Connection, *, job_id: str, owner: str, viewer: str, arms: Sequence[str], order: Sequence[int]
) -> str:
    """Answers the id of the new test."""
    test_id = new_id()
    values = {"id": test_id, "job_id": job_id, "owner": owner, "viewer": viewer}
    tx.execute(insert(blind_tests).values(**values, arms=list(arms), row_order=list(order), created_at=now()))
    return test_id


def missing() -> NotFound:
    """There is none, or it is somebody else's."""
    return NotFound("There is no such blind test.")


def find(tx: Connection, test_id: str) -> Row[Any]:
    """Raises NotFound."""
    row = tx.execute(select(blind_tests).where(blind_tests.c.id == test_id)).one_or_none()
    if row is None:
        raise missing()
    return row


def of_job(tx: Connection, job_id: str) -> Sequence[Row[Any]]:
    """All tests of a job with how many rows were answered, newest first."""
    count = (
        select(func.count())
        .where(blind_test_answers.c.test_id == blind_tests.c.id)
        .correlate(blind_tests)
        .scalar_subquery()
    )
    query = select(blind_tests, count.label("answered")).where(blind_tests.c.job_id == job_id)
    return tx.execute(query.order_by(blind_tests.c.created_at.desc(), blind_tests.c.id.desc())).all()


def answers(tx: Connection, test_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Of those tests, in the order of their rows."""
    table = blind_test_answers
    query = select(table).where(table.c.test_id.in_(test_ids)).order_by(table.c.test_id, table.c.position)
    return tx.execute(query).all()


def answer(tx: Connection, test_id: str, position: int, **values: Any) -> None:
    """Enter one answer; a second one for the same row breaks the table's key."""
    tx.execute(
        insert(blind_test_answers).values(test_id=test_id, position=position, created_at=now(), **values)
    )
