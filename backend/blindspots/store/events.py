"""What happened to jobs, in order, for everybody who watches."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text

from blindspots.store.database import now
from blindspots.store.tables import events, jobs

KEPT_SECONDS = 3600.0
ORDER_LOCK = 8313_0001  # PostgreSQL: ids must become visible in their order, or a reader would skip one


def emit(tx: Connection, job_id: str) -> None:
    """Note the job's present state. The last statement of a transaction, because it holds the order of
    events.
    """
    row = tx.execute(select(jobs, now().label("now")).where(jobs.c.id == job_id)).one()
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})
    tx.execute(insert(events).values(job_id=job_id, data=_data(row), created_at=now()))


def emit_removal(tx: Connection, job_id: str, kind: str) -> None:
    """Note that a job was deleted."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})
    tx.execute(
        insert(events).values(
            job_id=job_id, data={"id": job_id, "kind": kind, "state": "deleted"}, created_at=now()
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


def progress_of(row: Row[Any], at: datetime) -> dict[str, Any]:
    """Progress of a job row as it is shown: done, total, fraction, message, eta_seconds."""
    done, total = min(row.progress, row.units_total), row.units_total
    ended = row.state == "succeeded"
    fraction = 1.0 if ended else (done / total if total else 0.0)
    return {
        "done": total if ended else done,
        "total": total,
        "fraction": fraction,
        "message": row.progress_message,
        "eta_seconds": _remaining_seconds(row, done, at),
    }


def _remaining_seconds(row: Row[Any], done: float, at: datetime) -> float | None:
    """From the throughput so far; unknown until something was computed."""
    computed = done - row.units_reused
    if row.state != "running" or row.started_at is None or computed <= 0:
        return None
    elapsed = (at - row.started_at).total_seconds()
    if elapsed < 1.0:
        return None
    remaining: float = elapsed * (row.units_total - done) / computed
    return round(remaining, 1)


def _data(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "title": row.title,
        "state": row.state,
        "lane": row.lane,
        "kept": row.kept,
        "owner": row.owner,
        "cancel_requested": row.cancel_requested_at is not None,
        "progress": progress_of(row, row.now),
        "error": row.error,
    }
