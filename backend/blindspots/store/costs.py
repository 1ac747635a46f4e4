"""What earlier parts took on this installation, and which of them are the same work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from blindspots.store.jobs import Reusable
from blindspots.store.tables import jobs, parts

RECENT = 50


@dataclass(frozen=True)
class Rate:
    """What a unit of work took lately."""

    per_unit: float  # seconds, on the mean
    parts: int  # of which this is the mean
    same: bool  # of the very same settings, not only of the same kind


def seconds_per_unit(tx: Connection, kind: str, cost_key: str) -> Rate | None:
    """From recent parts of the same settings, or else of the kind; None where there were none."""
    for condition, same in ((parts.c.cost_key == cost_key, True), (parts.c.kind == kind, False)):
        rows = _recent(tx, condition)
        units = sum(row.units for row in rows)
        if units:
            return Rate(sum(row.seconds for row in rows) / units, len(rows), same)
    return None


def _recent(tx: Connection, condition: ColumnElement[bool]) -> Sequence[Any]:
    return tx.execute(
        select(parts.c.units, parts.c.seconds)
        .where(
            condition,
            parts.c.seconds.is_not(None),
            parts.c.merge.is_(False),
            parts.c.finished_at.is_not(None),
        )
        .order_by(parts.c.finished_at.desc())
        .limit(RECENT)
    ).all()


def reusable(
    tx: Connection, project_id: str, fingerprints: Sequence[str], device: str | None
) -> dict[str, Reusable]:
    """Finished parts of a project with these fingerprints, computed on that kind of device (None: on any)."""
    found: dict[str, Reusable] = {}
    for start in range(0, len(fingerprints), 500):
        conditions = [
            parts.c.fingerprint.in_(fingerprints[start : start + 500]),
            parts.c.state == "succeeded",
        ]
        if device is not None:
            conditions.append(parts.c.device == device)
        columns = (parts.c.id, parts.c.fingerprint, parts.c.artifact_sha256, parts.c.summary, parts.c.device)
        within = select(*columns).join(jobs, jobs.c.id == parts.c.job_id)
        conditions.append(jobs.c.project_id == project_id)
        for row in tx.execute(within.where(*conditions).order_by(parts.c.id)):
            found.setdefault(
                row.fingerprint, Reusable(row.id, row.artifact_sha256, row.summary or {}, row.device or "cpu")
            )
    return found
