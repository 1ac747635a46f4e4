"""Parts: claimed by compare-and-swap, kept by a lease, committed behind a fence.

Every write of a worker names the attempt it was given. When its lease was taken back, or the job was
cancelled, the write changes nothing and says so: a worker that wakes up late cannot commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from blindspots.store import events, files, jobs, models
from blindspots.store.artifacts import Artifact
from blindspots.store.database import now
from blindspots.store.models import NewModelRow
from blindspots.store.tables import jobs as job_table
from blindspots.store.tables import parts, turns
from blindspots.store.turns import next_part
from blindspots.store.upserts import upsert
from blindspots.store.workers import is_draining


@dataclass(frozen=True)
class Holder:
    """The worker that claims."""

    id: str
    name: str  # host and process, for people
    device: str


@dataclass(frozen=True)
class Claim:
    """A part in the hands of one worker, for one attempt."""

    part_id: str
    job_id: str
    index: int
    merge: bool
    attempt: int
    worker_id: str
    label: str
    parameters: Mapping[str, Any]
    units: float
    seed: int
    kind: str
    spec: Mapping[str, Any]
    checkpoint_sha256: str | None
    part_count: int
    project_id: str


@dataclass(frozen=True)
class Finished:
    """What a worker commits."""

    artifact: Artifact | None
    summary: Mapping[str, Any]
    seconds: float
    versions: Mapping[str, Any]
    device: str
    models: Sequence[NewModelRow] = ()


def claim(tx: Connection, lane: str, holder: Holder, lease: float, hint: str | None = None) -> Claim | None:
    """Take the hinted part, or else the one whose turn it is. None where nothing is ready, and for a worker
    that shall take no more."""
    if is_draining(tx, holder.id):
        return None
    part_id = hint if hint and _is_ready(tx, hint, lane) else next_part(tx, lane)
    while part_id is not None:
        if taken := _take(tx, part_id, holder, lease):
            return taken
        part_id = next_part(tx, lane)
    return None


def _is_ready(tx: Connection, part_id: str, lane: str) -> bool:
    due = or_(parts.c.not_before.is_(None), parts.c.not_before <= now())
    query = select(parts.c.id).where(
        parts.c.id == part_id, parts.c.lane == lane, parts.c.state == "ready", due
    )
    return tx.execute(query).scalar() is not None


def _take(tx: Connection, part_id: str, holder: Holder, lease: float) -> Claim | None:
    job_id = tx.execute(select(parts.c.job_id).where(parts.c.id == part_id)).scalar_one()
    job = jobs.lock(tx, job_id)
    if job is None:
        return None
    swapped = tx.execute(
        update(parts)
        .where(parts.c.id == part_id, parts.c.state == "ready")
        .values(
            state="running", attempt=parts.c.attempt + 1, worker_id=holder.id, worker_name=holder.name,
            device=holder.device, lease_until=now(lease), started_at=now(), progress=0.0,
        )
    )  # fmt: skip
    if swapped.rowcount != 1:
        return None
    tx.execute(
        update(job_table)
        .where(job_table.c.id == job_id)
        .values(state="running", started_at=func.coalesce(job_table.c.started_at, now()), served_at=now())
    )
    upsert(tx, turns, {"owner": job.owner, "lane": job.lane}, {"served_at": now()})
    row = tx.execute(select(parts).where(parts.c.id == part_id)).one()
    if job.state == "queued":
        events.emit(tx, job_id)
    count = row.position if row.merge else _count(tx, job_id)
    return Claim(
        part_id, job_id, row.position, row.merge, row.attempt, holder.id, row.label, row.parameters,
        row.units, int(row.seed), row.kind, job.spec, row.checkpoint_sha256, count,
        job.project_id,
    )  # fmt: skip


def _count(tx: Connection, job_id: str) -> int:
    """Parts without the merge, whose index comes after them."""
    return int(tx.execute(select(func.max(parts.c.position)).where(parts.c.job_id == job_id)).scalar_one())


def held(claimed: Claim) -> ColumnElement[bool]:
    """The fence: true only while this attempt holds the part."""
    return and_(
        parts.c.id == claimed.part_id,
        parts.c.attempt == claimed.attempt,
        parts.c.worker_id == claimed.worker_id,
        parts.c.state == "running",
    )


def is_held(tx: Connection, claimed: Claim) -> bool:
    """Whether the claim still stands; it does not when the job was cancelled or the lease taken back."""
    return tx.execute(select(parts.c.id).where(held(claimed))).scalar() is not None


def renew(tx: Connection, claimed: Claim, lease: float) -> bool:
    """Prolong the lease. False when the claim no longer stands."""
    return tx.execute(update(parts).where(held(claimed)).values(lease_until=now(lease))).rowcount == 1


def report(tx: Connection, claimed: Claim, fraction: float, message: str) -> bool:
    """Note how far the part is. False when the claim no longer stands."""
    if jobs.lock(tx, claimed.job_id) is None:
        return False
    progress = max(0.0, min(1.0, fraction)) * claimed.units
    if tx.execute(update(parts).where(held(claimed)).values(progress=progress)).rowcount != 1:
        return False
    note_progress(tx, claimed.job_id, message)
    events.emit(tx, claimed.job_id)
    return True


def note_progress(tx: Connection, job_id: str, message: str | None = None) -> None:
    """The job is as far as its committed parts, and what its running parts have reported."""
    running = (
        select(func.coalesce(func.sum(parts.c.progress), 0.0))
        .where(parts.c.job_id == job_id, parts.c.state == "running")
        .scalar_subquery()
    )
    values: dict[str, Any] = {"progress": job_table.c.units_committed + running}
    if message is not None:
        values["progress_message"] = message
    tx.execute(update(job_table).where(job_table.c.id == job_id).values(**values))


def keep_checkpoint(tx: Connection, claimed: Claim, artifact: Artifact) -> bool:
    """Tie a checkpoint to the part. False when the claim no longer stands."""
    files.enter(tx, artifact)
    values = {"checkpoint_sha256": artifact.sha256}
    return tx.execute(update(parts).where(held(claimed)).values(**values)).rowcount == 1


def commit(tx: Connection, claimed: Claim, finished: Finished) -> tuple[bool, str | None]:
    """Commit a result: whether it was accepted, and the merge part that thereby became ready."""
    job = jobs.lock(tx, claimed.job_id)
    if job is None or not is_held(tx, claimed):
        return False, None
    sha256 = None
    if finished.artifact:
        files.enter(tx, finished.artifact)
        sha256 = finished.artifact.sha256
    summary = models.enter_all(tx, finished.models, claimed.job_id, finished.summary)
    tx.execute(
        update(parts)
        .where(held(claimed))
        .values(
            state="succeeded", artifact_sha256=sha256, summary=dict(summary), seconds=finished.seconds,
            finished_at=now(), checkpoint_sha256=None, progress=claimed.units, lease_until=None,
        )
    )  # fmt: skip
    if summary.get("model_id"):
        tx.execute(
            update(job_table).where(job_table.c.id == claimed.job_id).values(model_id=summary["model_id"])
        )
    versions = dict(job.versions) | dict(finished.versions)
    if claimed.merge:
        jobs.finish(
            tx, claimed.job_id, "succeeded",
            summary=dict(summary), result_sha256=sha256, progress=job.units_total, versions=versions,
        )  # fmt: skip
        return True, None
    return True, _one_less(tx, claimed, versions)


def _one_less(tx: Connection, claimed: Claim, versions: Mapping[str, Any]) -> str | None:
    tx.execute(
        update(job_table)
        .where(job_table.c.id == claimed.job_id)
        .values(
            parts_left=job_table.c.parts_left - 1,
            units_committed=job_table.c.units_committed + claimed.units,
            versions=dict(versions),
        )
    )
    note_progress(tx, claimed.job_id)
    merge = None
    row = jobs.require(tx, claimed.job_id)
    if row.parts_left == 0:
        merge = tx.execute(
            select(parts.c.id).where(parts.c.job_id == claimed.job_id, parts.c.merge.is_(True))
        ).scalar_one()
        tx.execute(update(parts).where(parts.c.id == merge).values(state="ready"))
    events.emit(tx, claimed.job_id)
    return merge


def fail(tx: Connection, claimed: Claim, error: Mapping[str, Any], versions: Mapping[str, Any]) -> bool:
    """The job's own code went wrong: the job fails at once. False when the claim no longer stands."""
    job = jobs.lock(tx, claimed.job_id)
    if job is None:
        return False
    failed = update(parts).where(held(claimed)).values(state="failed", error=dict(error), finished_at=now())
    if tx.execute(failed).rowcount != 1:
        return False
    shown = {name: error.get(name) for name in ("code", "message", "field")}
    jobs.finish(tx, claimed.job_id, "failed", error=shown, versions=dict(job.versions) | dict(versions))
    return True


def give_back(tx: Connection, claimed: Claim) -> bool:
    """A worker that stops hands its part to the next one; this counts as no loss."""
    if jobs.lock(tx, claimed.job_id) is None:
        return False
    back = {"state": "ready", "worker_id": None, "lease_until": None, "published_at": None, "progress": 0.0}
    done = tx.execute(update(parts).where(held(claimed)).values(**back)).rowcount == 1
    if done:
        note_progress(tx, claimed.job_id)
    return done


def mark_published(tx: Connection, part_ids: Sequence[str]) -> None:
    """Note that the broker was told."""
    tx.execute(
        update(parts).where(parts.c.id.in_(part_ids), parts.c.state == "ready").values(published_at=now())
    )
