"""Team mode: every route for every role, and the things of other projects, which are not there."""

import re

import httpx2
import pytest

from blindspots.api.access import MANAGE, NEEDS, OPEN, PAGE, READ, SELF, SERVICE, WRITE
from team import CANARY, PEOPLE, Team
from test_security import ROUTES

NOWHERE = "00000000-0000-7000-8000-000000000000"
CLOSED = sorted(route for route, need in NEEDS.items() if need is not OPEN)
MEETS = {  # who meets what a route asks for at least
    PAGE: set(PEOPLE),
    READ: set(PEOPLE),
    WRITE: {"root", "pam", "mia", "max", "eve"},
    SELF: set(PEOPLE),
    MANAGE: {"root", "pam", "eve"},
    SERVICE: {"root"},
}
BODIES = {  # good ones: without, a request would be turned away before the thing is looked for
    ("POST", "/api/v1/jobs"): {"kind": "attack", "model": CANARY},
    ("POST", "/api/v1/jobs/estimate"): {"kind": "attack", "model": CANARY},
    ("PATCH", "/api/v1/jobs/{job_id}"): {"title": "stolen"},
    ("POST", "/api/v1/jobs/{job_id}/rerun"): {"changes": {}},
    ("PUT", "/api/v1/jobs/{job_id}/pins/{row}"): {"caption": "stolen"},
    ("POST", "/api/v1/jobs/{job_id}/blind-tests"): {"count": 3},
    ("POST", "/api/v1/blind-tests/{test_id}/rows/{position}"): {"shares": "no", "guess": "natural"},
    ("PATCH", "/api/v1/workers/{worker_id}"): {"draining": True},
    ("PATCH", "/api/v1/models/{reference}"): {"name": "stolen"},
    ("PATCH", "/api/v1/projects/{project}"): {"title": "stolen"},
    ("PUT", "/api/v1/projects/{project}/members/{user}"): {"role": "viewer"},
    ("POST", "/api/v1/projects/{project}/invites"): {"role": "admin"},
}
THINGS = ("{job_id}", "{reference}", "{project}")  # what belongs to somebody


def filled(path: str, *, job: str, model: str, project: str, invite: str) -> str:
    """The path with these things in it."""
    known = {
        "job_id": job, "reference": model, "project": project, "invite_id": invite, "user": "max",
        "token_id": NOWHERE, "name": "digits", "split": "test", "index": "0", "row": "0", "form": "csv",
        "image_id": "0" * 64, "archive_id": "0" * 64, "weights_id": "0" * 64,
        "test_id": NOWHERE, "position": "0", "place": "0", "worker_id": NOWHERE,
    }  # fmt: skip
    if "/figures/" in path:
        known["name"] = "security_curve"
    names = re.findall(r"{(\w+)}", path)
    known = {name: NOWHERE if name.endswith("_id") else "0" for name in names} | known
    return path.replace("{path:path}", "").format(**known)


def of_main(team: Team, path: str) -> str:
    return filled(path, job=team.main.job, model=team.main.model, project="main", invite=team.main.invite)


def of_nobody(path: str) -> str:
    return filled(path, job=NOWHERE, model=NOWHERE, project="no-such", invite=NOWHERE)


def ask(client: httpx2.Client, route: tuple[str, str], path: str) -> httpx2.Response:
    """The route with a body that is good for it; of a stream the beginning only."""
    method = route[0]
    if route[1] == "/api/v1/events":
        with client.stream(method, path) as answer:
            return answer
    body = BODIES.get(route)
    return client.request(method, path, json=body) if body else client.request(method, path)


def test_the_table_of_needs_names_every_route_and_nothing_else() -> None:
    assert set(ROUTES) == set(NEEDS)


