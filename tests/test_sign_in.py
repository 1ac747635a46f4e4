"""Signing in: a link that works once, a token, a session that ends, and no guessing."""

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from blindspots.api.auth import FAILURES_PER_MINUTE, Authenticator, Throttle, private_text
from blindspots.api.problems import TryLater
from blindspots.errors import StartupError, Unauthenticated
from installation import Installation
from strangers import session_cookie


@pytest.fixture
def stranger(installation: Installation) -> Iterator[httpx2.Client]:
    """A client that nobody knows."""
    with httpx2.Client(base_url=installation.base_url, timeout=20, verify=False) as client:
        yield client


def test_a_link_signs_in_once(installation: Installation, stranger: httpx2.Client) -> None:
    link = installation.client.post("/api/v1/session/link").json()["url"]
    first = stranger.get(link)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=strict", "Path=/", f"_{urlsplit(installation.base_url).port}="):
        assert word in cookie
    signed_in = stranger.get("/api/v1/session").json()
    assert (signed_in["user"], signed_in["role"], signed_in["people"]) == ("local", "admin", False)
    second = httpx2.get(link)
    assert second.status_code == 401
    assert "set-cookie" not in second.headers


def test_signing_out_ends_the_session_everywhere(installation: Installation, stranger: httpx2.Client) -> None:
    headers = session_cookie(installation)
    assert stranger.get("/api/v1/session", headers=headers).status_code == 200
    origin = {"Origin": installation.base_url}
    assert stranger.delete("/api/v1/session", headers=headers | origin).status_code == 204
    assert stranger.get("/api/v1/session", headers=headers).status_code == 401


def test_whoever_is_not_signed_in_is_told_what_to_do(stranger: httpx2.Client) -> None:
    answer = stranger.get("/", headers={"Accept": "text/html"}, follow_redirects=True)
    assert answer.url.path == "/login"
    assert "blindspots up" in answer.text
    assert "Token" in answer.text


def test_the_form_of_the_sign_in_page(installation: Installation, stranger: httpx2.Client) -> None:
    origin = {"Origin": installation.base_url}
    assert stranger.post("/login", data={"token": "wrong"}, headers=origin).status_code == 401
    assert stranger.post("/login", data={"token": installation.token}, headers=origin).status_code == 303
    assert stranger.get("/api/v1/session").status_code == 200


def test_a_browser_that_follows_a_link_from_elsewhere_is_asked_to_come_again(stranger: httpx2.Client) -> None:
    answer = stranger.get("/login", headers={"Sec-Fetch-Site": "cross-site"})
    assert 'http-equiv="refresh"' in answer.text
    assert (
        'http-equiv="refresh"' not in stranger.get("/login", headers={"Sec-Fetch-Site": "same-origin"}).text
    )


def test_guessing_is_slowed_down_and_the_owner_is_not_locked_out(tmp_path: Path) -> None:
    authenticator = Authenticator(tmp_path)
    for _ in range(FAILURES_PER_MINUTE):
        with pytest.raises(Unauthenticated):
            authenticator.sign_in("wrong", "127.0.0.1")
    with pytest.raises(TryLater) as refused:
        authenticator.sign_in("wrong", "127.0.0.1")
    assert 0 < refused.value.retry_after <= 61
    assert authenticator.is_session(authenticator.sign_in(authenticator.token, "127.0.0.1"))
    with pytest.raises(Unauthenticated):
        authenticator.sign_in("wrong", "127.0.0.2")


def test_too_many_wrong_tokens_are_answered_with_429(
    installation: Installation, stranger: httpx2.Client
) -> None:
    answers = [
        stranger.post("/api/v1/session", json={"token": "wrong"}) for _ in range(FAILURES_PER_MINUTE + 1)
    ]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert session_cookie(installation)


def test_the_throttle_forgets_no_more_than_it_must() -> None:
    throttle = Throttle()
    for number in range(20_000):
        throttle.failed(f"address {number}")
    assert len(throttle._failures) <= 10_001


def test_a_session_survives_a_restart_and_ends_with_the_secret(tmp_path: Path) -> None:
    session = Authenticator(tmp_path).sign_in(Authenticator(tmp_path).token, "")
    assert Authenticator(tmp_path).is_session(session)
    identifier, expires, signature = session.split(".")
    later = str(int(expires) + 1)
    for forged in (
        f"{identifier}.{later}.{signature}",
        f"x.{expires}.{signature}",
        "..",
        "",
        "a.b.c",
        "é.1.é",
    ):
        assert not Authenticator(tmp_path).is_session(forged)
    Authenticator(tmp_path).end_session(session)
    assert not Authenticator(tmp_path).is_session(session)
    (tmp_path / "secret").unlink()
    assert not Authenticator(tmp_path).is_session(session)


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path, installation: Installation) -> None:
    for name in ("secret", "token"):
        assert stat.S_IMODE((installation.data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(installation.data_dir.stat().st_mode) == 0o700
    weak = tmp_path / "token"
    weak.write_text("short")
    weak.chmod(0o600)
    with pytest.raises(StartupError, match="too short"):
        private_text(weak, "x" * 40)
    weak.chmod(0o644)
    with pytest.raises(StartupError, match="chmod 600"):
        private_text(weak, "x" * 40)
