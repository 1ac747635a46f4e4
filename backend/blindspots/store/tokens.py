"""Tokens of programs. The database holds only their hashes, and a few characters to know them by again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from blindspots.store.database import new_id, now
from blindspots.store.people_tables import projects, tokens, users

USED_SECONDS = 60.0  # how exactly the last use is known


@dataclass(frozen=True)
class NewToken:
    """A token that was just made."""

    user_id: str
    name: str
    prefix: str
    sha256: str
    scope: str
    project_id: str | None
    seconds: float  # until it runs out


def add(tx: Connection, new: NewToken) -> str:
    """Answers the id."""
    token_id = new_id()
    tx.execute(
        insert(tokens).values(
            id=token_id, user_id=new.user_id, name=new.name, prefix=new.prefix, sha256=new.sha256,
            scope=new.scope, project_id=new.project_id, created_at=now(), expires_at=now(new.seconds),
        )
    )  # fmt: skip
    return token_id


def user(tx: Connection, sha256: str) -> Row[Any] | None:
    """The user of a token that stands, with its token_id, scope, bound_to (a project's id), stale (whether
    its last use should be noted again)."""
    last = tokens.c.last_used_at
    return tx.execute(
        select(
            users, tokens.c.id.label("token_id"), tokens.c.scope, tokens.c.project_id.label("bound_to"),
            or_(last.is_(None), last < now(-USED_SECONDS)).label("stale"),
        )
        .join(tokens, tokens.c.user_id == users.c.id)
        .where(
            tokens.c.sha256 == sha256, tokens.c.revoked_at.is_(None), tokens.c.expires_at > now(),
            users.c.disabled_at.is_(None),
        )
    ).one_or_none()  # fmt: skip


def used(tx: Connection, token_id: str) -> None:
    """It was used now."""
    tx.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=now()))


def of(tx: Connection, user_id: str) -> Sequence[Row[Any]]:
    """Those of one person, the newest first, with the name of the project that each is bound to."""
    return tx.execute(
        select(tokens, projects.c.name.label("project"), (tokens.c.expires_at < now()).label("expired"))
        .outerjoin(projects, projects.c.id == tokens.c.project_id)
        .where(tokens.c.user_id == user_id)
        .order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
    ).all()


def standing(tx: Connection, user_id: str) -> int:
    """How many of somebody's tokens can be used now."""
    mine = tokens.c.user_id == user_id, tokens.c.revoked_at.is_(None), tokens.c.expires_at > now()
    return int(tx.execute(select(func.count()).select_from(tokens).where(*mine)).scalar_one())


def revoke(tx: Connection, user_id: str, token_id: str) -> str | None:
    """Worthless from now on; answers its prefix, None where that person has no such token."""
    mine = (tokens.c.id == token_id) & (tokens.c.user_id == user_id)
    row = tx.execute(select(tokens.c.prefix).where(mine)).one_or_none()
    tx.execute(update(tokens).where(mine, tokens.c.revoked_at.is_(None)).values(revoked_at=now()))
    return None if row is None else str(row.prefix)


def revoke_all(tx: Connection, user_id: str) -> None:
    """Every token of one person."""
    mine = tokens.c.user_id == user_id, tokens.c.revoked_at.is_(None)
    tx.execute(update(tokens).where(*mine).values(revoked_at=now()))
