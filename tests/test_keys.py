"""Passwords, tokens, links: nothing secret is kept, guessing is slow, and nobody is locked out by others."""

import logging
import statistics
import time

import httpx2
import pytest

from blindspots.api.auth import FAILURES_PER_MINUTE
from blindspots.api.problems import TryLater
from blindspots.api.reception import Reception
from blindspots.errors import InvalidInput, Unauthenticated
from blindspots.store.people_tables import metadata
from blindspots.work import keys, passwords
from team import PASSWORD, Team

one_database = pytest.mark.parametrize("team", ["sqlite"], indirect=True)


def test_a_password_is_stored_as_a_salted_hash() -> None:
    first, second = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)
    assert first != second
    assert first.startswith("scrypt$15$8$3$")
    assert PASSWORD not in first
    assert passwords.fits(PASSWORD, first)
    assert not passwords.fits(PASSWORD + " ", first)
    assert not passwords.fits(PASSWORD, None)
    assert not passwords.fits("", None)


@pytest.mark.parametrize(
    "weak", ["", "short", "aaaaaaaaaaaaaaaa", "ababababababab", "I am mia at home", "x" * 201]
)
def test_a_password_that_is_guessed_first_is_refused(weak: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        passwords.check_new(weak, "mia")
    assert refused.value.field == "password"


def test_a_token_carries_its_checksum() -> None:
    made = {keys.new_token() for _ in range(100)}
    assert len(made) == 100
    for token in made:
        assert keys.well_formed(token)
        assert len(token) == 54
        assert not keys.well_formed(token[:-1] + ("0" if token[-1] != "0" else "1"))
    for wrong in ("", "bs_", "bs_" + "é" * 51, "xx_" + "A" * 51, "bs_" + "A" * 51):
        assert not keys.well_formed(wrong)


@one_database
def test_ten_thousand_guesses_from_one_and_from_fifty_addresses(team: Team) -> None:
    """At most ten a minute are looked at, wherever they come from; who was here before signs in meanwhile."""
    reception = Reception(team.service)
    reception.sign_in("mia", PASSWORD, "10.0.0.1")
    for addresses, first in ((["6.6.6.6"], FAILURES_PER_MINUTE), ([f"7.7.7.{n}" for n in range(50)], 0)):
        looked_at = slowed = 0
        for number in range(10_000):
            try:
                reception.sign_in("mia", f"guess {number}", addresses[number % len(addresses)])
            except Unauthenticated:
                looked_at += 1
            except TryLater as error:
                slowed += 0 < error.retry_after <= 61
        assert (looked_at, slowed) == (
            first,
            10_000 - first,
        )  # the second wave finds the account's minute used
        assert reception.sign_in("mia", PASSWORD, "10.0.0.1")
    with pytest.raises(TryLater):
        reception.sign_in("mia", PASSWORD, "6.6.6.6")
    assert reception.sign_in("max", PASSWORD, "10.0.0.2")


@one_database
def test_a_name_that_nobody_has_is_answered_like_a_wrong_password(team: Team) -> None:
    def answer(name: str) -> tuple[float, dict[str, object]]:
        started = time.perf_counter()
        try:
            team.service.sign_in(name, "a wrong password", "10.1.1.1")
        except Unauthenticated as error:
            return time.perf_counter() - started, {"message": error.message, "field": error.field}
        raise AssertionError(name)

    with_one, without = ([answer(name) for _ in range(5)] for name in ("mia", "nobody-of-that-name"))
    assert with_one[0][1] == without[0][1]
    medians = [statistics.median(seconds for seconds, _ in each) for each in (with_one, without)]
    assert max(medians) / min(medians) < 1.5
    assert not team.sql("SELECT * FROM audit_log WHERE who = 'nobody-of-that-name'")


@one_database
def test_guessing_over_http_is_answered_with_429_whatever_a_header_says(team: Team) -> None:
    url = team.serve()
    answers = [
        httpx2.post(
            f"{url}/api/v1/session",
            json={"name": f"nobody{number}", "password": "x"},
            headers={"X-Forwarded-For": f"9.9.9.{number}", "Forwarded": f"for=9.9.9.{number}"},
        )
        for number in range(FAILURES_PER_MINUTE + 1)
    ]
    assert [answer.status_code for answer in answers] == [401] * FAILURES_PER_MINUTE + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    page = httpx2.post(f"{url}/login", data={"name": "mia", "password": PASSWORD}, headers={"Origin": url})
    assert page.status_code == 429
    assert "try again" in page.text


def test_made_up_tokens_find_nothing(team: Team) -> None:
    for _ in range(1000):
        assert team.service.token_actor(keys.new_token(), "10.0.0.9") is None
    assert team.service.token_actor(team.token("mia")["token"], "10.0.0.9") is not None


@one_database
def test_a_proxy_is_believed_only_where_it_is_named(team: Team) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    body = {"name": "mia", "password": PASSWORD}
    plain = httpx2.post(f"{team.url}/api/v1/session", json=body, headers=forwarded)
    assert plain.headers["set-cookie"].startswith("blindspots_session_")
    assert "Secure" not in plain.headers["set-cookie"]
    url = team.serve(trusted_proxies=("127.0.0.0/8",))
    behind = httpx2.post(f"{url}/api/v1/session", json=body, headers=forwarded)
    cookie = behind.headers["set-cookie"]
    assert cookie.startswith("__Host-blindspots_session_")
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
    seen = team.sql("SELECT address FROM audit_log WHERE action = 'sign_in' ORDER BY id DESC LIMIT 2")
    assert [row.address for row in seen] == ["203.0.113.7", "127.0.0.1"]


@one_database
def test_a_new_password_ends_the_other_sessions(team: Team) -> None:
    one, other = (team.client(team.session("pam")) for _ in range(2))
    wrong = one.put("/api/v1/account/password", json={"old": "wrong", "new": "another good password"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "old")
    changed = one.put("/api/v1/account/password", json={"old": PASSWORD, "new": "another good password"})
    assert changed.status_code == 204
    assert other.get("/api/v1/session").status_code == 401
    one.headers["Cookie"] = changed.headers["set-cookie"].split(";")[0]
    one.cookies.clear()
    back = {"old": "another good password", "new": PASSWORD}
    assert one.put("/api/v1/account/password", json=back).status_code == 204
    team.clients["pam"] = team.client(team.session("pam"))


def test_secrets_are_nowhere(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the database, nor in the log, nor in what anybody is answered."""
    caplog.set_level(logging.DEBUG)
    made = team.token("mia")
    cookie = team.session("vic")["Cookie"].partition("=")[2]
    link = team.clients["pam"].post("/api/v1/projects/main/invites", json={"role": "viewer"}).json()["url"]
    wrong = "Tr0ub4dor-and-3-canaries"
    httpx2.post(f"{team.url}/api/v1/session", json={"name": wrong, "password": wrong})
    httpx2.post(f"{team.url}/login", data={"name": "mia", "password": wrong}, headers={"Origin": team.url})
    team.clients["mia"].post("/api/v1/tokens", json={"name": "x", "days": 10_000, "secret": made["token"]})
    database = team.bench.settings.database_url.rpartition("@")[0].rpartition(":")[2]
    secret = [PASSWORD, made["token"], made["token"][3:46], cookie, link.partition("code=")[2], wrong]
    secret += [database] if len(database) > 8 else []
    for table in metadata.sorted_tables:
        rows = "\n".join(str(tuple(row)) for row in team.sql(f"SELECT * FROM {table.name}"))
        assert not [each for each in secret if each in rows], table.name
    printed = [each.getMessage() for each in caplog.records if not each.name.startswith("http")]  # our client
    assert not [each for each in secret if each in "\n".join(printed)]
    client = team.clients["root"]
    paths = (
        "openapi.json", "v1/session", "v1/users", "v1/audit?limit=200", "v1/system", "v1/tokens",
        "v1/workers", "v1/projects/main/members", "v1/projects/main/invites", "v1/catalog",
    )  # fmt: skip
    for path in paths:
        text = client.get(f"/api/{path}").text
        assert not [each for each in secret if each in text], path


@one_database
def test_whoever_finds_a_browser_open_cannot_guess_its_password(team: Team) -> None:
    body = {"old": "a wrong guess", "new": "another good password"}
    with team.client(team.session("vic")) as open_browser:
        answers = [
            open_browser.put("/api/v1/account/password", json=body).status_code
            for _ in range(FAILURES_PER_MINUTE + 1)
        ]
    assert answers == [422] * FAILURES_PER_MINUTE + [429]
