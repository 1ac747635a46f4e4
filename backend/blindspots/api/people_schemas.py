"""What answers about people look like."""

from typing import Any, Literal

from blindspots.api.schemas import Answer


class OwnProject(Answer):
    """A project, and what the caller is in it."""

    name: str
    title: str
    role: Literal["viewer", "member", "admin"]


class Session(Answer):
    """Who is signed in."""

    user: str
    display_name: str
    role: Literal["viewer", "member", "admin"] | None
    """In the current project."""
    service_admin: bool
    people: bool
    """False where the installation has one local user."""
    project: str | None
    """Name of the current project."""
    projects: list[OwnProject]


class MadeToken(Answer):
    """A token that was just made."""

    id: str
    name: str
    token: str
    """Shown here and nowhere else."""
    prefix: str
    scope: Literal["read", "submit", "admin"]
    project: str | None
    state: Literal["good", "revoked", "expired"]
    created_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None


class AuditPage(Answer):
    """Lines of the audit log."""

    items: list[dict[str, Any]]
    next: int | None
    """What to pass as `before` for the next page."""
