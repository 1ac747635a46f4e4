"""Who asks, and what they may do where. Every sentence of the service is said by somebody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from blindspots.errors import Conflict, Forbidden, NotFound
from blindspots.store.tables import MAIN_PROJECT

Role = Literal["viewer", "member", "admin"]
Scope = Literal["read", "submit", "admin"]
Way = Literal["session", "token", "local", "system"]

RANK: Mapping[str, int] = {"viewer": 1, "member": 2, "admin": 3}
MOST: Mapping[str, Role] = {"read": "viewer", "submit": "member", "admin": "admin"}  # that a scope allows
MAY = {
    "viewer": "look at it",
    "member": "submit and change jobs of their own in it",
    "admin": "change what others made and who may do what in it",
}


@dataclass(frozen=True)
class Actor:
    """A person, or the program itself, behind one request."""

    name: str
    way: Way
    user_id: str | None = None  # None where there are no people: the local user, the program itself
    roles: Mapping[str, Role] = field(default_factory=dict)  # by the id of the project
    everywhere: bool = False  # admin of every project there is
    service_admin: bool = False  # may manage people and projects
    project_id: str = MAIN_PROJECT  # the one that is meant where none is named
    address: str = ""

    def role(self, project_id: str) -> Role | None:
        """What they are in that project; None: for them it does not exist."""
        return "admin" if self.everywhere else self.roles.get(project_id)

    def sees(self, project_id: str) -> bool:
        """Whether they are a member of any kind."""
        return self.role(project_id) is not None

    def require(self, project_id: str, role: Role, missing: NotFound) -> None:
        """Raises `missing` where they may not know of it, Forbidden where they may only look."""
        mine = self.role(project_id)
        if mine is None:
            raise missing
        if RANK[mine] < RANK[role]:
            raise Forbidden(f"You are a {mine} of this project; to {MAY[role]} takes a {role}.")

    def require_own(self, project_id: str, owner: str | None, missing: NotFound) -> None:
        """Members change what is theirs, admins of the project what is anybody's."""
        mine = self.role(project_id)
        if mine is None:
            raise missing
        if mine == "admin" or (mine == "member" and owner == self.name):
            return
        raise Forbidden("Only its owner, as a member of the project, and admins of the project may do that.")

    def require_people(self) -> None:
        """Raises Conflict where there is one local user."""
        if self.way == "local":
            raise Conflict("This installation has one user and no sign-in. People need BLINDSPOTS_TEAM=true.")

    def require_service_admin(self) -> None:
        """Raises Forbidden."""
        if not self.service_admin:
            raise Forbidden("Only an admin of the whole service may do that.")


SYSTEM = Actor("blindspots", "system", everywhere=True, service_admin=True)
LOCAL = Actor("local", "local", everywhere=True, service_admin=True)
