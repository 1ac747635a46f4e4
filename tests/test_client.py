"""The Python client and the command line against a real installation."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import plotly.graph_objects
import pytest

from bad_requests import ATTACK, GREY, encoded, images
from blindspots.client import Client, JobFailed
from blindspots.errors import InvalidInput, NotFound, Unauthenticated, Unavailable
from installation import Installation, environment


@pytest.fixture
def python_client(installation: Installation) -> Iterator[Client]:
    """A client that finds address and token in the data folder by itself."""
    with Client(data_dir=installation.data_dir) as found:
        yield found


def test_an_attack_in_five_lines(python_client: Client) -> None:
    fractions: list[float] = []
    job = python_client.submit(ATTACK)
    done = python_client.wait(
        job.id, timeout=60, progress=lambda seen: fractions.append(seen.progress.fraction)
    )
    assert done.state == "succeeded"
    assert fractions == sorted(fractions)
    results = python_client.results(job.id)
    assert results["rms"].shape == (4,)
    assert np.isfinite(results["rms"]).all()
    for name in done.figures:
        assert isinstance(python_client.figure(job.id, name), plotly.graph_objects.Figure)
    assert job.id in {each.id for each in python_client.jobs(kind="attack", limit=200)}


def test_a_job_is_waited_for_and_looked_at(python_client: Client, tmp_path: Path) -> None:
    """As one would in a notebook, where a value shows itself."""
    job = python_client.submit(ATTACK).wait(timeout=60)
    assert job.state == "succeeded"
    assert np.isfinite(job.results()["rms"]).all()
    assert "security_curve" in job.figures()
    assert isinstance(job.figure("security_curve"), plotly.graph_objects.Figure)
    assert job.export("csv", tmp_path / "rows.csv") > 0
    shown = job._repr_html_()
    assert "success rate" in shown
    assert job.reload().state == "succeeded"
    again = python_client.rerun(job.id, {"title": "<b>twice</b>"}).wait(timeout=60, progress=False)
    assert "&lt;b&gt;twice" in again._repr_html_()


def test_errors_are_python_errors_that_name_the_field(python_client: Client) -> None:
    with pytest.raises(InvalidInput) as wrong:
        python_client.submit(images(count=0))
    assert wrong.value.field == "images.count"
    with pytest.raises(NotFound):
        python_client.job("00000000-0000-7000-8000-000000000000")
    with Client(python_client.url, "wrong") as stranger, pytest.raises(Unauthenticated):
        stranger.system()
    with Client("http://127.0.0.1:9", "x") as nobody, pytest.raises(Unavailable, match="blindspots up"):
        nobody.system()


def test_no_token_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Unauthenticated, match="BLINDSPOTS_TOKEN"):
        Client(data_dir=tmp_path)


def test_a_cancelled_job_is_not_waited_for(python_client: Client) -> None:
    job = python_client.submit(images(count=500, classes=None) | {"seed": 7}, fresh=True)
    try:
        python_client.cancel(job.id)
    except Exception as error:
        pytest.skip(f"it had ended already: {error}")
    with pytest.raises(JobFailed, match="cancelled"):
        python_client.wait(job.id, timeout=30)


def test_pictures_models_and_data_sets(python_client: Client) -> None:
    stored = python_client.upload(encoded(GREY, "PNG"), model="digits-softmax")
    assert len(stored.id) == 64
    assert {"digits-softmax"} <= {model["name"] for model in python_client.models()}
    assert {"digits", "mnist"} <= {each["name"] for each in python_client.datasets()}
    assert python_client.estimate(ATTACK).images == 4


def command(
    installation: Installation, *arguments: str, stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a user of this installation would."""
    return subprocess.run(
        [sys.executable, "-m", "blindspots", *arguments],
        env=environment(installation.data_dir) | {"COLUMNS": "200"},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_submit_wait_show_and_export(installation: Installation, tmp_path: Path) -> None:
    spec = tmp_path / "attack.json"
    spec.write_text(json.dumps(ATTACK))
    done = command(installation, "submit", str(spec), "--wait", "--set", "images.count=3", "--json")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert job["summary"]["images"] == 3
    saved = tmp_path / "rows.csv"
    exported = command(installation, "export", job["id"], "--format", "csv", "-o", str(saved))
    assert exported.returncode == 0, exported.stderr
    assert len(saved.read_text().strip().splitlines()) == 4
    shown = command(installation, "show", job["id"])
    assert "succeeded" in shown.stdout
    assert job["id"] in command(installation, "jobs", "--kind", "attack").stdout


def test_a_spec_from_standard_input(installation: Installation) -> None:
    done = command(installation, "submit", "-", stdin=json.dumps(ATTACK))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 36


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("submit", "nowhere.json"), "", "Cannot read nowhere.json"),
        (("submit", "-"), "{", "not JSON"),
        (("submit", "-"), "[1]", "no JSON object"),
        (("submit", "-"), json.dumps(images(count=0)), "images.count"),
        (("submit", "-", "--set", "count"), "{}", "key=value"),
        (("show", "1"), "", "job_id"),
        (("cancel", "00000000-0000-7000-8000-000000000000"), "", "no"),
    ],
)
def test_a_mistake_is_one_clear_sentence(
    installation: Installation, arguments: tuple[str, ...], stdin: str, said: str
) -> None:
    done = command(installation, *arguments, stdin=stdin)
    assert done.returncode == 1
    assert said.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


@pytest.mark.parametrize("arguments", [("models",), ("data", "list"), ("doctor",)])
def test_what_is_here_is_listed(installation: Installation, arguments: tuple[str, ...]) -> None:
    done = command(installation, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digits" in done.stdout


def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "blindspots", "doctor"],
        env=environment(tmp_path / "nothing"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "blindspots up" in done.stdout


def up(data_dir: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Try to start an installation."""
    return subprocess.run(
        [sys.executable, "-m", "blindspots", "up", "--no-browser"],
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_one_sentence(done: "subprocess.CompletedProcess[str]", said: str) -> None:
    """A start-up problem ends like this."""
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_a_taken_port_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_one_sentence(up(tmp_path / "data", port=str(port)), f"Port {port} is taken")


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_sentence(up(tmp_path / "file" / "data"), "cannot be written")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.com"])
def test_an_address_for_others_is_refused(tmp_path: Path, host: str) -> None:
    assert_one_sentence(up(tmp_path / "data", host=host), f"{host} is refused")


def test_a_setting_that_makes_no_sense_is_said_so(tmp_path: Path) -> None:
    assert_one_sentence(up(tmp_path / "data", port="many"), "BLINDSPOTS_PORT")


def test_a_second_start_in_the_same_folder_is_refused(installation: Installation) -> None:
    assert_one_sentence(up(installation.data_dir), str(installation.data_dir))


@pytest.mark.skipif(
    not Path("/dev/full").exists() or os.geteuid() != 0, reason="mounting a full disk needs root"
)
def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", disk], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        assert_one_sentence(up(disk / "data"), "is full")
    finally:
        subprocess.run(["umount", disk], check=True)


def test_the_web_process_needs_no_torch() -> None:
    program = "import sys, blindspots.api.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
