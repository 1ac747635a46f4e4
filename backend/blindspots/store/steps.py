"""Jobs that are made of jobs: which steps a job has, and which jobs were submitted for them.

A step's job knows nothing of its parent, and never locks it: the parent is looked after in transactions of
its own. So whoever locks both takes the parent first, and all of them before the first event: an event holds
up every other transaction that has one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from blindspots.errors import Conflict
from blindspots.store import events, jobs
from blindspots.store.database import now
from blindspots.store.jobs import NewJob
from blindspots.store.progress import step_count
from blindspots.store.tables import ENDED, LANES, parts, steps
from blindspots.store.tables import jobs as job_table


def of(tx: Connection, parent_id: str) -> Sequence[Row[Any]]:
    """The steps of a job in order, each with the row of its job, or nulls where none was submitted."""
    columns = (
        job_table.c.state, job_table.c.summary, job_table.c.error, job_table.c.started_at,
        job_table.c.finished_at, job_table.c.progress, job_table.c.units_total,
        job_table.c.id, step_count, now().label("now"),
    )  # fmt: skip
    return tx.execute(
        select(steps, *columns)
        .outerjoin(job_table, job_table.c.id == steps.c.job_id)
        .where(steps.c.parent_id == parent_id)
        .order_by(steps.c.position)
    ).all()


def parent_of(tx: Connection, job_id: str) -> Any:
    """Of which job this one is a step: id, kind, title, step. None where it stands for itself."""
    return tx.execute(
        select(job_table.c.id, job_table.c.kind, job_table.c.title, steps.c.name.label("step"))
        .join(steps, steps.c.parent_id == job_table.c.id)
        .where(steps.c.job_id == job_id)
    ).first()


def unfinished(tx: Connection) -> Sequence[str]:
    """Jobs with steps that have not ended, oldest first."""
    return (
        tx.execute(
            select(job_table.c.id)
            .where(
                job_table.c.lane.in_(LANES),  # an index begins with it
                job_table.c.state.in_(("queued", "running")),
                job_table.c.id.in_(select(steps.c.parent_id)),
            )
            .order_by(job_table.c.created_at)
        )
        .scalars()
        .all()
    )


def submit(tx: Connection, parent_id: str, step: str, new: NewJob) -> str | None:
    """Store the job of a step, once: None where another process was faster, or the parent has ended."""
    parent = jobs.lock(tx, parent_id)
    if parent is None or parent.state in ENDED:
        return None
    mine = (steps.c.parent_id == parent_id) & (steps.c.name == step)
    if tx.execute(select(steps.c.job_id).where(mine)).scalar_one() is not None:
        return None
    job_id = jobs.insert_job(tx, new)
    tx.execute(update(steps).where(mine).values(job_id=job_id))
    if parent.state == "queued":
        begun = {"state": "running", "started_at": now()}
        tx.execute(update(job_table).where(job_table.c.id == parent_id).values(**begun))
    events.emit(tx, parent_id)
    return job_id


def release(tx: Connection, parent_id: str) -> bool:
    """All steps have succeeded: the job's own parts may run. False where they were released before."""
    parent = jobs.lock(tx, parent_id)
    if parent is None or parent.state in ENDED:
        return False
    waiting = (parts.c.job_id == parent_id) & (parts.c.state == "waiting")
    if parent.parts_left > 0:
        waiting &= parts.c.merge.is_(False)
    released = tx.execute(update(parts).where(waiting).values(state="ready")).rowcount > 0
    if released:
        events.emit(tx, parent_id)
    return released


def fail(tx: Connection, parent_id: str, error: Mapping[str, Any]) -> bool:
    """End a job one of whose steps cannot succeed, and what its other steps still compute. False where it
    had ended before.
    """
    parent = lock(tx, parent_id)
    if parent is None or parent.state in ENDED:
        return False
    cancel_steps(tx, parent_id)
    jobs.finish(tx, parent_id, "failed", error=dict(error))
    return True


def lock(tx: Connection, job_id: str) -> Row[Any] | None:
    """The job's row; it and the rows of its steps, and theirs, are held until the transaction ends."""
    row = jobs.lock(tx, job_id)
    for child in children(tx, job_id):
        lock(tx, child)
    return row


def cancel(tx: Connection, job_id: str) -> None:
    """End a job and its steps at once, for good. Raises NotFound, and Conflict where it has ended."""
    lock(tx, job_id)
    jobs.cancel(tx, job_id)
    cancel_steps(tx, job_id)


def cancel_steps(tx: Connection, parent_id: str) -> None:
    """End the jobs of a locked job's steps, and of their steps, where they have not ended yet."""
    for child in children(tx, parent_id):
        row = jobs.lock(tx, child)
        if row is None or row.state in ENDED:
            continue
        cancel_steps(tx, child)
        tx.execute(update(job_table).where(job_table.c.id == child).values(cancel_requested_at=now()))
        jobs.finish(tx, child, "cancelled")


def children(tx: Connection, parent_id: str) -> Sequence[str]:
    """The jobs that were submitted for the steps of a job."""
    found = (
        select(steps.c.job_id)
        .where(steps.c.parent_id == parent_id, steps.c.job_id.is_not(None))
        .order_by(steps.c.position)
    )
    return [str(child) for child in tx.execute(found).scalars()]


def remove(tx: Connection, job_id: str) -> None:
    """Forget an ended job and the jobs of its steps. Raises Conflict while one of them runs, or where the
    job is itself a step of another one.
    """
    parent = parent_of(tx, job_id)
    if parent is not None:
        what = f"“{parent.title}”" if parent.title else f"a job of kind {parent.kind}"
        raise Conflict(f"This job is the step “{parent.step}” of {what}. Delete that one.")
    lock(tx, job_id)
    _remove_tree(tx, job_id)


def _remove_tree(tx: Connection, job_id: str) -> None:
    below = children(tx, job_id)
    jobs.remove(tx, job_id)
    for child in below:
        _remove_tree(tx, child)
