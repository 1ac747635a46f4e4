"""Browsers that are signed in. The database holds only a hash of what their cookies hold."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from blindspots.store.database import now
from blindspots.store.people_tables import sessions, users


def begin(tx: Connection, sha256: str, user_id: str, address: str, seconds: float) -> None:
    """Enter one, and forget those that have run out."""
    tx.execute(delete(sessions).where(sessions.c.expires_at < now()))
    tx.execute(
        insert(sessions).values(
            sha256=sha256, user_id=user_id, address=address, created_at=now(), expires_at=now(seconds)
        )
    )


def user(tx: Connection, sha256: str) -> Row[Any] | None:
    """The user of a session that stands; None where it has ended or its user is disabled."""
    return tx.execute(
        select(users)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(sessions.c.sha256 == sha256, sessions.c.expires_at > now(), users.c.disabled_at.is_(None))
    ).one_or_none()


def end(tx: Connection, sha256: str) -> None:
    """Sign one browser out."""
    tx.execute(delete(sessions).where(sessions.c.sha256 == sha256))


def end_all(tx: Connection, user_id: str) -> None:
    """Sign somebody out everywhere."""
    tx.execute(delete(sessions).where(sessions.c.user_id == user_id))
