"""Workers: who is alive, and what each one does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from blindspots.store.database import new_id, now
from blindspots.store.tables import jobs, parts, workers

FORGOTTEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class NewWorker:
    """A worker process that has just started."""

    host: str
    pid: int
    lane: str
    device: str
    device_name: str
    threads: int
    versions: Mapping[str, Any]


def register(tx: Connection, worker: NewWorker) -> str:
    """Enter a worker; answers its id."""
    worker_id = new_id()
    tx.execute(
        insert(workers).values(
            id=worker_id, host=worker.host, pid=worker.pid, lane=worker.lane, device=worker.device,
            device_name=worker.device_name, threads=worker.threads, versions=dict(worker.versions),
            started_at=now(), seen_at=now(),
        )
    )  # fmt: skip
    return worker_id


def seen(tx: Connection, worker_id: str, part_id: str | None) -> bool:
    """The worker is alive and runs that part. False when it was forgotten and must register again."""
    values = {"seen_at": now(), "part_id": part_id}
    return tx.execute(update(workers).where(workers.c.id == worker_id).values(**values)).rowcount == 1


def forget(tx: Connection, worker_ids: Sequence[str]) -> None:
    """These workers are gone."""
    tx.execute(delete(workers).where(workers.c.id.in_(worker_ids)))


def forget_silent(tx: Connection) -> None:
    """Workers that were not seen for a day are gone."""
    tx.execute(delete(workers).where(workers.c.seen_at < now(-FORGOTTEN_SECONDS)))


def on_host(tx: Connection, host: str) -> Sequence[Any]:
    """Workers that registered on this machine."""
    return tx.execute(select(workers.c.id, workers.c.pid).where(workers.c.host == host)).all()


def holding(tx: Connection, host: str) -> int:
    """Parts that workers of this machine run."""
    here = select(workers.c.id).where(workers.c.host == host)
    running = parts.c.state == "running", parts.c.worker_id.in_(here)
    return int(tx.execute(select(func.count()).select_from(parts).where(*running)).scalar_one())


def is_draining(tx: Connection, worker_id: str) -> bool:
    """Whether the worker shall take no more parts."""
    return bool(tx.execute(select(workers.c.draining).where(workers.c.id == worker_id)).scalar())


def drain(tx: Connection, worker_id: str, *, draining: bool) -> bool:
    """Let the worker take no more parts, or take them again. False where it is not known."""
    changed = update(workers).where(workers.c.id == worker_id).values(draining=draining)
    return tx.execute(changed).rowcount == 1


def done_lately(tx: Connection, seconds: float) -> dict[str, tuple[int, float]]:
    """By worker: parts that it has finished in the last so many seconds, and their units."""
    query = (
        select(parts.c.worker_id, func.count(), func.coalesce(func.sum(parts.c.units), 0.0))
        .where(parts.c.state == "succeeded", parts.c.finished_at > now(-seconds), parts.c.merge.is_(False))
        .group_by(parts.c.worker_id)
    )
    return {row[0]: (int(row[1]), float(row[2])) for row in tx.execute(query) if row[0]}


def every(tx: Connection, alive_seconds: float) -> Sequence[Row[Any]]:
    """All workers that are remembered, with what they run and whether they were seen lately."""
    alive = (workers.c.seen_at > now(-alive_seconds)).label("alive")
    job = (
        jobs.c.id.label("job_id"), jobs.c.title.label("job_title"), jobs.c.kind.label("job_kind"),
        jobs.c.project_id,
    )  # fmt: skip
    runs = and_(parts.c.id == workers.c.part_id, parts.c.worker_id == workers.c.id)
    running = and_(runs, parts.c.state == "running")
    return tx.execute(
        select(workers, alive, parts.c.label.label("part_label"), *job)
        .outerjoin(parts, running)
        .outerjoin(jobs, jobs.c.id == parts.c.job_id)
        .order_by(workers.c.lane, workers.c.started_at)
    ).all()


def queue(tx: Connection) -> dict[str, int]:
    """Jobs that wait and jobs that run."""
    rows = tx.execute(
        select(jobs.c.state, func.count())
        .where(jobs.c.state.in_(("queued", "running")), jobs.c.lane.in_(("batch", "interactive")))
        .group_by(jobs.c.state)
    ).all()
    counts: dict[str, int] = {state: number for state, number in rows}
    return {"waiting": counts.get("queued", 0), "running": counts.get("running", 0)}
