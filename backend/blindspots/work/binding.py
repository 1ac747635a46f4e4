"""Who may listen where: an address that others can reach takes people, closed folders and real passwords."""

import stat
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from blindspots.errors import StartupError
from blindspots.settings import Settings

SHORTEST = 12
GUESSED_FIRST = frozenset({"password", "postgres", "redis", "secret", "changeme", "blindspots", "admin"})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_binding(settings: Settings) -> None:
    """Raises StartupError where the settings' host would let in others than people who sign in."""
    if is_loopback(settings.host):
        return
    if not settings.team:
        raise StartupError(
            f"{settings.host} is refused: this installation has one user and no sign-in for others, so it "
            "listens on 127.0.0.1 only. Reach it from another machine through ssh -L, or let people sign in "
            "with BLINDSPOTS_TEAM=true."
        )
    if settings.data_dir.exists() and stat.S_IMODE(settings.data_dir.stat().st_mode) & 0o077:
        raise StartupError(
            f"{settings.host} is refused: the data folder can be read by others; run: "
            f"chmod 700 '{settings.data_dir}'"
        )
    for name, url in (
        ("BLINDSPOTS_DATABASE_URL", settings.database_url),
        ("BLINDSPOTS_BROKER_URL", settings.broker_url.get_secret_value()),
    ):
        if is_weak(url):
            raise StartupError(
                f"{settings.host} is refused: {name} has no password, or one that is guessed first. Give it "
                f"{SHORTEST} random characters or more."
            )


def is_weak(url: str) -> bool:
    """Whether the server behind the URL lets in whoever tries. Files and Unix sockets need no password."""
    parts = urlsplit(url)
    if not parts.hostname:
        return False
    password = unquote(parts.password or "")
    return len(password) < SHORTEST or password.lower() in GUESSED_FIRST or len(set(password)) < 5
