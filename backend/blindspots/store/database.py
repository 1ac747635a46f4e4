"""One way into the database: short transactions on SQLite or PostgreSQL, and its clock.

SQLite runs with WAL; a writer takes the lock at once (BEGIN IMMEDIATE), so that no transaction fails
half-way for want of it. Where the database does not answer, `Unavailable` is raised and nothing was
changed.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine, event, exc, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement, literal
from sqlalchemy.types import Float, TypeDecorator

from blindspots.errors import InvalidInput, StartupError, Unavailable

BUSY_SECONDS = 30.0
WRITE = "blindspots_write"


class Moment(TypeDecorator[datetime]):
    """A time in UTC, on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Only times with a zone are accepted."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a time with a zone, got {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """SQLite forgets the zone, PostgreSQL answers in the session's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class now(FunctionElement[datetime]):
    """The database's clock, `seconds` from now: leases must not depend on the clocks of workers."""

    type = Moment()
    inherit_cache = True

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(literal(float(seconds), Float()))


@compiles(now, "sqlite")
def _sqlite_now(element: now, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', ({seconds}) || ' seconds') || '000')"


@compiles(now, "postgresql")
def _postgresql_now(element: now, compiler: SQLCompiler, **options: Any) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"(clock_timestamp() + make_interval(secs => ({seconds})))"


class Database:
    """An engine and its two kinds of transaction."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        if self.url.drivername in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.dialect = self.url.get_backend_name()
        if self.dialect not in ("sqlite", "postgresql"):
            raise StartupError(f"The database URL names {self.dialect!r}; use sqlite or postgresql.")
        self.engine = _sqlite_engine(self.url) if self.dialect == "sqlite" else _postgresql_engine(self.url)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database. Raises Unavailable."""
        with _answering(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that changes something, and is committed when the block ends well. Raises
        Unavailable.
        """
        with _answering(), self.engine.connect() as connection:
            writing = connection.execution_options(**cast(Any, {WRITE: True}))
            with writing.begin():
                yield writing

    @contextlib.contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """Like `write`, for migrations: SQLite changes a table by making it anew, and dropping the old one
        must not touch the rows that refer to it.
        """
        if self.dialect != "sqlite":
            with self.write() as connection:
                yield connection
            return
        with _answering(), self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                writing = connection.execution_options(**cast(Any, {WRITE: True}))
                with writing.begin():
                    yield writing
                    broken = writing.exec_driver_sql("PRAGMA foreign_key_check").first()
                    if broken is not None:
                        raise StartupError(f"The migration would leave references to nothing: {broken}.")
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        raise Unavailable(
            "The database does not answer now; nothing was changed. Try again in a moment."
        ) from error
    except exc.DataError as error:
        raise InvalidInput("A value holds a character or a number that cannot be stored.") from error
    except exc.TimeoutError as error:
        raise Unavailable(
            "Every database connection is busy; nothing was changed. Try again in a moment."
        ) from error


def _sqlite_engine(url: Any) -> Engine:
    engine = create_engine(url, pool_size=10, max_overflow=30, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON",
            f"busy_timeout={int(BUSY_SECONDS * 1000)}",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql_engine(url: Any) -> Engine:
    return create_engine(
        url,
        pool_size=5,
        max_overflow=15,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "options": "-c lock_timeout=30000"},
    )


def check_answers(database: Database) -> None:
    """Raises StartupError, with the reason, where the database cannot be reached."""
    try:
        with database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        where = database.url.render_as_string(hide_password=True)
        raise StartupError(f"The database {where} does not answer: {reason}") from error


_id_lock = threading.Lock()
_last_id = 0


def new_id() -> str:
    """A UUID of version 7: the time in milliseconds, then random bits. Ids of one process ascend. RFC 9562,
    5.7.
    """
    global _last_id  # noqa: PLW0603 - the order of ids within one process
    with _id_lock:
        # 12 random bits make room for 4,096 ids in one millisecond before the clock is borrowed from.
        fresh = (time.time_ns() // 1_000_000) << 12 | (int.from_bytes(os.urandom(2), "big") & 0x7FF)
        _last_id = max(fresh, _last_id + 1)
        stamp = _last_id
    high, low = stamp >> 12, stamp & 0xFFF
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    number = (high & ((1 << 48) - 1)) << 80 | 0x7 << 76 | low << 64 | 0b10 << 62 | tail
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
