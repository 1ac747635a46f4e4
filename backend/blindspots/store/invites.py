"""Links that let somebody choose a password, once: a newcomer's, or that of somebody who is known."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from blindspots.store.database import new_id, now
from blindspots.store.people_tables import invites, projects, users


def add(
    tx: Connection,
    sha256: str,
    *,
    created_by: str,
    seconds: float,
    user_id: str | None = None,
    project_id: str | None = None,
    role: str | None = None,
) -> str:
    """Answers the id. With `user_id` it sets that person's password; links that did so before end."""
    if user_id is not None:
        mine = invites.c.user_id == user_id, invites.c.used_at.is_(None)
        tx.execute(update(invites).where(*mine).values(used_at=now()))
    invite_id = new_id()
    tx.execute(
        insert(invites).values(
            id=invite_id, sha256=sha256, user_id=user_id, project_id=project_id, role=role,
            created_by=created_by, created_at=now(), expires_at=now(seconds),
        )
    )  # fmt: skip
    return invite_id


def find(tx: Connection, sha256: str) -> Row[Any] | None:
    """One that can still be used, held until the transaction ends, with `name` and `project` where known."""
    return tx.execute(
        select(invites, users.c.name, projects.c.title.label("project"))
        .outerjoin(users, users.c.id == invites.c.user_id)
        .outerjoin(projects, projects.c.id == invites.c.project_id)
        .where(invites.c.sha256 == sha256, invites.c.used_at.is_(None), invites.c.expires_at > now())
        .with_for_update(of=invites)
    ).one_or_none()


def use(tx: Connection, invite_id: str) -> None:
    """It is worthless from now on."""
    tx.execute(update(invites).where(invites.c.id == invite_id).values(used_at=now()))


def pending(tx: Connection, project_id: str) -> Sequence[Row[Any]]:
    """Those of a project that can still be used, the newest first."""
    return tx.execute(
        select(invites)
        .where(invites.c.project_id == project_id, invites.c.used_at.is_(None), invites.c.expires_at > now())
        .order_by(invites.c.created_at.desc(), invites.c.id.desc())
    ).all()


def withdraw(tx: Connection, project_id: str, invite_id: str) -> bool:
    """False where the project has no such link that can still be used."""
    mine = invites.c.id == invite_id, invites.c.project_id == project_id, invites.c.used_at.is_(None)
    return tx.execute(update(invites).where(*mine).values(used_at=now())).rowcount > 0
