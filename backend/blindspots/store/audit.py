"""What people did, in order. Rows are only ever added: a trigger refuses the rest."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select

from blindspots.store.database import now
from blindspots.store.people_tables import audit_log, projects


def note(
    tx: Connection,
    who: str,
    action: str,
    subject: str = "",
    *,
    project_id: str | None = None,
    address: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a line. Nothing secret may be handed in."""
    tx.execute(
        insert(audit_log).values(
            at=now(), who=who, action=action, subject=subject[:200], project_id=project_id, address=address,
            detail=dict(detail or {}),
        )
    )  # fmt: skip


def page(
    tx: Connection,
    *,
    within: Collection[str] | None,
    who: str | None,
    action: str | None,
    before: int | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Lines with an id below `before`, the newest first; `within`: of these projects only."""
    wanted: list[ColumnElement[bool]] = []
    if within is not None:
        wanted.append(audit_log.c.project_id.in_(within))
    if who is not None:
        wanted.append(audit_log.c.who == who)
    if action is not None:
        wanted.append(audit_log.c.action == action)
    if before is not None:
        wanted.append(audit_log.c.id < before)
    return tx.execute(
        select(audit_log, projects.c.name.label("project"))
        .outerjoin(projects, projects.c.id == audit_log.c.project_id)
        .where(*wanted)
        .order_by(audit_log.c.id.desc())
        .limit(limit)
    ).all()
