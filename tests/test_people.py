"""Team mode: who may change what, how people come and go, and what is taken back at once."""

import time
from pathlib import Path

import httpx2
import pytest

from blindspots.errors import NotFound
from team import CANARY, PASSWORD, Team
from workbench import Workbench


def test_the_first_start_makes_an_admin(tmp_path: Path) -> None:
    """By a link that is new at every start, until a password was chosen with it."""
    bench = Workbench("", tmp_path / "data")
    service = bench.service
    first, second = service.ensure_admin(), service.ensure_admin()
    assert first
    assert second
    with pytest.raises(NotFound):
        service.accept(first, "", "", PASSWORD, "127.0.0.1")
    session = service.accept(second, "", "", PASSWORD, "127.0.0.1")
    admin = service.session_actor(session, "127.0.0.1")
    assert admin is not None
    assert (admin.name, admin.service_admin) == ("admin", True)
    assert service.acting(admin).account()["role"] == "admin"
    assert service.ensure_admin() is None
    bench.close()


def test_members_change_what_is_theirs_and_admins_anything(team: Team) -> None:
    job = f"/api/v1/jobs/{team.main.job}"
    title = {"title": f"attack {CANARY}"}
    assert team.clients["mia"].patch(job, json=title).status_code == 200
    assert team.clients["max"].patch(job, json=title).status_code == 403
    assert team.clients["max"].delete(job).status_code == 403
    assert team.clients["pam"].patch(job, json=title).status_code == 200
    model = f"/api/v1/models/{team.main.model}"
    assert team.clients["max"].patch(model, json={"name": "mine"}).status_code == 403
    assert team.clients["mia"].patch(model, json={"name": CANARY}).status_code == 200


def test_the_stream_tells_everybody_of_their_projects_only(team: Team) -> None:
    spec = {"kind": "train", "dataset": "digits", "network": {"name": "softmax"}, "seed": 99}
    heard: list[str] = []
    with team.clients["eve"].stream("GET", "/api/v1/events", timeout=5) as stream:
        lines = stream.iter_lines()
        next(lines)
        mine = team.clients["mia"].post("/api/v1/jobs", json=spec).json()["id"]
        hers = team.clients["eve"].post("/api/v1/jobs", json=spec).json()["id"]
        for line in lines:
            heard.append(line)
            if hers in line:
                break
    assert not any(mine in line for line in heard)
    for name, job in (("mia", mine), ("eve", hers)):
        assert team.clients[name].post(f"/api/v1/jobs/{job}/cancel").status_code == 202


def test_a_stream_ends_with_its_session(team: Team) -> None:
    leaving = team.client(team.session("mia"))
    spec = {"kind": "train", "dataset": "digits", "network": {"name": "softmax"}, "seed": 98}
    with leaving.stream("GET", "/api/v1/events", timeout=5) as stream:
        lines = stream.iter_lines()
        next(lines)
        assert leaving.delete("/api/v1/session").status_code == 204
        time.sleep(1.1)
        job = team.clients["mia"].post("/api/v1/jobs", json=spec).json()["id"]
        assert not any(job in line for line in lines)
    assert team.clients["mia"].post(f"/api/v1/jobs/{job}/cancel").status_code == 202


def test_roles_change_at_once(team: Team) -> None:
    member = "/api/v1/projects/main/members/nil"
    assert team.clients["nil"].get(f"/api/v1/jobs/{team.main.job}").status_code == 404
    assert team.clients["pam"].put(member, json={"role": "viewer"}).status_code == 204
    assert team.clients["nil"].get(f"/api/v1/jobs/{team.main.job}").status_code == 200
    assert team.clients["pam"].delete(member).status_code == 204
    assert team.clients["nil"].get(f"/api/v1/jobs/{team.main.job}").status_code == 404
    assert (
        team.clients["pam"].put("/api/v1/projects/other/members/pam", json={"role": "admin"}).status_code
        == 404
    )


