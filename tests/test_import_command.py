"""`blindspots data import` and `data delete`, against a real installation."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from installation import Installation, environment
from photographs import archive, two_classes


def command(installation: Installation, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "blindspots", *words],
        env=environment(installation.data_dir), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def listed(installation: Installation) -> dict[str, dict[str, object]]:
    done = command(installation, "data", "list", "--json")
    return {each["name"]: each for each in json.loads(done.stdout)}


@pytest.mark.parametrize("packed", [False, True], ids=["a folder", "an archive"])
def test_pictures_become_a_set_and_go_again(packed: bool, installation: Installation, tmp_path: Path) -> None:
    place = tmp_path / "pictures"
    for name, content in {**two_classes(4), ".hidden/x.png": b"x", "set/notes.txt": b"x"}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    if packed:
        place = tmp_path / "pictures.zip"
        place.write_bytes(archive(two_classes(4)))
    options = ["--size", "12x10", "--classes", "dog,cat", "--train-share", "0.5", "--title", "Pets"]
    done = command(installation, "data", "import", str(place), "--name", "cli-pets", *options)
    assert done.returncode == 0, done.stderr
    found = listed(installation)["cli-pets"]
    assert (found["title"], found["shape"], found["class_names"]) == ("Pets", [3, 12, 10], ["dog", "cat"])
    assert found["sizes"] == {"train": 4, "test": 4}
    done = command(installation, "data", "delete", "cli-pets")
    assert done.returncode == 0, done.stderr
    assert "cli-pets" not in listed(installation)


def test_a_refusal_names_the_field(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive(two_classes(1)))
    for options, words in (
        (["--name", "digits"], "name: There is a data set digits already"),
        (["--name", "x", "--labels", "none.csv"], "labels.file: There is no table none.csv"),
        (["--name", "x", "--size", "big"], "size: Give a number of pixels"),
    ):
        done = command(installation, "data", "import", str(tmp_path / "a.zip"), *options)
        assert done.returncode == 1
        assert words in done.stderr
