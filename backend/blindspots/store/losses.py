"""Parts whose worker was lost: taken back, and run again, but not for ever."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select, update

from blindspots.store import events, jobs
from blindspots.store.database import now
from blindspots.store.parts import note_progress
from blindspots.store.tables import ENDED, parts


@dataclass(frozen=True)
class Loss:
    """Which running parts are lost, and why."""

    parts: ColumnElement[bool]
    reason: str  # "the worker process died"
    max_attempts: int  # as many losses fail the job


def silent(max_attempts: int) -> Loss:
    """Parts whose worker has been silent for longer than its lease, by the database's clock."""
    return Loss(parts.c.lease_until < now(), "the worker fell silent", max_attempts)


def dead(worker_ids: Sequence[str], max_attempts: int) -> Loss:
    """Parts of workers that no longer exist."""
    return Loss(parts.c.worker_id.in_(worker_ids), "the worker process died", max_attempts)


def take_back(tx: Connection, loss: Loss) -> int:
    """Lost parts become ready again, or fail at the last attempt; answers how many there were."""
    lost = select(parts.c.id, parts.c.job_id).where(parts.c.state == "running", loss.parts)
    found = tx.execute(lost.order_by(parts.c.job_id)).all()
    return sum(_take_back_one(tx, row.id, row.job_id, loss) for row in found)


def _take_back_one(tx: Connection, part_id: str, job_id: str, loss: Loss) -> bool:
    job = jobs.lock(tx, job_id)
    row = tx.execute(
        select(parts).where(parts.c.id == part_id, parts.c.state == "running", loss.parts)
    ).one_or_none()
    if job is None or row is None or job.state in ENDED:
        return False
    losses = row.losses + 1
    if losses < loss.max_attempts:
        # The first loss costs no time; a part that keeps killing its workers makes room for others.
        values = {
            "state": "ready", "losses": losses, "worker_id": None, "lease_until": None, "published_at": None,
            "progress": 0.0, "not_before": now(10.0 * (losses - 1)) if losses > 1 else None,
        }  # fmt: skip
        tx.execute(update(parts).where(parts.c.id == part_id).values(**values))
        note_progress(tx, job_id)
        events.emit(tx, job_id)
        return True
    message = (
        f"{losses} workers were lost while they ran “{row.label}”: {loss.reason}. "
        "Often the machine ran out of memory; try fewer or smaller images, or look at the workers' log."
    )
    error = {"code": "worker_lost", "message": message, "field": None}
    tx.execute(
        update(parts)
        .where(parts.c.id == part_id)
        .values(state="failed", losses=losses, error=error, finished_at=now())
    )
    jobs.finish(tx, job_id, "failed", error=error)
    return True