def test_a_person_who_is_disabled_is_out_at_once(team: Team) -> None:
    made = team.clients["root"].post("/api/v1/users", json={"name": "tom"}).json()
    code = made["url"].partition("code=")[2]
    joined = httpx2.post(
        f"{team.url}/join", data={"code": code, "password": PASSWORD}, headers={"Origin": team.url}
    )
    assert joined.status_code == 303
    cookie = {"Cookie": joined.headers["set-cookie"].split(";")[0], "Origin": team.url}
    with team.client(cookie) as browser:
        token = browser.post("/api/v1/tokens", json={"name": "t"}).json()["token"]
        program = team.client({"Authorization": f"Bearer {token}"})
        assert browser.get("/api/v1/session").status_code == program.get("/api/v1/session").status_code == 200
        change = team.clients["root"].patch("/api/v1/users/tom", json={"disabled": True})
        assert change.json()["disabled"]
        assert browser.get("/api/v1/session").status_code == program.get("/api/v1/session").status_code == 401
        program.close()
    refused = httpx2.post(f"{team.url}/api/v1/session", json={"name": "tom", "password": PASSWORD})
    assert refused.status_code == 401
    last = team.clients["root"].patch("/api/v1/users/root", json={"disabled": True})
    assert last.status_code == 409


def test_signing_out_everywhere(team: Team) -> None:
    first, second = (team.client(team.session("max")) for _ in range(2))
    assert first.delete("/api/v1/sessions").status_code == 204
    assert first.get("/api/v1/session").status_code == second.get("/api/v1/session").status_code == 401
    team.clients["max"] = team.client(team.session("max"))


def test_an_invitation_lets_one_person_in(team: Team) -> None:
    url = team.clients["pam"].post("/api/v1/projects/main/invites", json={"role": "viewer"}).json()["url"]
    code = url.partition("code=")[2]
    for _ in range(2):  # looking at it does not use it up
        assert "viewer" in httpx2.get(url).text
    form = {"code": code, "name": "new.one", "display_name": "A <b>newcomer</b>", "password": "short"}
    origin = {"Origin": team.url}
    assert httpx2.post(f"{team.url}/join", data=form, headers=origin).status_code == 422
    joined = httpx2.post(f"{team.url}/join", data=form | {"password": PASSWORD}, headers=origin)
    assert joined.status_code == 303
    again = httpx2.post(f"{team.url}/join", data=form | {"password": PASSWORD, "name": "x"}, headers=origin)
    assert again.status_code == 404
    members = team.clients["pam"].get("/api/v1/projects/main/members").json()["items"]
    assert {
        "name": "new.one",
        "display_name": "A <b>newcomer</b>",
        "role": "viewer",
        "disabled": False,
    } in members
    other = team.clients["pam"].post("/api/v1/projects/main/invites", json={"role": "admin"}).json()
    assert team.clients["pam"].delete(f"/api/v1/projects/main/invites/{other['id']}").status_code == 204
    assert httpx2.get(other["url"]).status_code == 404


def test_the_log_tells_what_was_done_and_nothing_secret(team: Team) -> None:
    made = team.token("pam")
    assert team.clients["vic"].delete(f"/api/v1/jobs/{team.main.job}").status_code == 403
    entries = team.clients["pam"].get("/api/v1/audit", params={"limit": 200}).json()["items"]
    assert {entry["project"] for entry in entries} == {"main"}
    actions = {entry["action"] for entry in entries}
    assert {"job_submit", "invite_create"} <= actions
    everything = team.clients["root"].get("/api/v1/audit", params={"limit": 200}).json()
    assert {"sign_in", "token_create"} <= {entry["action"] for entry in everything["items"]}
    refused = team.clients["root"].get("/api/v1/audit", params={"action": "refused"}).json()["items"]
    assert any(entry["who"] == "vic" for entry in refused)
    assert made["token"] not in str(everything)
    page = team.clients["root"].get("/api/v1/audit", params={"limit": 2}).json()
    older = team.clients["root"].get("/api/v1/audit", params={"limit": 2, "before": page["next"]}).json()
    assert page["items"][-1]["id"] > older["items"][0]["id"]
    for statement in ("UPDATE audit_log SET who = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(Exception, match="only added to"):
            team.sql(statement)
