"""What happened to jobs, in order, for everybody who watches."""

from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text

from blindspots.store.database import now
from blindspots.store.progress import progress_of, step_count
from blindspots.store.tables import events, jobs, steps

KEPT_SECONDS = 3600.0
ORDER_LOCK = 8313_0001  # PostgreSQL: ids must become visible in their order, or a reader would skip one


def emit(tx: Connection, job_id: str) -> None:
    """Note the job's present state, and that of the jobs it is a step of. The last statement of a
    transaction, because it holds the order of events.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})
    above: str | None = job_id
    while above is not None:
        row = tx.execute(select(jobs, step_count, now().label("now")).where(jobs.c.id == above)).one()
        tx.execute(insert(events).values(job_id=above, data=_data(tx, row), created_at=now()))
        above = tx.execute(select(steps.c.parent_id).where(steps.c.job_id == above)).scalar()


def emit_removal(tx: Connection, job: Row[Any]) -> None:
    """Note that a job was deleted."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})
    tx.execute(
        insert(events).values(
            job_id=job.id,
            data={"id": job.id, "project_id": job.project_id, "kind": job.kind, "state": "deleted"},
            created_at=now(),
        )
    )


def read_after(tx: Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """Events with an id above `after`, oldest first."""
    rows = tx.execute(
        select(events.c.id, events.c.data).where(events.c.id > after).order_by(events.c.id).limit(limit)
    )
    return [{"event_id": row.id, **row.data} for row in rows]


def latest(tx: Connection) -> int:
    """The id of the newest event, 0 where there is none."""
    return int(tx.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one())


def prune(tx: Connection) -> None:
    """Forget events that nobody can still be waiting for; the newest stays, so that ids go on from it."""
    newest = select(func.max(events.c.id)).scalar_subquery()
    tx.execute(delete(events).where(events.c.created_at < now(-KEPT_SECONDS), events.c.id < newest))


def _data(tx: Connection, row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "project_id": row.project_id,
        "kind": row.kind,
        "title": row.title,
        "state": row.state,
        "lane": row.lane,
        "kept": row.kept,
        "owner": row.owner,
        "cancel_requested": row.cancel_requested_at is not None,
        "progress": progress_of(tx, row),
        "error": row.error,
    }
