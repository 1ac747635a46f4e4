"""Ways in: passwords and sessions for people, tokens for programs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Connection, Row

from blindspots.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from blindspots.store import audit, history, projects, sessions, tokens, users
from blindspots.store.tables import MAIN_PROJECT
from blindspots.store.tokens import NewToken
from blindspots.work import keys, passwords
from blindspots.work.actor import MOST, RANK, Actor, Role, Scope, Way
from blindspots.work.foundation import Json
from blindspots.work.pinning import Pinning

SESSION_SECONDS = 30 * 24 * 3600.0
DAY = 24 * 3600.0
LONGEST_DAYS = 365
MOST_TOKENS = 50

WRONG = "The name or the password is wrong."


class Entrances(Pinning):
    """Who is who. What is handed out here is stored as hashes only."""

    def sign_in(self, name: str, password: str, address: str) -> str:
        """A new session. Raises Unauthenticated, after the same time whatever was wrong."""
        with self.database.read() as tx:
            user = users.find(tx, name)
        right = passwords.fits(password, user.password if user else None)
        with self.database.write() as tx:
            if user is None or not right or user.disabled_at is not None:
                # A name that nobody has may be a password, typed into the wrong field.
                audit.note(tx, user.name if user else "unknown", "sign_in_refused", address=address)
            else:
                return self._begin(tx, user, address)
        raise Unauthenticated(WRONG, field="password")

    def _begin(self, tx: Connection, user: Row[Any], address: str) -> str:
        key = keys.new_key()
        sessions.begin(tx, keys.key_hash(key), user.id, address, SESSION_SECONDS)
        users.remember_address(tx, user.id, address)
        audit.note(tx, user.name, "sign_in", address=address)
        return key

    def knows_address(self, name: str, address: str) -> bool:
        """Whether that person signed in from there before."""
        with self.database.read() as tx:
            return users.knows_address(tx, name, address)

    def session_actor(self, key: str, address: str) -> Actor | None:
        """Whose session it is; None where it has ended."""
        with self.database.read() as tx:
            user = sessions.user(tx, keys.key_hash(key))
            return None if user is None else _actor(tx, user, "session", address)

    def token_actor(self, token: str, address: str) -> Actor | None:
        """Whose token it is, with no more rights than its scope; None where it is worthless."""
        if not keys.well_formed(token):
            return None
        with self.database.read() as tx:
            user = tokens.user(tx, keys.key_hash(token))
            actor = (
                _actor(tx, user, "token", address, scope=user.scope, bound=user.bound_to) if user else None
            )
        if user is not None and user.stale:
            with self.database.write() as tx:
                tokens.used(tx, user.token_id)
        return actor

    def sign_out(self, key: str) -> None:
        """End one session."""
        with self.database.write() as tx:
            sessions.end(tx, keys.key_hash(key))
            self._note(tx, "sign_out", "", None)

    def sign_out_everywhere(self) -> None:
        """End every session of the actor."""
        with self.database.write() as tx:
            sessions.end_all(tx, self._me())
            self._note(tx, "sign_out_everywhere", "", None)

    def in_project(self, name: str) -> Actor:
        """The actor, meaning that project where none is named. Raises NotFound."""
        with self.database.read() as tx:
            return replace(self.actor, project_id=self._project(tx, name, "viewer").id)

    def _project(self, tx: Connection, name: str, role: Role) -> Row[Any]:
        """A project in which the actor is that much. Raises NotFound, Forbidden."""
        row = projects.find(tx, name)
        if row is None:
            raise projects.missing()
        self.actor.require(row.id, role, projects.missing())
        return row

    def _me(self) -> str:
        """The actor's id. Raises Conflict where there are no people."""
        self.actor.require_people()
        if self.actor.user_id is None:
            raise Conflict("The program itself has no account.")
        return self.actor.user_id

    def _myself(self) -> str:
        """The actor's id, who must sit at a browser: no token makes tokens. Raises Forbidden, Conflict."""
        if self.actor.way == "token":
            raise Forbidden("A token cannot do that; sign in with your password.")
        return self._me()

    def account(self) -> Json:
        """user, display_name, role (in the current project), service_admin, people, project, projects."""
        actor = self.actor
        with self.database.read() as tx:
            rows = [row for row in projects.every(tx) if actor.sees(row.id)]
            me = users.by_id(tx, actor.user_id) if actor.user_id else None
        views = [{"name": row.name, "title": row.title, "role": actor.role(row.id)} for row in rows]
        return {
            "user": actor.name,
            "display_name": me.display_name if me else actor.name,
            "role": actor.role(actor.project_id),
            "service_admin": actor.service_admin,
            "people": actor.user_id is not None,
            "project": next((row.name for row in rows if row.id == actor.project_id), None),
            "projects": views,
        }

    def change_password(self, old: str, new: str) -> str:
        """End every session of the actor, and begin a new one. Raises InvalidInput."""
        me = self._myself()
        with self.database.read() as tx:
            user = users.by_id(tx, me)
        if not passwords.fits(old, user.password):
            raise InvalidInput("This is not your present password.", field="old")
        passwords.check_new(new, user.name)
        stored = passwords.hashed(new)
        with self.database.write() as tx:
            users.change(tx, me, password=stored)
            sessions.end_all(tx, me)
            self._note(tx, "password_change", user.name, None)
            return self._begin(tx, user, self.actor.address)

    def make_token(self, name: str, scope: Scope, project: str | None, days: int) -> Json:
        """A token of the actor's; the answer holds it, and nothing does afterwards."""
        return self.make_token_for(self._myself(), name, scope, project, days)

    def make_token_for(self, user_id: str, name: str, scope: Scope, project: str | None, days: int) -> Json:
        """The same for somebody, by whoever may read the database."""
        if not 1 <= days <= LONGEST_DAYS:
            raise InvalidInput(f"A token lasts 1 to {LONGEST_DAYS} days.", field="days")
        token = keys.new_token()
        with self.database.write() as tx:
            if tokens.standing(tx, user_id) >= MOST_TOKENS:
                raise Conflict(f"Nobody needs more than {MOST_TOKENS} tokens; revoke some first.")
            bound = self._project(tx, project, "viewer").id if project else None
            new = NewToken(user_id, name, keys.shown(token), keys.key_hash(token), scope, bound, days * DAY)
            token_id = tokens.add(tx, new)
            self._note(tx, "token_create", keys.shown(token), bound, scope=scope, days=days)
            row = next(each for each in tokens.of(tx, user_id) if each.id == token_id)
        return {**_token_view(row), "token": token}

    def tokens(self) -> list[Json]:
        """The actor's, the newest first."""
        return self.tokens_of(self._me())

    def tokens_of(self, user_id: str) -> list[Json]:
        """The same of somebody, for whoever may read the database."""
        with self.database.read() as tx:
            return [_token_view(row) for row in tokens.of(tx, user_id)]

    def revoke_token(self, token_id: str) -> None:
        """Worthless at once. Raises NotFound."""
        self.revoke_token_of(self._me(), token_id)

    def revoke_token_of(self, user_id: str, token_id: str) -> None:
        """The same for somebody, by whoever may read the database."""
        with self.database.write() as tx:
            prefix = tokens.revoke(tx, user_id, token_id)
            if prefix is None:
                raise NotFound("You have no such token.")
            self._note(tx, "token_revoke", prefix, None)


