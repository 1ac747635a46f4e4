"""People: their names, their passwords' hashes, and where they signed in before."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from blindspots.errors import Conflict, NotFound
from blindspots.store.database import new_id, now
from blindspots.store.people_tables import known_addresses, users
from blindspots.store.upserts import upsert


def find(tx: Connection, name: str) -> Row[Any] | None:
    """By name."""
    return tx.execute(select(users).where(users.c.name == name)).one_or_none()


def by_id(tx: Connection, user_id: str) -> Row[Any]:
    """The row of a user that exists."""
    return tx.execute(select(users).where(users.c.id == user_id)).one()


def require(tx: Connection, name: str) -> Row[Any]:
    """By name, held until the transaction ends. Raises NotFound."""
    row = tx.execute(select(users).where(users.c.name == name).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is nobody of that name.")
    return row


def every(tx: Connection) -> Sequence[Row[Any]]:
    """All, by name."""
    return tx.execute(select(users).order_by(users.c.name)).all()


def add(tx: Connection, name: str, display_name: str, *, password: str | None, service_admin: bool) -> str:
    """Answers the id. Raises Conflict when somebody has that name."""
    if find(tx, name) is not None:
        raise Conflict(f"Somebody is already called {name}. Choose another name.", field="name")
    user_id = new_id()
    tx.execute(
        insert(users).values(
            id=user_id, name=name, display_name=display_name, password=password,
            service_admin=service_admin, created_at=now(),
        )
    )  # fmt: skip
    return user_id


def change(tx: Connection, user_id: str, **values: Any) -> None:
    """Set columns. Raises Conflict when thereby no admin of the service would be left."""
    had = has_admin(tx)
    tx.execute(update(users).where(users.c.id == user_id).values(**values))
    if had and not has_admin(tx):
        raise Conflict("This is the last admin of the service; make another one first.")


def disable(tx: Connection, user_id: str, *, disabled: bool) -> None:
    """Let somebody in no more, or again."""
    change(tx, user_id, disabled_at=now() if disabled else None)


def has_admin(tx: Connection) -> bool:
    """Whether somebody administers the service."""
    admin = exists().where(users.c.service_admin.is_(True), users.c.disabled_at.is_(None))
    return bool(tx.execute(select(admin)).scalar_one())


def has_admin_with_password(tx: Connection) -> bool:
    """Whether an admin of the service has chosen a password."""
    admin = exists().where(
        users.c.service_admin.is_(True), users.c.disabled_at.is_(None), users.c.password.is_not(None)
    )
    return bool(tx.execute(select(admin)).scalar_one())


def remember_address(tx: Connection, user_id: str, address: str) -> None:
    """Somebody signed in from there."""
    keys = {"user_id": user_id, "address": address}
    upsert(tx, known_addresses, keys, {"seen_at": now()})


def knows_address(tx: Connection, name: str, address: str) -> bool:
    """Whether that person signed in from there before."""
    mine = users.c.id == known_addresses.c.user_id
    known = exists().where(mine, users.c.name == name, known_addresses.c.address == address)
    return bool(tx.execute(select(known)).scalar_one())
