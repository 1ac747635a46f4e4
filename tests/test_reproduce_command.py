"""`blindspots reproduce` against a running installation, as a user types it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from installation import Installation, environment, running

pytestmark = pytest.mark.xdist_group("reproduce_command")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(tmp_path_factory.mktemp("reproduce") / "data", demo="false") as started:
        yield started


def command(data_dir: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    variables = {**environment(data_dir), "COLUMNS": "140"}
    del variables["BLINDSPOTS_PORT"]  # the command finds the installation by its data folder
    line = [sys.executable, "-m", "blindspots", "reproduce", *words]
    return subprocess.run(line, env=variables, capture_output=True, text=True, check=False, timeout=180)


def test_a_table_with_its_report_and_nothing_twice(installation: Installation, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    done = command(installation.data_dir, "table3", "--preset", "quick", "--report", str(report))
    assert done.returncode == 0, done.stderr
    for words in ("train M1'", "halves coarse", "succeeded, 100 %"):
        assert words in done.stderr, "the plan"
    for words in ("error on P2", "0.062", "not the paper's images", str(report), "/jobs/"):
        assert words in done.stdout
    assert report.read_text().startswith("<!doctype html>")
    assert "Table 3 of the paper, reproduced" in report.read_text()

    again = command(installation.data_dir, "table3")
    assert again.returncode == 0, again.stderr
    newest = installation.jobs(kind="reproduce")[0]
    detail = installation.client.get(f"/api/v1/jobs/{newest['id']}").raise_for_status().json()
    steps = detail["summary"]["steps"]
    assert all(step["parts_reused"] == step["parts"] for step in steps), "the second run computes nothing"
    assert "blindspots export" in again.stdout


def test_not_waiting_prints_the_job(installation: Installation) -> None:
    done = command(installation.data_dir, "table3", "--no-wait")
    assert done.returncode == 0, done.stderr
    assert installation.finish(done.stdout.strip())["state"] == "succeeded"


def test_without_a_service_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = command(tmp_path / "nothing", "table1")
    assert done.returncode == 1
    assert "blindspots up" in done.stderr
    assert "Traceback" not in done.stderr
