"""The web server of `blindspots up`: its socket, its sign-in link, and its stop."""

import errno
import socket
import webbrowser
from collections.abc import Callable
from threading import Thread
from types import FrameType

import uvicorn
from fastapi import FastAPI

from blindspots.api.auth import Authenticator
from blindspots.api.events import Feed
from blindspots.commands.console import out
from blindspots.errors import StartupError
from blindspots.settings import Settings
from blindspots.work.service import Service

STOP_SECONDS = 2


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises StartupError when the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on, and answers wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartupError(f"Port {port} is taken; choose another: blindspots up --port 0") from error
        raise StartupError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
    return listener


class Server(uvicorn.Server):
    """Uvicorn that says when it is ready, and that ends its event streams first when it stops."""

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[], None], feed: Feed) -> None:
        super().__init__(config)
        self._ready = ready
        self._feed = feed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._feed.close()
        super().handle_exit(sig, frame)


def way_in(app: FastAPI, address: str) -> tuple[str, str]:
    """The link that is printed at the start, and what it is."""
    authenticator: Authenticator | None = app.state.authenticator
    if authenticator is not None:
        link = f"{address}/login?token={authenticator.issue_link_code()}"
        return link, "Sign in with this link; it works once"
    service: Service = app.state.service
    code = service.ensure_admin()
    if code is None:
        return f"{address}/login", "People sign in here"
    return f"{address}/join?code={code}", "The first admin chooses a password here; the link works once"


def serve(app: FastAPI, listener: socket.socket, settings: Settings, *, browser: bool) -> None:
    """Answer requests until a signal says stop."""
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    note = settings.data_dir / "address"

    def ready() -> None:
        link, words = way_in(app, address)
        note.write_text(address + "\n", encoding="ascii")
        out.print(f"Blindspots answers at [bold]{address}[/bold]", markup=True)
        out.print(f"{words}: {link}", markup=False, soft_wrap=True)
        out.print("Stop with Ctrl-C.")
        if browser:
            Thread(target=webbrowser.open, args=(link,), daemon=True).start()

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=512,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    try:
        Server(config, ready=ready, feed=app.state.feed).run(sockets=[listener])
    finally:
        note.unlink(missing_ok=True)
