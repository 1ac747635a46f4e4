"""People, projects, who may do what in them, and the log of what was done."""

import re
from typing import Any

from sqlalchemy import Connection, Row

from blindspots.errors import InvalidInput, NotFound
from blindspots.store import audit, history, invites, projects, sessions, tokens, users
from blindspots.work import keys, passwords
from blindspots.work.actor import Role
from blindspots.work.entrances import DAY, Entrances
from blindspots.work.foundation import Json

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
NAME_RULE = "1 to 40 small letters, digits, dots, dashes or underscores, the first a letter or digit"
RESERVED = frozenset({"local", "blindspots", "unknown"})
RESET_DAYS = 2
INVITE_DAYS = 7
FIRST_ADMIN = "admin"

WORTHLESS = "This link is not good: it was used before, withdrawn, or has run out. Ask for a new one."


def check_name(name: str, what: str) -> None:
    """Raises InvalidInput."""
    if not NAME.fullmatch(name) or name in RESERVED:
        raise InvalidInput(f"A {what}'s name has {NAME_RULE}.", field="name")


class People(Entrances):
    """What admins do. Links and passwords are handed out once and stored as hashes only."""

    def _administers(self) -> None:
        """Raises Conflict where there are no people, Forbidden for all but admins of the service."""
        self.actor.require_people()
        self.actor.require_service_admin()

    def ensure_admin(self) -> str | None:
        """The code of a link that lets the first admin choose a password; None once that was done."""
        with self.database.write() as tx:
            if users.has_admin_with_password(tx):
                return None
            if users.find(tx, FIRST_ADMIN) is None and not users.has_admin(tx):
                self._add_user(tx, FIRST_ADMIN, "Admin", service_admin=True)
            user = users.find(tx, FIRST_ADMIN)
            return self._reset(tx, FIRST_ADMIN) if user and user.service_admin else None

    def _add_user(self, tx: Connection, name: str, display_name: str, *, service_admin: bool) -> str:
        user_id = users.add(tx, name, display_name, password=None, service_admin=service_admin)
        self._note(tx, "user_add", name, None, service_admin=service_admin)
        return user_id

    def _reset(self, tx: Connection, name: str) -> str:
        """The code of a link by which somebody chooses a password."""
        code, user = keys.new_key(), users.require(tx, name)
        seconds = RESET_DAYS * DAY
        invites.add(tx, keys.key_hash(code), created_by=self.actor.name, seconds=seconds, user_id=user.id)
        self._note(tx, "password_link", name, None)
        return code

    def users(self) -> list[Json]:
        """Everybody. Raises Forbidden."""
        self._administers()
        with self.database.read() as tx:
            names = {row.id: row.name for row in projects.every(tx)}
            found = [(row, projects.roles_of(tx, row.id)) for row in users.every(tx)]
        return [
            {**_user_view(row), "roles": {names[project]: role for project, role in roles.items()}}
            for row, roles in found
        ]

    def add_user(self, name: str, display_name: str, *, service_admin: bool) -> Json:
        """Enter somebody; the answer holds the code of the link by which they choose a password."""
        self._administers()
        check_name(name, "person")
        with self.database.write() as tx:
            self._add_user(tx, name, display_name or name, service_admin=service_admin)
            return {"name": name, "code": self._reset(tx, name)}

    def reset_user(self, name: str) -> Json:
        """A fresh link by which somebody chooses a password."""
        self._administers()
        with self.database.write() as tx:
            return {"name": name, "code": self._reset(tx, name)}

    def change_user(
        self, name: str, *, disabled: bool | None = None, service_admin: bool | None = None
    ) -> Json:
        """Let somebody in no more, or again; make them an admin of the service, or no longer. At once."""
        self._administers()
        with self.database.write() as tx:
            user = users.require(tx, name)
            if service_admin is not None:
                users.change(tx, user.id, service_admin=service_admin)
                self._note(tx, "user_service_admin", name, None, service_admin=service_admin)
            if disabled is not None:
                users.disable(tx, user.id, disabled=disabled)
                self._note(tx, "user_disable" if disabled else "user_enable", name, None)
            if disabled:
                sessions.end_all(tx, user.id)
                tokens.revoke_all(tx, user.id)
            return _user_view(users.by_id(tx, user.id))

    def add_project(self, name: str, title: str) -> Json:
        """Whoever makes a project is its admin."""
        self._administers()
        check_name(name, "project")
        with self.database.write() as tx:
            project_id = projects.add(tx, name, title or name)
            if self.actor.user_id is not None:
                projects.set_role(tx, project_id, self.actor.user_id, "admin")
            self._note(tx, "project_add", name, project_id)
        return {"name": name, "title": title or name, "role": "admin"}

    def retitle_project(self, name: str, title: str) -> Json:
        """Another title."""
        with self.database.write() as tx:
            project = self._project(tx, name, "admin")
            projects.retitle(tx, project.id, title)
            self._note(tx, "project_title", name, project.id)
        return {"name": name, "title": title, "role": "admin"}

    def members(self, project: str) -> list[Json]:
        """Who is what in a project; every member may know."""
        with self.database.read() as tx:
            found = projects.members(tx, self._project(tx, project, "viewer").id)
        return [
            {"name": row.name, "display_name": row.display_name, "role": row.role,
             "disabled": row.disabled_at is not None}
            for row in found
        ]  # fmt: skip

    def set_role(self, project: str, name: str, role: Role) -> None:
        """Enter somebody into a project, or change what they are in it."""
        with self.database.write() as tx:
            found = self._project(tx, project, "admin")
            user = users.require(tx, name)
            projects.set_role(tx, found.id, user.id, role)
            self._note(tx, "role_set", name, found.id, role=role)

    def remove_member(self, project: str, name: str) -> None:
        """They no longer see the project; what they made in it stays."""
        with self.database.write() as tx:
            found = self._project(tx, project, "admin")
            if not projects.remove_member(tx, found.id, users.require(tx, name).id):
                raise NotFound("They are no member of this project.")
            self._note(tx, "member_remove", name, found.id)

    def invite(self, project: str, role: Role) -> Json:
        """A link that lets one newcomer in; the answer holds its code, and nothing does afterwards."""
        self.actor.require_people()
        code = keys.new_key()
        with self.database.write() as tx:
            found = self._project(tx, project, "admin")
            invite_id = invites.add(
                tx, keys.key_hash(code), created_by=self.actor.name, seconds=INVITE_DAYS * DAY,
                project_id=found.id, role=role,
            )  # fmt: skip
            self._note(tx, "invite_create", invite_id, found.id, role=role)
        return {"id": invite_id, "role": role, "code": code}

    def invites(self, project: str) -> list[Json]:
        """Links that were not used yet."""
        with self.database.read() as tx:
            found = invites.pending(tx, self._project(tx, project, "admin").id)
        return [
            {"id": row.id, "role": row.role, "created_by": row.created_by,
             "created_at": history.stamp(row.created_at), "expires_at": history.stamp(row.expires_at)}
            for row in found
        ]  # fmt: skip

    def withdraw_invite(self, project: str, invite_id: str) -> None:
        """It is worthless from now on."""
        with self.database.write() as tx:
            found = self._project(tx, project, "admin")
            if not invites.withdraw(tx, found.id, invite_id):
                raise NotFound("There is no such link, or it was used before.")
            self._note(tx, "invite_withdraw", invite_id, found.id)

    def invitation(self, code: str) -> Json:
        """What a link offers: name (of a person who is known), project, role. Raises NotFound."""
        with self.database.read() as tx:
            row = self._invite(tx, code)
        return {"name": row.name, "project": row.project, "role": row.role}

    def _invite(self, tx: Connection, code: str) -> Row[Any]:
        row = invites.find(tx, keys.key_hash(code))
        if row is None:
            raise NotFound(WORTHLESS)
        return row

    def accept(self, code: str, name: str, display_name: str, password: str, address: str) -> str:
        """Choose a password by a link, as a newcomer under a name; answers a session."""
        offered = self.invitation(code)
        name = offered["name"] or name
        if offered["name"] is None:
            check_name(name, "person")
        passwords.check_new(password, name)
        stored = passwords.hashed(password)
        with self.database.write() as tx:
            row = self._invite(tx, code)
            invites.use(tx, row.id)
            if row.user_id is None:
                user_id = users.add(tx, name, display_name or name, password=stored, service_admin=False)
                projects.set_role(tx, row.project_id, user_id, row.role)
            else:
                user_id = row.user_id
                users.change(tx, user_id, password=stored)
                sessions.end_all(tx, user_id)
            audit.note(tx, name, "link_use", row.id, project_id=row.project_id, address=address)
            user = users.by_id(tx, user_id)
            if user.disabled_at is not None:
                raise NotFound(WORTHLESS)
            return self._begin(tx, user, address)

    def note_refusal(self, method: str, path: str) -> None:
        """Enter that the actor was refused."""
        with self.database.write() as tx:
            self._note(tx, "refused", f"{method} {path}", None)

    def audit_page(
        self, *, who: str | None = None, action: str | None = None, before: int | None = None, limit: int = 50
    ) -> Json:
        """Lines of the log, the newest first: items, next. Admins of a project read those of theirs."""
        actor = self.actor
        actor.require_people()
        within = [project for project in actor.roles if actor.role(project) == "admin"]
        if not within and not actor.service_admin:
            actor.require_service_admin()
        with self.database.read() as tx:
            rows = audit.page(
                tx, within=None if actor.service_admin else within, who=who, action=action, before=before,
                limit=limit + 1,
            )  # fmt: skip
        return {
            "items": [_audit_view(row) for row in rows[:limit]],
            "next": rows[limit - 1].id if len(rows) > limit else None,
        }


def _user_view(row: Row[Any]) -> Json:
    return {
        "name": row.name,
        "display_name": row.display_name,
        "service_admin": row.service_admin,
        "disabled": row.disabled_at is not None,
        "has_password": row.password is not None,
        "created_at": history.stamp(row.created_at),
    }


def _audit_view(row: Row[Any]) -> Json:
    names = ("id", "who", "action", "subject", "project", "address", "detail")
    return {name: getattr(row, name) for name in names} | {"at": history.stamp(row.at)}
