"""Whose part comes next: owners take turns, and so do the jobs of one owner, the more urgent ones first."""

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from blindspots.store.database import now
from blindspots.store.tables import jobs, parts, turns, workers


def next_part(tx: Connection, lane: str) -> str | None:
    """The part to claim next, or None where no part is ready.

    First the owner with the fewest running parts, then the one who waited longest; of that owner the job of
    the highest priority, then the one that was served (or sent) longest ago; of that job the first part.
    """
    ready = _has_ready_part()
    active = and_(jobs.c.lane == lane, jobs.c.state.in_(("queued", "running")), ready)
    running = (
        select(jobs.c.owner, func.count().label("parts"))
        .join(parts, parts.c.job_id == jobs.c.id)
        .where(parts.c.state == "running", parts.c.lane == lane)
        .group_by(jobs.c.owner)
        .subquery()
    )
    waiting = select(jobs.c.owner).where(active).distinct().subquery()
    owner = tx.execute(
        select(waiting.c.owner)
        .outerjoin(running, running.c.owner == waiting.c.owner)
        .outerjoin(turns, and_(turns.c.owner == waiting.c.owner, turns.c.lane == lane))
        .order_by(func.coalesce(running.c.parts, 0), turns.c.served_at.asc().nulls_first(), waiting.c.owner)
        .limit(1)
    ).scalar()
    if owner is None:
        return None
    job = tx.execute(
        select(jobs.c.id)
        .where(active, jobs.c.owner == owner)
        .order_by(jobs.c.priority.desc(), func.coalesce(jobs.c.served_at, jobs.c.created_at), jobs.c.id)
        .limit(1)
    ).scalar()
    return tx.execute(
        select(parts.c.id)
        .where(parts.c.job_id == job, parts.c.state == "ready", _due())
        .order_by(parts.c.position)
        .limit(1)
    ).scalar()


def unpublished(tx: Connection, lane: str, *, older_than: float, window: int) -> list[str]:
    """Ready parts to be announced to the workers of a lane, at most so many that `window` are in the broker.

    A part counts as in the broker until `older_than` seconds after it was published.
    """
    recent = parts.c.published_at > now(-older_than)
    in_broker = tx.execute(
        select(func.count()).select_from(parts).where(parts.c.state == "ready", parts.c.lane == lane, recent)
    ).scalar_one()
    if in_broker >= window:
        return []
    # A message only wakes a worker, which then asks `next_part`: any ready part of the lane will do.
    rows = tx.execute(
        select(parts.c.id)
        .join(jobs, jobs.c.id == parts.c.job_id)
        .where(
            parts.c.state == "ready",
            parts.c.lane == lane,
            _due(),
            or_(parts.c.published_at.is_(None), ~recent),
        )
        .order_by(
            jobs.c.priority.desc(), func.coalesce(jobs.c.served_at, jobs.c.created_at), parts.c.position
        )
        .limit(window - in_broker)
    )
    return list(rows.scalars())


def idle_workers(tx: Connection, lane: str, alive_seconds: float) -> int:
    """Workers of the lane that were seen lately and hold no part."""
    return tx.execute(
        select(func.count())
        .select_from(workers)
        .where(
            workers.c.lane == lane,
            workers.c.part_id.is_(None),
            workers.c.seen_at > now(-alive_seconds),
            workers.c.draining.is_(False),
        )
    ).scalar_one()


def _due() -> ColumnElement[bool]:
    return or_(parts.c.not_before.is_(None), parts.c.not_before <= now())


def _has_ready_part() -> ColumnElement[bool]:
    return exists().where(parts.c.job_id == jobs.c.id, parts.c.state == "ready", _due())
