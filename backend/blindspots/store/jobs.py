"""Jobs: how one begins, how one ends, and what its owner may change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from blindspots.errors import Conflict, NotFound
from blindspots.store import events
from blindspots.store.database import new_id, now
from blindspots.store.tables import (
    ENDED,
    MAIN_PROJECT,
    idempotency_keys,
    job_dependencies,
    jobs,
    parts,
    steps,
)


@dataclass(frozen=True)
class Reusable:
    """The result of a finished part that is the same work."""

    part_id: str
    artifact_sha256: str | None
    summary: Mapping[str, Any]
    device: str


@dataclass(frozen=True)
class NewPart:
    """One part of a job that is being submitted."""

    label: str
    parameters: Mapping[str, Any]
    units: float
    bytes_kept: int
    seed: int  # 64 bits, without sign
    fingerprint: str
    reused: Reusable | None = None


@dataclass(frozen=True)
class NewStep:
    """One step of a job that is being submitted."""

    name: str
    kind: str
    title: str
    spec: Mapping[str, Any]
    needs: Sequence[str]
    weight: float
    fresh: bool = False


@dataclass(frozen=True)
class NewJob:
    """A job that is being submitted."""

    kind: str
    title: str
    spec: Mapping[str, Any]
    spec_hash: str
    owner: str
    lane: str
    seed: int
    device: str
    model_id: str | None
    dataset: str | None
    search_text: str
    cost_key: str
    parts: Sequence[NewPart]
    merge_seed: int
    priority: int = 0
    depends_on: Sequence[str] = field(default=())
    steps: Sequence[NewStep] = field(default=())  # in an order in which they can be submitted
    kept: bool = True  # the steps of a job stay out of the history
    project_id: str = MAIN_PROJECT


def insert_job(tx: Connection, job: NewJob) -> str:
    """Store the job and all its parts. Raises Conflict when a job that it depends on has failed."""
    job_id = new_id()
    waits = _unmet(tx, job) or bool(job.steps)
    left = sum(part.reused is None for part in job.parts)
    reused = float(sum(part.units for part in job.parts if part.reused))
    tx.execute(
        insert(jobs).values(
            id=job_id, kind=job.kind, title=job.title, spec=dict(job.spec), spec_hash=job.spec_hash,
            state="queued", lane=job.lane, kept=job.kept and job.lane == "batch",
            owner=job.owner, project_id=job.project_id, priority=job.priority,
            seed=job.seed, device=job.device, model_id=job.model_id, dataset=job.dataset,
            search_text=job.search_text, versions={}, parts_left=left,
            units_total=float(sum(part.units for part in job.parts)), units_reused=reused,
            units_committed=reused,
            progress=reused, progress_message="", summary={}, created_at=now(),
        )
    )  # fmt: skip
    tx.execute(insert(parts), _part_rows(job_id, job, waits=waits, left=left))
    if job.steps:
        tx.execute(insert(steps), _step_rows(job_id, job.steps))
    if job.depends_on:
        tx.execute(
            insert(job_dependencies),
            [{"job_id": job_id, "depends_on": other} for other in dict.fromkeys(job.depends_on)],
        )
    events.emit(tx, job_id)
    return job_id


def _part_rows(job_id: str, job: NewJob, *, waits: bool, left: int) -> list[dict[str, Any]]:
    shared = {
        "job_id": job_id, "kind": job.kind, "lane": job.lane, "cost_key": job.cost_key,
        "attempt": 0, "losses": 0, "progress": 0.0,
    }  # fmt: skip
    rows = []
    for position, part in enumerate(job.parts):
        state = "succeeded" if part.reused else "waiting" if waits else "ready"
        rows.append(
            shared
            | {
                "id": new_id(), "position": position, "merge": False, "label": part.label,
                "parameters": dict(part.parameters), "units": float(part.units),
                "bytes_kept": part.bytes_kept,
                "seed": str(part.seed), "fingerprint": part.fingerprint, "state": state,
                "summary": dict(part.reused.summary) if part.reused else None,
                "artifact_sha256": part.reused.artifact_sha256 if part.reused else None,
                "device": part.reused.device if part.reused else None,
                "reused_from": part.reused.part_id if part.reused else None,
            }
        )  # fmt: skip
    rows.append(
        shared
        | {
            "id": new_id(), "position": len(job.parts), "merge": True, "label": "join the results",
            "parameters": {},
            "units": 0.0, "bytes_kept": 0, "seed": str(job.merge_seed), "fingerprint": "",
            "state": "waiting" if waits or left else "ready", "summary": None, "artifact_sha256": None,
            "device": None, "reused_from": None,
        }
    )  # fmt: skip
    return rows


def _step_rows(job_id: str, planned: Sequence[NewStep]) -> list[dict[str, Any]]:
    return [
        {
            "parent_id": job_id, "position": position, "name": step.name, "kind": step.kind,
            "title": step.title, "spec": dict(step.spec), "needs": list(step.needs), "weight": step.weight,
            "fresh": step.fresh, "job_id": None,
        }
        for position, step in enumerate(planned)
    ]  # fmt: skip


def _unmet(tx: Connection, job: NewJob) -> bool:
    unmet = False
    for other in job.depends_on:
        row = lock(tx, other)
        elsewhere = row is not None and row.project_id != job.project_id
        if row is None or elsewhere or row.state in ("failed", "cancelled"):
            raise Conflict("A job that this one depends on does not exist, has failed or was cancelled.")
        unmet |= row.state != "succeeded"
    return unmet


def lock(tx: Connection, job_id: str) -> Row[Any] | None:
    """The job's row, held until the transaction ends. Always before the rows of its parts: no deadlock."""
    return tx.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()


