"""One process at a time does what must not be done twice: a lease on a row, by the database's clock."""

from datetime import UTC, datetime

from sqlalchemy import Connection, or_, update

from blindspots.store.database import now
from blindspots.store.tables import leaders
from blindspots.store.upserts import upsert

EXPIRED = datetime(2000, 1, 1, tzinfo=UTC)


def lead(tx: Connection, name: str, holder: str, seconds: float) -> bool:
    """Become or stay the leader for so long. False while another one leads."""
    free = or_(leaders.c.holder == holder, leaders.c.until < now())
    values = {"holder": holder, "until": now(seconds)}
    mine = update(leaders).where(leaders.c.name == name, free).values(**values)
    if tx.execute(mine).rowcount == 1:
        return True
    upsert(tx, leaders, {"name": name, "holder": "", "until": EXPIRED}, {})
    return tx.execute(mine).rowcount == 1


def resign(tx: Connection, name: str, holder: str) -> None:
    """Let another one lead at once."""
    tx.execute(
        update(leaders).where(leaders.c.name == name, leaders.c.holder == holder).values(until=now(-1.0))
    )