def _actor(
    tx: Connection,
    user: Row[Any],
    way: Way,
    address: str,
    *,
    scope: str = "admin",
    bound: str | None = None,
) -> Actor:
    """What a user may do by that way in. Admins of the service are admins of every project."""
    found: Mapping[str, str] = projects.roles_of(tx, user.id)
    if user.service_admin:
        found = {row.id: "admin" for row in projects.every(tx)}
    most = MOST[scope]
    roles = {
        project_id: cast(Role, min(role, most, key=RANK.__getitem__))
        for project_id, role in found.items()
        if bound in (None, project_id)
    }
    return Actor(
        name=user.name,
        way=way,
        user_id=user.id,
        roles=roles,
        service_admin=user.service_admin and scope == "admin" and bound is None,
        project_id=MAIN_PROJECT if MAIN_PROJECT in roles else min(roles, default=MAIN_PROJECT),
        address=address,
    )


def _token_view(row: Row[Any]) -> Json:
    moments = ("created_at", "expires_at", "last_used_at", "revoked_at")
    state = "revoked" if row.revoked_at else "expired" if row.expired else "good"
    return {
        "id": row.id, "name": row.name, "prefix": row.prefix, "scope": row.scope, "project": row.project,
        "state": state, **{name: history.stamp(getattr(row, name)) for name in moments},
    }  # fmt: skip
