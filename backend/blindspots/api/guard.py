"""What every request passes before any route (host, origin, identity), and what every answer carries.

Written as plain ASGI and outermost, so that no route, mount or error page can escape it.
"""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blindspots.api.auth import Doorkeeper
from blindspots.api.pace import Pace
from blindspots.api.problems import problem_for, unexpected
from blindspots.api.proxies import Proxies
from blindspots.errors import BlindspotsError, Forbidden, MalformedRequest, Unauthenticated

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


def host_name(value: str) -> str | None:
    """The name in a Host header, without the port; None when it is not one."""
    try:
        parts = urlsplit("//" + value)
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.netloc != value or "@" in value or parts.path or parts.query or parts.fragment:
        return None
    return f"[{name}]" if ":" in name else name


class Guard:
    """The door. `is_open(method, path)` says what a stranger may ask for; the rest needs an identity."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        doorkeeper: Doorkeeper,
        allowed_hosts: tuple[str, ...],
        proxies: Proxies,
        is_open: Callable[[str, str], bool],
        pace: Pace,
    ) -> None:
        self.app = app
        self.doorkeeper = doorkeeper
        self.allowed_hosts = {host.lower() for host in allowed_hosts}
        self.proxies = proxies
        self.is_open = is_open
        self.pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # There is no WebSocket here; the lifespan passes.
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        scope = self.proxies.seen_through(scope)
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in {**SECURITY_HEADERS, "X-Request-ID": request_id}.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", API_POLICY)
            await send(message)

        try:
            answer = await self._refusal(scope)
            await (answer or self.app)(scope, receive, send_guarded)
        except Exception as error:
            answer = unexpected(scope, error)
            if not started:
                await answer(scope, receive, send_guarded)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass; notes the identity of one that may."""
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            if scope["method"] not in SAFE_METHODS:
                self._check_origin(scope["scheme"], headers)
            identity = await self.doorkeeper.identify(scope)
            if identity is None and not self.is_open(scope["method"], scope["path"]):
                raise Unauthenticated(
                    "Sign in first, or send the token of this installation as: Authorization: Bearer <token>"
                )
            if identity is not None:
                self.pace.take(identity.name)
            state: dict[str, Any] = scope["state"]
            state["identity"] = identity
        except Unauthenticated as error:
            wants_page = "text/html" in headers.get("accept", "") and scope["method"] in ("GET", "HEAD")
            if wants_page and not scope["path"].startswith("/api/v1"):
                return RedirectResponse("/login", status_code=303, headers={"Cache-Control": "no-store"})
            return problem_for(scope, error)
        except BlindspotsError as error:
            return problem_for(scope, error)
        return None

    def _check_host(self, headers: Headers) -> None:
        """A page of another site whose name resolves to this machine still sends its own name."""
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            raise MalformedRequest("Exactly one Host header is due.")
        name = host_name(hosts[0])
        if name is None or name.lower() not in self.allowed_hosts:
            raise Forbidden(
                "This host name is not among BLINDSPOTS_ALLOWED_HOSTS; open the address that was printed "
                "at start."
            )

    def _check_origin(self, scheme: str, headers: Headers) -> None:
        """Changes come from our own pages, or from programs: those send no Origin and no cookie."""
        refused = Forbidden(
            "Changes are taken from this site's own pages and from programs with a token only."
        )
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise refused
        origins = headers.getlist("origin")
        if origins and origins != [f"{scheme}://{headers['host']}"]:
            raise refused
        if not origins and "cookie" in headers and "authorization" not in headers:
            raise refused
