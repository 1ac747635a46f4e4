"""Insert, or change what is there: one statement on both databases."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(tx: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Make the row of that key hold `values`; without values, make sure that it exists."""
    make = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    statement = make(table).values(**key, **values)
    if values:
        tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))
    else:
        tx.execute(statement.on_conflict_do_nothing())
