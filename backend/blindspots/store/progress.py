"""How far a job is: by its parts, and by the jobs that it is made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from blindspots.store.tables import jobs, steps

OWN_SHARE = 0.05  # of a job with steps: its own parts only join what the steps computed

step_count = (
    select(func.count())
    .select_from(steps)
    .where(steps.c.parent_id == jobs.c.id)
    .correlate(jobs)
    .scalar_subquery()
    .label("step_count")
)  # how many jobs a job is made of


def progress_of(tx: Connection, row: Row[Any]) -> dict[str, Any]:
    """Progress of a job row, selected with `step_count` and `now`, as it is shown: done, total, fraction,
    message, eta_seconds.
    """
    done, total = min(row.progress, row.units_total), row.units_total
    reused, message = row.units_reused, row.progress_message
    if row.step_count:
        found = _steps(tx, row.id)
        own = done / total if total else None
        done, total, reused = _joined(_fraction(tx, found), own), 1.0, 0.0
        message = message if own else _told(found)
    ended = row.state == "succeeded"
    fraction = 1.0 if ended else (done / total if total else 0.0)
    left = None
    if row.state == "running" and row.started_at is not None:
        left = _remaining_seconds(row.started_at, row.now, done - reused, total - done)
    return {
        "done": total if ended else done,
        "total": total,
        "fraction": fraction,
        "message": message,
        "eta_seconds": left,
    }


def _remaining_seconds(begun: datetime, at: datetime, computed: float, left: float) -> float | None:
    """From the throughput so far; unknown until something was computed."""
    elapsed = (at - begun).total_seconds()
    if computed <= 0 or elapsed < 1.0:
        return None
    return round(elapsed * left / computed, 1)


def _joined(steps_fraction: float, own: float | None) -> float:
    return steps_fraction if own is None else (1 - OWN_SHARE) * steps_fraction + OWN_SHARE * own


def _steps(tx: Connection, parent_id: str) -> Sequence[Row[Any]]:
    columns: Sequence[ColumnElement[Any]] = (
        steps.c.name, steps.c.weight, jobs.c.id, jobs.c.state, jobs.c.progress, jobs.c.units_total,
        jobs.c.progress_message, step_count,
    )  # fmt: skip
    query = select(*columns).outerjoin(jobs, jobs.c.id == steps.c.job_id)
    return tx.execute(query.where(steps.c.parent_id == parent_id).order_by(steps.c.position)).all()


def fraction(tx: Connection, parent_id: str) -> float:
    """How much of a job's steps is done, 0 to 1."""
    return _fraction(tx, _steps(tx, parent_id))


def _fraction(tx: Connection, found: Sequence[Row[Any]]) -> float:
    total = sum(step.weight for step in found)
    return float(sum(step.weight * step_fraction(tx, step) for step in found) / total) if total else 1.0


def step_fraction(tx: Connection, step: Row[Any]) -> float:
    """How far one step is, 0 to 1."""
    if step.state is None:
        return 0.0
    if step.state == "succeeded":
        return 1.0
    own = min(step.progress / step.units_total, 1.0) if step.units_total else None
    return _joined(fraction(tx, step.id), own) if step.step_count else own or 0.0


def _told(found: Sequence[Row[Any]]) -> str:
    """What the first running step says."""
    done = sum(step.state == "succeeded" for step in found)
    running = next((step for step in found if step.state == "running"), None)
    if running is None:
        return f"{done} of {len(found)} steps done"
    said = f" – {running.progress_message}" if running.progress_message else ""
    return f"{done} of {len(found)} steps done, now {running.name}{said}"
