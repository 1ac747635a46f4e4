"""The doorkeeper of team mode: people have names, passwords and sessions, and programs have tokens."""

import anyio.to_thread
from starlette.types import Scope

from blindspots.api.auth import Throttle, bearer_token, client_address, session_cookie
from blindspots.errors import BlindspotsError, NotFound
from blindspots.work.actor import Actor
from blindspots.work.service import Service


class Reception:
    """Looks everybody up in the database at every request, so that what was taken back is gone at once.

    Failures are counted by address and by account before a password is looked at. An address from which
    somebody signed in before is not counted against their account: guesses from elsewhere lock nobody out.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._by_address = Throttle()
        self._by_account = Throttle()

    async def identify(self, scope: Scope) -> Actor | None:
        """Who sent this request."""
        offered, address = bearer_token(scope), client_address(scope)
        if offered is not None:
            return await anyio.to_thread.run_sync(self._service.token_actor, offered, address)
        if cookie := session_cookie(scope):
            return await anyio.to_thread.run_sync(self._service.session_actor, cookie, address)
        return None

    def sign_in(self, name: str, password: str, address: str) -> str:
        """A new session. Raises Unauthenticated or TryLater."""
        name = name.strip().lower()
        self._by_address.failed(address)
        known = self._service.knows_address(name, address)
        if not known:
            self._by_account.failed(name)
        session = self._service.sign_in(name, password, address)
        self._by_address.forgive(address)
        if not known:
            self._by_account.forgive(name)
        return session

    def change_password(self, service: Service, old: str, new: str) -> str:
        """A session for the new password; whoever found a browser open may not guess the old one quickly."""
        key = f"password of {service.actor.name}"
        self._by_account.failed(key)
        session = service.change_password(old, new)
        self._by_account.forgive(key)
        return session

    def join(self, code: str, name: str, display_name: str, password: str, address: str) -> str:
        """Choose a password by a link; answers a session. Raises NotFound, InvalidInput, TryLater."""
        self._by_address.failed(address)
        try:
            session = self._service.accept(code, name, display_name, password, address)
        except NotFound:
            raise  # only a wrong link is a guess
        except BlindspotsError:
            self._by_address.forgive(address)
            raise
        self._by_address.forgive(address)
        return session