def require(tx: Connection, job_id: str) -> Row[Any]:
    """The locked row. Raises NotFound."""
    row = lock(tx, job_id)
    if row is None:
        raise missing()
    return row


def missing() -> NotFound:
    """What is said of a job that is not there."""
    return NotFound("There is no such job. It may have been deleted; look in the history.")


def remembered(tx: Connection, owner: str, key: str) -> Row[Any] | None:
    """What was first sent with this key: request_hash, job_id."""
    return tx.execute(
        select(idempotency_keys).where(idempotency_keys.c.owner == owner, idempotency_keys.c.key == key)
    ).one_or_none()


def remember(tx: Connection, owner: str, key: str, request_hash: str, job_id: str) -> None:
    """Tie the key to the job. Raises IntegrityError when another request just did."""
    tx.execute(
        insert(idempotency_keys).values(
            owner=owner, key=key, request_hash=request_hash, job_id=job_id, created_at=now()
        )
    )


def cancel(tx: Connection, job_id: str) -> None:
    """End the job at once, for good: what its parts still compute can no longer be committed."""
    row = require(tx, job_id)
    if row.state == "cancelled":
        return
    if row.state in ENDED:
        raise Conflict(f"The job has already {row.state}; only a waiting or running job can be cancelled.")
    tx.execute(update(jobs).where(jobs.c.id == job_id).values(cancel_requested_at=now()))
    finish(tx, job_id, "cancelled")


def finish(tx: Connection, job_id: str, state: str, **values: Any) -> None:
    """End a job whose row is locked: what is left of its parts is cancelled, and who depends on it hears of
    it.
    """
    tx.execute(
        update(parts)
        .where(parts.c.job_id == job_id, parts.c.state.in_(("waiting", "ready", "running")))
        .values(state="cancelled", finished_at=now())
    )
    tx.execute(update(parts).where(parts.c.job_id == job_id).values(checkpoint_sha256=None))
    tx.execute(update(jobs).where(jobs.c.id == job_id).values(state=state, finished_at=now(), **values))
    events.emit(tx, job_id)
    dependents = select(job_dependencies.c.job_id).where(job_dependencies.c.depends_on == job_id)
    for dependent in tx.execute(dependents).scalars().all():
        _hear_of(tx, dependent, state, values.get("error"))


def _hear_of(tx: Connection, job_id: str, state: str, error: Mapping[str, Any] | None) -> None:
    row = lock(tx, job_id)
    if row is None or row.state != "queued":
        return
    if state != "succeeded":
        reason = f": {error['message']}" if error else "."
        message = f"A job that this one needs {'was cancelled' if state == 'cancelled' else state}{reason}"
        finish(tx, job_id, "failed", error={"code": "dependency_failed", "message": message, "field": None})
        return
    needed = job_dependencies.c.depends_on == jobs.c.id
    open_dependency = exists().where(job_dependencies.c.job_id == job_id, needed, jobs.c.state != "succeeded")
    if tx.execute(select(open_dependency)).scalar_one():
        return
    if tx.execute(select(exists().where(steps.c.parent_id == job_id))).scalar_one():
        return  # its parts wait for its steps
    waiting = (parts.c.job_id == job_id) & (parts.c.state == "waiting")
    first = waiting & (parts.c.merge.is_(row.parts_left == 0))
    tx.execute(update(parts).where(first).values(state="ready"))


def count_naming(tx: Connection, dataset: str, *, but_of_kind: str) -> int:
    """Jobs that refer to the data set or to a half of it, except those of that kind."""
    named = (jobs.c.dataset == dataset) | jobs.c.dataset.startswith(f"{dataset}:", autoescape=True)
    counted = select(func.count()).select_from(jobs).where(named, jobs.c.kind != but_of_kind)
    return int(tx.execute(counted).scalar_one())


def remove(tx: Connection, job_id: str) -> None:
    """Forget an ended job. Raises Conflict while it runs."""
    row = require(tx, job_id)
    if row.state not in ENDED:
        raise Conflict("The job has not ended yet. Cancel it first, then delete it.")
    tx.execute(delete(jobs).where(jobs.c.id == job_id))
    events.emit_removal(tx, row)


def change(tx: Connection, job_id: str, **values: Any) -> None:
    """Set columns that the owner may change: title, kept."""
    require(tx, job_id)
    tx.execute(update(jobs).where(jobs.c.id == job_id).values(**values))
    events.emit(tx, job_id)