def test_a_route_that_is_not_in_the_table_cannot_be_reached(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blindspots.api import access

    left = {route: need for route, need in NEEDS.items() if route != ("GET", "/api/v1/catalog")}
    monkeypatch.setattr(access, "NEEDS", left)
    assert team.clients["root"].get("/api/v1/catalog").status_code == 403


def test_nobody_is_let_in_without_a_good_key(team: Team) -> None:
    expired, revoked = team.token("mia"), team.token("mia")
    team.sql("UPDATE tokens SET expires_at = '2020-01-01' WHERE id = :id", id=expired["id"])
    assert team.clients["mia"].delete(f"/api/v1/tokens/{revoked['id']}").status_code == 204
    good = team.token("mia")["token"]
    changed = good[:-9] + ("a" if good[-9] != "a" else "b") + good[-8:]
    ended = team.session("vic")
    assert team.client(ended).delete("/api/v1/session").status_code == 204
    callers = {
        "no credentials": {},
        "expired": {"Authorization": f"Bearer {expired['token']}"},
        "revoked": {"Authorization": f"Bearer {revoked['token']}"},
        "mistyped": {"Authorization": f"Bearer {changed}"},
        "cut": {"Authorization": f"Bearer {good[:-1]}"},
        "another scheme": {"Authorization": f"Basic {good}"},
        "signed out": ended,
        "made up": {**ended, "Cookie": ended["Cookie"].split("=")[0] + "=" + "A" * 43},
        "the token of embedded mode": {"Authorization": "Bearer bs_" + "A" * 43},
        "good session, bad token": {**team.session("pam"), "Authorization": "Bearer bs_wrong"},
    }
    for who, headers in callers.items():
        with team.client(headers) as client:
            for route in CLOSED:
                answer = client.request(route[0], of_main(team, route[1]))
                assert answer.status_code == 401, (who, route, answer.text)


@pytest.mark.parametrize("name", PEOPLE)
def test_every_route_asks_for_a_role(team: Team, name: str) -> None:
    """Whoever has less than a route asks for gets 403, and whoever has enough no closed door and no crash."""
    client = team.clients[name]
    for route in CLOSED:
        need = NEEDS[route]
        if route in (("DELETE", "/api/v1/session"), ("DELETE", "/api/v1/sessions")):
            continue  # they end what this test is signed in with; other tests do them
        refused = name not in MEETS[need]
        answer = ask(client, route, of_main(team, route[1]) if refused else of_nobody(route[1]))
        if refused:
            assert answer.status_code == 403, (route, answer.text)
        else:
            assert answer.status_code not in (401, 500), (route, answer.text)
            if answer.status_code == 403:  # nobody's things are nobody's, but one may be short of a project
                assert name in ("nil", "root", "eve"), (route, answer.text)


def test_a_viewer_changes_nothing(team: Team) -> None:
    for scope in ("session", "read", "submit", "admin"):
        client = team.clients["vic"] if scope == "session" else team.bearer("vic", scope)
        for route in CLOSED:
            if NEEDS[route] in (WRITE, MANAGE, SERVICE):
                assert ask(client, route, of_main(team, route[1])).status_code == 403, (scope, route)


def test_a_token_may_do_no_more_than_its_scope(team: Team) -> None:
    for name, scope, most in (("pam", "read", READ), ("pam", "submit", WRITE), ("root", "submit", WRITE)):
        with team.bearer(name, scope) as client:
            for route in CLOSED:
                need = NEEDS[route]
                path = of_main(team, route[1]) if need in (MANAGE, SERVICE, SELF) else of_nobody(route[1])
                answer = ask(client, route, path)
                wanted = need in (PAGE, READ) or (need is WRITE and most is WRITE)
                assert (answer.status_code != 403) == wanted, (name, scope, route, answer.text)
    with team.bearer("root", "admin", "main") as bound:
        assert bound.get("/api/v1/users").status_code == 403
        assert bound.get("/api/v1/projects/main/members").status_code == 200
        assert bound.get("/api/v1/projects/other/members").status_code == 404


@pytest.mark.parametrize("name", ["eve", "nil"])
def test_the_things_of_others_are_not_there(team: Team, name: str) -> None:
    """The answer is the one that is given for what does not exist, to the letter."""
    client = team.clients[name]
    seen = 0
    for route in CLOSED:
        if not any(thing in route[1] for thing in THINGS) or name not in MEETS[NEEDS[route]]:
            continue
        theirs, none = ask(client, route, of_main(team, route[1])), ask(client, route, of_nobody(route[1]))
        assert theirs.status_code == none.status_code == 404, (route, theirs.text)
        left = [
            {key: value for key, value in answer.json().items() if key != "request_id"}
            for answer in (theirs, none)
        ]
        assert left[0] == left[1], route
        seen += 1
    assert seen >= (20 if name == "eve" else 9)


def test_no_list_count_or_search_tells_of_others(team: Team) -> None:
    words = (CANARY, team.main.job, team.main.model, "mia", "pam")
    client = team.clients["eve"]
    paths = [of_main(team, path) for method, path in CLOSED if method == "GET" and path != "/api/v1/events"]
    paths += [
        f"/api/v1/jobs?search={CANARY}", "/api/v1/jobs?owner=mia", f"/api/v1/jobs?model={CANARY}",
        f"/api/v1/jobs?model={team.main.model}", f"/api/v1/jobs?parent={team.main.job}",
        "/api/v1/jobs?sort=kind", "/api/v1/jobs?lane=batch", "/api/v1/events/poll?after=0",
        "/api/v1/audit?limit=200",
    ]  # fmt: skip
    for path in paths:
        text = client.get(path).text
        for word in words:
            assert word not in text, (path, word)
    owners = {job["owner"] for job in client.get("/api/v1/jobs").json()["items"]}
    assert owners == {"eve"}
    assert [model["name"] for model in client.get("/api/v1/models").json()["items"]] == ["of the others"]
    header = {"Blindspots-Project": "main"}
    assert client.get("/api/v1/jobs", headers=header).status_code == 404
    assert team.clients["root"].get("/api/v1/jobs", headers=header).json()["items"]


def test_a_job_uses_models_of_its_own_project(team: Team) -> None:
    spec = {"kind": "attack", "model": team.main.model, "images": {"source": "dataset", "dataset": "digits"}}
    answer = team.clients["eve"].post("/api/v1/jobs", json=spec)
    assert (answer.status_code, answer.json()["field"]) == (422, "model")
    header = {"Blindspots-Project": "other"}
    assert team.clients["root"].post("/api/v1/jobs", json=spec, headers=header).status_code == 422


def test_what_is_computed_in_one_project_is_not_found_again_in_another(team: Team) -> None:
    """Not even that somebody has computed the same before may be seen."""
    spec = team.clients["mia"].get(f"/api/v1/jobs/{team.main.training}").json()["spec"]
    for project, reused in (("main", 1), ("other", 0)):
        header = {"Blindspots-Project": project}
        answer = team.clients["root"].post("/api/v1/jobs/estimate", json=spec, headers=header)
        assert answer.json()["reused_parts"] == reused
