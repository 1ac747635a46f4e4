"""Nobody is let in: every route, every host, every origin, every wrong token."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from bad_requests import ATTACK
from blindspots.api.access import STRANGERS as OPEN
from blindspots.api.app import create_app
from blindspots.api.frontend import Assets, page_file
from blindspots.errors import NotFound
from blindspots.settings import Settings
from installation import Installation
from strangers import session_cookie

VALUES = {
    "job_id": "00000000-0000-7000-8000-000000000000",
    "name": "digits",
    "split": "test",
    "index": "0",
    "row": "0",
    "form": "csv",
    "reference": "nobody",
    "image_id": "0" * 64,
    "archive_id": "0" * 64,
    "weights_id": "0" * 64,
    "test_id": "00000000-0000-7000-8000-000000000000",
    "position": "0",
    "worker_id": "00000000-0000-7000-8000-000000000000",
    "place": "0",
    "project": "no-such",
    "user": "nobody",
    "invite_id": "00000000-0000-7000-8000-000000000000",
    "token_id": "00000000-0000-7000-8000-000000000000",
}


def address(path: str) -> str:
    """A path with its parameters filled in."""
    return path.replace("{path:path}", "nothing").format(**VALUES)


def every_route() -> list[tuple[str, str]]:
    """Method and path of everything that the application answers, read from the application itself."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder)), service=None)  # type: ignore[arg-type] # only routes are read
    return sorted(
        (method, str(route.path))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    )


ROUTES = every_route()
CLOSED = [route for route in ROUTES if route not in OPEN]
WRONG = {
    "no token": {},
    "wrong token": {"Authorization": "Bearer bs_wrong"},
    "empty token": {"Authorization": "Bearer"},
    "other scheme": {"Authorization": "Basic dXNlcjpwYXNz"},
    "forged session": {
        "Cookie": "blindspots_session_{port}=aaaa.9999999999.bbbb",
        "Origin": "http://127.0.0.1:{port}",
    },
}


@pytest.fixture
def stranger(installation: Installation) -> Iterator[httpx2.Client]:
    """A client that nobody knows."""
    with httpx2.Client(base_url=installation.base_url, timeout=20, verify=False) as client:
        yield client


def test_what_is_open_is_listed_and_exists() -> None:
    assert set(ROUTES) >= OPEN
    assert len(CLOSED) > 30


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_every_other_route_is_closed(stranger: httpx2.Client, method: str, path: str) -> None:
    port = stranger.base_url.port
    for wrong, template in WRONG.items():
        headers = {name: value.format(port=port) for name, value in template.items()}
        answer = stranger.request(method, address(path), headers=headers)
        assert answer.status_code == 401, wrong
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert method == "HEAD" or answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(("method", "path"), [route for route in CLOSED if route[1] != "/api/v1/events"])
def test_the_token_opens_it(installation: Installation, method: str, path: str) -> None:
    """Whatever comes then (a page, a 404, a complaint about the body), it is no closed door and no crash."""
    answer = installation.client.request(method, address(path))
    assert answer.status_code not in (401, 403)
    assert answer.status_code < 500, answer.text


def test_two_tokens_are_no_token(installation: Installation, stranger: httpx2.Client) -> None:
    token = ("Authorization", f"Bearer {installation.token}")
    assert stranger.get("/api/v1/jobs", headers=[token, token]).status_code == 401
    assert stranger.get("/api/v1/jobs", params={"token": installation.token}).status_code == 401
    changed = installation.token[:-1] + ("a" if installation.token[-1] != "a" else "b")
    for wrong in (changed, installation.token[:-1], installation.token.swapcase()):
        assert stranger.get("/api/v1/jobs", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401


OTHER_HOSTS = [
    "evil.com",
    "evil.com:{port}",
    "localhost.evil.com",
    "127.0.0.1.evil.com:{port}",
    "evil@127.0.0.1:{port}",
    "127.0.0.1:{port}@evil.com",
    "0.0.0.0:{port}",
    "127.0.0.1:{port}/x",
    "127.0.0.1:notaport",
    "[::2]",
]


@pytest.mark.parametrize("host", OTHER_HOSTS)
@pytest.mark.parametrize("path", ["/", "/healthz", "/login", "/api/v1/jobs", "/main.js"])
def test_only_our_own_names_are_answered(installation: Installation, host: str, path: str) -> None:
    """A page of another site whose name was made to resolve to this machine (DNS rebinding) gets nothing."""
    port = urlsplit(installation.base_url).port
    answer = installation.client.get(path, headers={"Host": host.format(port=port)})
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "LOCALHOST", "[::1]:{port}"])
def test_our_own_names_are_answered(installation: Installation, host: str) -> None:
    port = urlsplit(installation.base_url).port
    assert (
        installation.client.get("/api/v1/session", headers={"Host": host.format(port=port)}).status_code
        == 200
    )


