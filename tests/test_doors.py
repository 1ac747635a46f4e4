"""Team mode at the door: other hosts, other sites, odd texts, unsafe starts, and what strangers may fetch."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from blindspots.api.access import NEEDS, OPEN
from blindspots.api.frontend import Assets, default_folder
from blindspots.errors import StartupError
from blindspots.settings import Settings
from blindspots.work.binding import check_binding, is_weak
from installation import environment
from team import Team
from test_access import BODIES, of_main, of_nobody
from test_security import FOREIGN, OTHER_HOSTS

one_database = pytest.mark.parametrize("team", ["sqlite"], indirect=True)

CHANGING = [route for route in NEEDS if route[0] not in ("GET", "HEAD")]


@one_database
@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_only_our_own_names_are_answered(team: Team, host: str) -> None:
    port = team.url.rpartition(":")[2]
    for method, path in NEEDS:
        answer = team.clients["root"].request(
            method, of_main(team, path), headers={"Host": host.format(port=port)}
        )
        assert answer.status_code in (400, 403), (method, path)


@one_database
@pytest.mark.parametrize("foreign", FOREIGN)
def test_other_sites_change_nothing(team: Team, foreign: str) -> None:
    """The cookie of an admin of everything, sent along by a page of somebody else."""
    port = team.url.rpartition(":")[2]
    headers = {"Cookie": team.clients["root"].headers["Cookie"]}
    headers |= {name: value.format(port=port) for name, value in FOREIGN[foreign].items()}
    before = team.sql("SELECT count(*), max(id) FROM audit_log")
    with team.client(headers) as client:
        for method, path in CHANGING:
            body = BODIES.get((method, path), {})
            for options in (
                {"json": body},
                {"data": {"name": "root"}},
                {"content": "{}", "headers": {"Content-Type": "text/plain"}},
            ):
                answer = client.request(method, of_main(team, path), **options)
                assert answer.status_code == 403, (method, path, answer.text)
    assert team.sql("SELECT count(*), max(id) FROM audit_log") == before


ODD_TEXTS = [
    "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "..\\..\\windows\\win.ini",
    "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "\u202eevil", "'; DROP TABLE users; --",
    "{{7*7}}${7*7}", "<script>alert(1)</script>", "a\x00b", "\r\nSet-Cookie: x=y", "~root", "%00", "x" * 5000,
]  # fmt: skip


def fields(schema: dict[str, Any], components: dict[str, Any]) -> list[str]:
    """Names of the text fields of a body, also where it is one of several."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    found = [name for each in schema.get("oneOf", []) for name in fields(each, components)]
    for name, field in schema.get("properties", {}).items():
        kinds = {each.get("type") for each in (field, *field.get("anyOf", []))}
        if "string" in kinds or "$ref" in field or "items" in field:
            found.append(name)
    return sorted(set(found))


@one_database
def test_odd_texts_in_every_field_of_every_route(team: Team) -> None:
    """No crash, no file of the machine, no header of theirs, and no table fewer."""
    document = team.clients["root"].get("/api/openapi.json").json()
    components = document["components"]["schemas"]
    client, asked, others = team.clients["root"], 0, itertools.cycle(ODD_TEXTS[2:])
    for path, operations in document["paths"].items():
        if path in ("/api/v1/events", "/api/v1/session", "/api/v1/sessions"):
            continue
        for method, operation in operations.items():
            for odd in (*ODD_TEXTS[:2], *itertools.islice(others, 4)):
                for request in odd_requests(path, operation, components, odd):
                    answer = client.request(method.upper(), **request)
                    asked += 1
                    assert answer.status_code < 500, (method, request, answer.text)
                    assert "root:x:" not in answer.text, (method, request)
                    assert "x=y" not in answer.headers.get("set-cookie", "")
    assert asked > 1000
    assert client.get("/api/v1/users").status_code == 200


def odd_requests(path: str, operation: dict[str, Any], components: dict[str, Any], odd: str) -> Any:
    """One request for each place of an operation that takes a text."""
    plain = of_nobody(path)
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "path":
            yield {
                "url": of_nobody(
                    path.replace(
                        "{" + name + "}", quote(odd[:2000], safe="").replace("{", "%7B").replace("}", "%7D")
                    )
                )
            }
        elif parameter["in"] == "query":
            yield {"url": plain, "params": {name: odd}}
        elif odd.isascii() and odd.isprintable():
            yield {"url": plain, "headers": {name: odd}}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        for name in fields(content["schema"], components):
            yield {"url": plain, "json": {name: odd}}
            yield {"url": plain, "json": {"kind": "attack", "model": "x", name: odd}}


@one_database
def test_strangers_fetch_the_files_of_the_page_and_nothing_else(team: Team) -> None:
    assets = Assets(default_folder())
    with team.client({}) as stranger:
        paths = sorted(assets._paths)
        assert len(paths) > 80
        for path in paths:
            assert stranger.get(path).status_code == 200
            assert stranger.post(path).status_code == 401
        for path in ("/", "/history", "/people", "/jobs/x", "/api/docs"):
            page = stranger.get(path, headers={"Accept": "text/html"})
            assert (page.status_code, page.headers["location"]) == (303, "/login")
        for method, path in NEEDS:
            if NEEDS[method, path] is OPEN:
                assert stranger.request(method, path).status_code < 500


REFUSED = {
    "one user": ({}, "one user"),
    "a database without a password": (
        {"database_url": "postgresql://blindspots@db/blindspots"},
        "DATABASE_URL",
    ),
    "the password of every manual": ({"database_url": "postgresql://postgres:postgres@db/x"}, "DATABASE_URL"),
    "a long password of one letter": (
        {"database_url": "postgresql://u:aaaaaaaaaaaaaaaa@db/x"},
        "DATABASE_URL",
    ),
    "a broker without a password": ({"broker_url": "redis://cache:6379/0"}, "BROKER_URL"),
    "a broker with a weak one": ({"broker_url": "redis://:changeme@cache:6379/0"}, "BROKER_URL"),
}


@pytest.mark.parametrize("why", REFUSED)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "lab.example.org"])
def test_an_unsafe_start_is_refused(tmp_path: Path, why: str, host: str) -> None:
    options, words = REFUSED[why]
    settings = Settings(data_dir=tmp_path / "data", host=host, team=bool(options), **options)
    with pytest.raises(StartupError, match=words):
        check_binding(settings)
    check_binding(settings.model_copy(update={"host": "127.0.0.1"}))


def test_a_folder_that_others_can_read_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = Settings(data_dir=tmp_path, host="0.0.0.0", team=True)
    with pytest.raises(StartupError, match="chmod 700"):
        check_binding(settings)
    tmp_path.chmod(0o700)
    check_binding(settings)
    assert not is_weak("postgresql://u:kP3-w9_Xq27bT@db/x")
    assert not is_weak("sqlite:////data/x.sqlite")


def test_the_command_ends_with_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "blindspots", "up", "--no-browser", "--host", "0.0.0.0"]
    ended = subprocess.run(
        command, env=environment(tmp_path / "data"), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "one user" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


@one_database
def test_a_made_up_host_is_no_reason_to_answer_a_stranger(team: Team) -> None:
    answer = httpx2.get(
        f"{team.url}/api/v1/jobs", headers={"X-Forwarded-Host": "evil.com", "Host": "evil.com"}
    )
    assert answer.status_code == 403
    assert "evil.com" not in answer.text
