"""What an upload may be: archives of pictures are listed, everything else is refused and leaves nothing."""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

import bad_archives
from bad_archives import BadArchive
from blindspots.api.app import create_app
from blindspots.experiments import KINDS
from blindspots.zoo.archives import check
from blindspots.zoo.picture_files import NotTaken
from photographs import LIMITS, archive, look_into, picture, two_classes
from workbench import Workbench

ZIP = {"Content-Type": "application/zip"}
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("archives")
    bench = Workbench(
        f"sqlite:///{folder / 'test.sqlite'}", folder / "data", kinds=KINDS, max_archive_bytes=64 << 20
    )
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def http(bench: Workbench) -> TestClient:
    app = create_app(bench.settings, bench.service)
    token = (bench.settings.data_dir / "token").read_text().strip()
    return TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {token}"})


def files(bench: Workbench) -> set[Path]:
    """Everything that the service keeps as files, whole or begun."""
    return {path for path in bench.settings.artifacts.rglob("*") if path.is_file()}


@pytest.mark.parametrize("bad", bad_archives.EVERY, ids=lambda bad: str(bad.title))
def test_a_bad_archive_is_refused_and_leaves_nothing(
    bad: BadArchive, http: TestClient, bench: Workbench
) -> None:
    before = files(bench)
    answer = http.post("/api/v1/archives", content=bad.make(), headers=ZIP)
    problem = answer.json()
    assert answer.status_code == bad.status, problem
    assert re.search(bad.words, problem["detail"]), problem["detail"]
    assert problem["field"] == "archive"
    assert len(problem["detail"]) < 600
    assert problem["detail"].isprintable()
    assert files(bench) == before


def test_the_documentation_says_how_many_are_tried() -> None:
    assert f"{len(bad_archives.EVERY)} bad archives" in (ROOT / "docs" / "security.md").read_text()


def test_an_entry_is_named_in_its_refusal(http: TestClient) -> None:
    answer = http.post("/api/v1/archives", content=archive({"a/b c.png": b"<svg/>"}), headers=ZIP)
    assert "“a/b c.png”" in answer.json()["detail"]


def test_a_good_archive_is_listed(http: TestClient) -> None:
    content = archive({
        **two_classes(), "set/cat/photo.JPG": picture(form="JPEG"), "set/dog/w.webp": picture(form="WEBP"),
        "labels.csv": b"file,label\n", ".DS_Store": b"x", "__MACOSX/set/._0.png": b"x",
    })  # fmt: skip
    answer = http.post("/api/v1/archives", content=content, headers=ZIP)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["images"], found["broken"], found["bytes"]) == (8, 0, len(content))
    assert found["folders"] == ["cat", "dog"]
    assert found["tables"] == [{"name": "labels.csv", "columns": ["file", "label"]}]
    again = http.post("/api/v1/archives", content=content, headers=ZIP).json()
    assert again == found, "the same archive has the same id"


def test_names_of_every_language_are_taken(tmp_path: Path) -> None:
    found = look_into(archive({"猫/été.png": picture(), "Собака/1 (2).png": picture(1)}), tmp_path)
    assert found["images"] == ["Собака/1 (2).png", "猫/été.png"]


def test_pictures_that_are_named_otherwise_than_they_are_count_as_what_they_are(tmp_path: Path) -> None:
    found = look_into(archive({"a.jpg": picture(), "b": picture(1, form="WEBP")}), tmp_path)
    assert found["images"] == ["a.jpg", "b"]
    assert found["broken"] == {}


def test_a_picture_with_a_broken_header_is_told_and_does_not_spoil_the_rest(tmp_path: Path) -> None:
    found = look_into(archive({"good.png": picture(), "bad.png": picture()[:20]}), tmp_path)
    assert list(found["broken"]) == ["bad.png"]