FOREIGN = {
    "another site": {"Origin": "http://evil.com"},
    "a sandboxed page": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "another scheme": {"Origin": "https://127.0.0.1:{port}"},
    "another name of this machine": {"Origin": "http://localhost:{port}"},
    "a subdomain": {"Origin": "http://x.127.0.0.1:{port}"},
    "no origin": {},
    "cross-site fetch": {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"},
    "same-site fetch": {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_other_sites_change_nothing(
    installation: Installation, stranger: httpx2.Client, foreign: str, method: str, content_type: str
) -> None:
    port = urlsplit(installation.base_url).port
    headers = {name: value.format(port=port) for name, value in FOREIGN[foreign].items()}
    headers |= session_cookie(installation) | {"Content-Type": content_type}
    before = standing(installation)
    answer = stranger.request(method, "/api/v1/jobs", json=ATTACK, headers=headers)
    assert answer.status_code == 403
    assert standing(installation) == before


def standing(installation: Installation) -> list[tuple[object, ...]]:
    """What of the jobs a request can change; those that run here for other tests go on meanwhile."""
    names = ("id", "kind", "title", "owner", "kept", "cancel_requested")
    return [tuple(job[name] for name in names) for job in installation.jobs()]


def test_our_own_pages_may_change_things(installation: Installation, stranger: httpx2.Client) -> None:
    headers = session_cookie(installation) | {
        "Origin": installation.base_url,
        "Sec-Fetch-Site": "same-origin",
    }
    assert stranger.post("/api/v1/jobs/estimate", json=ATTACK, headers=headers).status_code == 200


def test_nothing_secret_is_printed_or_answered(installation: Installation) -> None:
    installation.client.get("/api/v1/jobs", headers={"Authorization": "Bearer wrong"})
    for secret in (installation.token, (installation.data_dir / "secret").read_text().strip()):
        assert secret not in installation.log
        for path in ("/api/v1/system", "/api/openapi.json", "/api/v1/catalog", "/api/v1/session"):
            assert secret not in installation.client.get(path).text


HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    "path", ["/", "/login", "/main.js", "/api/docs", "/api/v1/jobs", "/api/v1/nothing", "/healthz"]
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_every_answer_carries_the_security_headers(
    installation: Installation, stranger: httpx2.Client, path: str, signed_in: bool
) -> None:
    answer = (installation.client if signed_in else stranger).get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    script = re.search(r"script-src ([^;]*)", policy)
    assert script is None or "unsafe-inline" not in script.group(1)
    assert "server" not in answer.headers
    assert answer.headers["x-request-id"]


NO_FILES = [
    "/../backend/blindspots/settings.py",
    "/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/....//etc/passwd",
    "/%252e%252e/etc.txt",
    "/..%5c..%5cwindows.txt",
    "//etc/passwd.txt",
    "/vendor/",
    "/package.json",
    "/package-lock.json",
    "/node_modules/preact/dist/preact.js",
    "/.git/config.txt",
    "/tsconfig.json",
    "/vendor/vendor.lock.json",
    "/main.js%00.txt",
    "/pages/..%2f..%2fREADME.txt",
]


@pytest.mark.parametrize("path", NO_FILES)
def test_only_files_of_the_page_are_served(installation: Installation, path: str) -> None:
    answer = installation.client.get(path)
    assert answer.status_code == 404 or answer.headers["content-type"].startswith("text/html")
    assert "root:" not in answer.text
    assert "devDependencies" not in answer.text


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "frontend"
    folder.mkdir()
    (folder / "index.html").write_text("<p>page</p>")
    (tmp_path / "outside.txt").write_text("outside")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    assets = Assets(folder)
    assert assets.get("/index.html").body == b"<p>page</p>"
    for path in ("/link.txt", "/../outside.txt"):
        with pytest.raises(NotFound):
            assets.get(page_file(path))
