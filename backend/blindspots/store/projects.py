"""Projects, and who is what in them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from blindspots.errors import Conflict, NotFound
from blindspots.store.database import new_id, now
from blindspots.store.people_tables import memberships, projects, users
from blindspots.store.upserts import upsert


def missing() -> NotFound:
    """What is said of a project that is not there, or not for who asks."""
    return NotFound("There is no such project.", field="project")


def find(tx: Connection, name: str) -> Row[Any] | None:
    """By name."""
    return tx.execute(select(projects).where(projects.c.name == name)).one_or_none()


def every(tx: Connection) -> Sequence[Row[Any]]:
    """All, by name."""
    return tx.execute(select(projects).order_by(projects.c.name)).all()


def add(tx: Connection, name: str, title: str) -> str:
    """Answers the id. Raises Conflict when another project has that name."""
    if find(tx, name) is not None:
        raise Conflict(f"Another project is already called {name}. Choose another name.", field="name")
    project_id = new_id()
    tx.execute(insert(projects).values(id=project_id, name=name, title=title, created_at=now()))
    return project_id


def retitle(tx: Connection, project_id: str, title: str) -> None:
    """Another title; the name stays, because addresses and programs hold it."""
    tx.execute(projects.update().where(projects.c.id == project_id).values(title=title))


def roles_of(tx: Connection, user_id: str) -> dict[str, str]:
    """Role by the id of each project that somebody is a member of."""
    rows = tx.execute(
        select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == user_id)
    )
    return {row.project_id: row.role for row in rows}


def members(tx: Connection, project_id: str) -> Sequence[Any]:
    """name, display_name, disabled_at, role; by name."""
    return tx.execute(
        select(users.c.name, users.c.display_name, users.c.disabled_at, memberships.c.role)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.project_id == project_id)
        .order_by(users.c.name)
    ).all()


def set_role(tx: Connection, project_id: str, user_id: str, role: str) -> None:
    """Enter somebody, or change what they are."""
    upsert(tx, memberships, {"user_id": user_id, "project_id": project_id}, {"role": role})


def remove_member(tx: Connection, project_id: str, user_id: str) -> bool:
    """False where they were no member."""
    mine = (memberships.c.project_id == project_id) & (memberships.c.user_id == user_id)
    return tx.execute(delete(memberships).where(mine)).rowcount > 0
