"""The promise of the first run: one command, and a newcomer looks at adversarial images they found."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import sqlalchemy

from installation import ROOT, Installation, environment, running, wait_for
from servers import free_port

PNG = b"\x89PNG\r\n\x1a\n"
ATTACK = {
    "kind": "attack",
    "model": "digits-softmax",
    "images": {"source": "dataset", "dataset": "digits", "split": "test", "selection": "first", "count": 8},
    "method": {"name": "minimum_distortion", "mode": "tight", "target": "random"},
}

pytestmark = pytest.mark.xdist_group("first_run")


def test_from_the_first_start_to_an_adversarial_image_and_back_after_a_crash(tmp_path: Path) -> None:
    began = time.monotonic()
    with running(tmp_path / "data") as first:
        training = wait_for(
            lambda: three_trainings(first), 20, "the demo networks, training as ordinary jobs"
        )
        demos = [first.finish(job["id"]) for job in training]
        assert [job["error"] for job in demos if job["state"] != "succeeded"] == []
        attack = first.run(ATTACK)
        assert triptych(first, attack["id"]).startswith(PNG)
        assert time.monotonic() - began < 120, "two minutes from the command to the first triptych"
        assert attack["summary"]["success_rate"] > 0.9
        token = first.token
        assert first.stop(signal.SIGINT) == [], "Ctrl-C leaves no process behind"
        assert first.process.returncode in (0, 130)

    with running(tmp_path / "data") as second:
        assert second.token == token
        assert attack["id"] in {job["id"] for job in second.jobs()}
        trained = {job["id"] for job in second.jobs(kind="train")}
        assert trained == {job["id"] for job in demos}, "nothing lost, nothing trained twice"
        assert triptych(second, attack["id"]).startswith(PNG)
        assert second.stop(signal.SIGKILL) == [], "kill -9 of the parent leaves no process behind"

    with running(tmp_path / "data") as third:
        assert third.run({**ATTACK, "seed": 1})["state"] == "succeeded"


def three_trainings(installation: Installation) -> list[dict[str, Any]] | None:
    """The jobs that train the demo networks, once all are submitted."""
    found = installation.jobs(kind="train")
    return found if len(found) == 3 else None


def triptych(installation: Installation, job_id: str) -> bytes:
    """The first image of an attack as the browser shows it."""
    reply = installation.client.get(f"/api/v1/jobs/{job_id}/examples/0/triptych.png")
    return bytes(reply.raise_for_status().content)


def test_the_printed_link_signs_a_browser_in_once(tmp_path: Path) -> None:
    with running(tmp_path / "data", demo="false") as started:
        with httpx2.Client(base_url=started.base_url, follow_redirects=True) as browser:
            assert browser.get("/api/v1/jobs").status_code == 401
            assert browser.get(started.sign_in_url).status_code == 200
            assert browser.get("/api/v1/jobs").status_code == 200
        with httpx2.Client(base_url=started.base_url) as stranger:
            stranger.get(started.sign_in_url)
            assert stranger.get("/api/v1/jobs").status_code == 401


def test_a_second_start_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "data", demo="false"):
        assert "already" in refusal(tmp_path / "data")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert str(port) in refusal(tmp_path / "data", port=str(port))


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    folder = tmp_path / "file" / "data"
    assert str(folder) in refusal(folder)


def test_a_database_newer_than_the_code_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder, demo="false"):
        pass
    database = sqlalchemy.create_engine(f"sqlite:///{folder / 'blindspots.sqlite'}")
    with database.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    database.dispose()
    assert "newer" in refusal(folder)


def refusal(data_dir: Path, **settings: str) -> str:
    """What `blindspots up` says when it cannot start: one clear sentence, and a non-zero exit."""
    done = subprocess.run(
        [sys.executable, "-m", "blindspots", "up", "--no-browser"],
        env=environment(data_dir, demo="false", **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr + done.stdout
    said = [line for line in done.stderr.splitlines() if line.strip()]
    assert said, "silence explains nothing"
    assert len(said) <= 2
    assert not children_of(data_dir), "nothing may be left running"
    return " ".join(said)


def children_of(data_dir: Path) -> list[psutil.Process]:
    """Processes that work for the installation in this folder and have lost their parent."""
    found = []
    for process in psutil.process_iter():
        try:
            own = process.environ().get("BLINDSPOTS_DATA_DIR") == str(data_dir)
            orphaned = process.ppid() == 1
        except psutil.Error:
            continue
        if own and orphaned:
            found.append(process)
    return found


def test_a_command_line_without_a_server_says_what_to_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "blindspots", "jobs"],
        env=environment(tmp_path / "data", port=str(free_port())),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "blindspots up" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
