"""The tables of people: who they are, what they may do where, how they prove it, and what they did."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, String, Table, Text

from blindspots.store.database import Moment
from blindspots.store.tables import Document, Id, Number, Sha256, metadata

ROLES = ("viewer", "member", "admin")
SCOPES = ("read", "submit", "admin")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


projects = Table(
    "projects",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("title", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),  # never changes: jobs name their owner by it
    Column("display_name", String(200), nullable=False),
    Column("password", Text),  # a salted hash; nothing until the person has chosen one
    Column("service_admin", Boolean, nullable=False),
    Column("disabled_at", Moment),
    Column("created_at", Moment, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
    _one_of("role", ROLES),
)

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", Sha256, primary_key=True),  # of what the cookie holds
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("address", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)

# Where somebody signed in before; guesses from elsewhere do not lock them out there.
known_addresses = Table(
    "known_addresses",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("address", String(100), primary_key=True),
    Column("seen_at", Moment, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("prefix", String(16), nullable=False),  # what people know it by again
    Column("sha256", Sha256, nullable=False, unique=True),
    Column("scope", String(16), nullable=False),
    Column("project_id", Id, ForeignKey("projects.id")),  # nothing: all of its owner's
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
    _one_of("scope", SCOPES),
)

invites = Table(
    "invites",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sha256", Sha256, nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id")),  # whose password it sets; nothing: a newcomer's
    Column("project_id", Id, ForeignKey("projects.id"), index=True),
    Column("role", String(16)),
    Column("created_by", String(100), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

# A trigger refuses to change or delete its rows.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("who", String(100), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("project_id", Id),
    Column("address", String(100), nullable=False),
    Column("detail", Document, nullable=False),
    Index("ix_audit_log_project", "project_id", "id"),
    Index("ix_audit_log_who", "who", "id"),
    Index("ix_audit_log_action", "action", "id"),
    sqlite_autoincrement=True,
)
