"""The static frontend, and the index that stands behind every address of it.

Only files of known types are served, by looking the request up in a list of what is there; a path of the
request never becomes a path of the disk.
"""

import gzip
import os
import re
import time
from base64 import b64encode
from dataclasses import dataclass
from hashlib import blake2b, sha256
from importlib.resources import files
from pathlib import Path
from threading import Lock

from fastapi import APIRouter, Request
from starlette.responses import Response

from blindspots.api.replies import REVALIDATE, same
from blindspots.errors import NotFound

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
HIDDEN_FOLDERS = {"node_modules"}
COMPRESSED = {".html", ".css", ".js", ".svg", ".txt"}

INLINE_SCRIPT = re.compile(rb"<script type=\"(?:importmap|speculationrules)\">(.*?)</script>", re.DOTALL)


def policy(page: bytes = b"") -> str:
    """The Content-Security-Policy of a page: itself only, and its own inline import map, named by its hash.

    Styles may be inline because Plotly 4 puts its rules into a style element of its own: without them the
    drawings take no hover and no drag. Swagger UI does the same. A style can load nothing under the other
    directives.
    """
    hashes = (f"'sha256-{b64encode(sha256(each).digest()).decode()}'" for each in INLINE_SCRIPT.findall(page))
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        )
    )


@dataclass(frozen=True)
class Asset:
    """One file, as it is sent."""

    body: bytes
    compressed: bytes | None
    media_type: str
    etag: str
    version: tuple[int, int]  # modification time in ns, size


def default_folder() -> Path:
    """`_frontend` inside an installed wheel, or `frontend/` beside `backend/` in a checkout."""
    package = Path(str(files("blindspots")))
    installed = package / "_frontend"
    return installed if installed.is_dir() else package.parents[1] / "frontend"


class Assets:
    """The files of the frontend, read once and again when they change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._held: dict[str, Asset] = {}
        self._lock = Lock()
        self._paths = self._list()
        self._listed = time.monotonic()

    def _list(self) -> dict[str, Path]:
        found = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [each for each in folders if each[0] != "." and each not in HIDDEN_FOLDERS]
            for name in names:
                path = Path(folder, name)
                if name[0] != "." and path.suffix in MEDIA_TYPES and not path.is_symlink():
                    found["/" + path.relative_to(self.folder).as_posix()] = path
        return found

    def __contains__(self, path: str) -> bool:
        if path not in self._paths and time.monotonic() - self._listed > 1:
            self._paths, self._listed = self._list(), time.monotonic()
        return path in self._paths

    def get(self, path: str) -> Asset:
        """Raises NotFound."""
        if path not in self:
            raise NotFound("There is nothing at this address.")
        file = self._paths[path]
        try:
            stat = file.stat()
        except FileNotFoundError:
            raise NotFound("There is nothing at this address.") from None
        version = (stat.st_mtime_ns, stat.st_size)
        held = self._held.get(path)
        if held is None or held.version != version:
            body = file.read_bytes()
            small = (
                gzip.compress(body, 6, mtime=0) if file.suffix in COMPRESSED and len(body) > 1024 else None
            )
            etag = f'W/"{blake2b(body, digest_size=16).hexdigest()}"'
            held = Asset(body, small, MEDIA_TYPES[file.suffix], etag, version)
            with self._lock:
                self._held[path] = held
        return held


def asset_response(request: Request, asset: Asset) -> Response:
    """The file, compressed where the client takes it, or 304."""
    headers = {"ETag": asset.etag, "Cache-Control": REVALIDATE, "Vary": "Accept-Encoding"}
    if asset.media_type.startswith("text/html"):
        headers["Content-Security-Policy"] = policy(asset.body)
    if same(request, asset.etag):
        return Response(status_code=304, headers=headers)
    body = asset.body
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = asset.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=asset.media_type, headers=headers)


def page_file(address: str) -> str:
    """The file behind an address. The frontend draws every view itself, so all but files are its index."""
    if address == "/api/docs":
        return "/api-docs.html"
    if address.startswith("/api/") or "." in address.rsplit("/", 1)[1]:
        return address
    return "/index.html"


router = APIRouter(include_in_schema=False)


@router.api_route("/{path:path}", methods=["GET", "HEAD"])
def page(request: Request, path: str) -> Response:
    """A file of the frontend, or the page that draws this address."""
    assets: Assets = request.app.state.assets
    return asset_response(request, assets.get(page_file("/" + path)))
