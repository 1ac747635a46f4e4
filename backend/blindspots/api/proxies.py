"""Reverse proxies: what they say of a request is believed only of those that the settings name."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import Scope

from blindspots.errors import StartupError


class Proxies:
    """The proxies that are trusted; none by default, and then nothing here does anything."""

    def __init__(self, trusted: Iterable[str]) -> None:
        try:
            self._networks = [ip_network(each) for each in trusted]
        except ValueError as error:
            raise StartupError(f"BLINDSPOTS_TRUSTED_PROXIES makes no sense: {error}.") from error

    def _trusts(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def seen_through(self, scope: Scope) -> Scope:
        """The request as the proxy says that it was: X-Forwarded-For and X-Forwarded-Proto.

        Of several addresses the last one that is no trusted proxy counts: a client can only write the first.
        """
        peer = (scope.get("client") or ("", 0))[0]
        if not self._networks or not self._trusts(peer):
            return scope
        headers = Headers(scope=scope)
        seen = dict(scope)
        through = [each.strip() for each in ",".join(headers.getlist("x-forwarded-for")).split(",")]
        for address in reversed([each for each in through if each]):
            seen["client"] = (address, 0)
            if not self._trusts(address):
                break
        schemes = headers.getlist("x-forwarded-proto")
        if len(schemes) == 1 and schemes[0].lower() in ("http", "https"):
            seen["scheme"] = schemes[0].lower()
        return seen