def test_an_archive_over_the_limit_is_refused_before_it_has_come(http: TestClient, bench: Workbench) -> None:
    before = files(bench)
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1 << 20
            yield bytes(1 << 20)

    answer = http.post("/api/v1/archives", content=body(), headers=ZIP)
    assert answer.status_code == 413
    assert "BLINDSPOTS_MAX_ARCHIVE_BYTES" in answer.json()["detail"]
    assert files(bench) == before
    declared = http.post("/api/v1/archives", content=b"PK", headers={**ZIP, "Content-Length": str(1 << 40)})
    assert declared.status_code == 413


@pytest.mark.parametrize("kind", ["application/json", "image/png", "application/gzip", ""])
def test_another_type_is_refused(http: TestClient, kind: str) -> None:
    answer = http.post("/api/v1/archives", content=archive(two_classes()), headers={"Content-Type": kind})
    assert answer.status_code == 415


def test_an_archive_is_forgotten_after_a_day(http: TestClient, bench: Workbench) -> None:
    from blindspots.store import files as stored

    found = http.post("/api/v1/archives", content=archive(two_classes(2)), headers=ZIP).json()
    spec = {"kind": "image_set", "name": "gone", "source": {"source": "upload", "archive": found["id"]}}
    assert http.post("/api/v1/jobs/estimate", json=spec).status_code == 200
    stored.sweep(bench.database, bench.artifacts, older_than=-1.0)
    answer = http.post("/api/v1/jobs", json=spec)
    assert answer.status_code == 422
    assert answer.json()["field"] == "source.archive"
    assert "Upload it again" in answer.json()["detail"]


def test_an_id_that_means_another_stored_file_is_no_archive(http: TestClient) -> None:
    png = http.post("/api/v1/images", content=picture(), headers={"Content-Type": "image/png"}).json()
    whole = http.post("/api/v1/archives", content=archive(two_classes()), headers=ZIP).json()
    for other in (png["id"], whole["sha256"], "0" * 64):
        spec = {"kind": "image_set", "name": "no", "source": {"source": "upload", "archive": other}}
        answer = http.post("/api/v1/jobs/estimate", json=spec)
        assert (answer.status_code, answer.json()["field"]) == (422, "source.archive")


def changed(content: bytes, generator: np.random.Generator) -> bytes:
    """The archive with a few bytes exchanged, taken out, put in, or cut off."""
    data = bytearray(content)
    for _ in range(generator.integers(1, 9)):
        place, how = int(generator.integers(len(data))), generator.random()
        if how < 0.6:
            data[place] = generator.integers(256)
        elif how < 0.75:
            del data[place : place + int(generator.integers(1, 64))]
        elif how < 0.85:
            data[place:place] = generator.bytes(generator.integers(1, 32))
        elif how < 0.97:
            data[place : place + 4] = FIELDS[generator.integers(len(FIELDS))]
        else:
            del data[place + 1 :]
    return bytes(data)


FIELDS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"PK\1\2", b"PK\3\4", b"PK\5\6", b"\0\0\0\x80")


@pytest.mark.filterwarnings("ignore")
def test_a_changed_archive_is_listed_or_refused_and_nothing_else() -> None:
    """In this process, without the limits of the other one: whatever else is raised fails the test."""
    files = {
        **two_classes(1),
        "a/b.jpg": picture(form="JPEG"),
        "a/c.webp": picture(form="WEBP"),
        "l.csv": b"a,b\n",
    }
    whole = archive(files, compression=zipfile.ZIP_STORED), archive(files)
    generator = np.random.default_rng(7)
    told: Counter[int] = Counter()
    for number in range(3000):
        try:
            check(io.BytesIO(changed(whole[number % 2], generator)), LIMITS, lambda: None)
            told[200] += 1
        except NotTaken as refusal:
            told[refusal.status] += refusal.message.isprintable()
    assert told.total() == 3000, "every reason can be printed"
    assert told[200] > 10, "some changes do no harm"
    assert told[422] > 1000
