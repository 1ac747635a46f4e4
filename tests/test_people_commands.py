"""`blindspots user` and `blindspots token` as whoever runs the machine uses them; the client with a token."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blindspots.__main__ import app
from blindspots.client import Client
from blindspots.errors import Forbidden, NotFound, Unauthenticated
from installation import environment
from team import Team

one_database = pytest.mark.parametrize("team", ["sqlite"], indirect=True)


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "blindspots", *words],
        env=environment(folder), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_people_come_and_go_from_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    runner = CliRunner(env=environment(folder))

    def run(*words: str) -> str:
        ended = runner.invoke(app, words, catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return str(ended.stdout)

    assert "/join?code=" in run("user", "add", "ann", "--full-name", "Ann Lab", "--role", "admin")
    token = run("token", "add", "ann", "--scope", "read").strip()
    assert token.startswith("bs_")
    run("token", "revoke", "ann", token[:11])
    listed = run("token", "list", "ann")
    assert "revoked" in listed
    assert token not in listed
    run("user", "role", "ann", "viewer")
    run("user", "disable", "ann")
    everybody = run("user", "list")
    assert "main: viewer" in everybody
    assert "disabled" in everybody
    run("user", "enable", "ann")
    assert "disabled" not in run("user", "list")
    assert "/join?code=" in run("user", "reset", "ann")
    wrong = command(folder, "user", "role", "nobody", "viewer")
    assert (wrong.returncode, wrong.stderr.strip()) == (1, "There is nobody of that name.")


@one_database
def test_the_client_takes_a_token_and_a_project(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLINDSPOTS_TOKEN", team.token("root", "read")["token"])
    with Client(team.url) as client:
        owners = {job.owner for job in client.jobs()}
        assert "mia" in owners
        assert "eve" not in owners
        with pytest.raises(Forbidden):
            client.submit({"kind": "train", "dataset": "digits", "network": {"name": "softmax"}})
    monkeypatch.setenv("BLINDSPOTS_PROJECT", "other")
    with Client(team.url) as client:
        assert {job.owner for job in client.jobs()} == {"eve"}
    with Client(team.url, project="no-such") as client, pytest.raises(NotFound):
        client.models()
    with Client(team.url, token="bs_wrong") as client, pytest.raises(Unauthenticated):
        client.system()
