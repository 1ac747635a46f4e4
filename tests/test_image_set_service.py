"""Image sets by way of the REST interface: folders of the server, names, thumbnails, deleting."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from blindspots.api.app import create_app
from blindspots.experiments import KINDS
from blindspots.settings import Settings
from blindspots.work.embedded import environment
from photographs import archive, picture, two_classes
from workbench import Workbench

ZIP = {"Content-Type": "application/zip"}


class Here:
    """An installation without processes of its own, and a client that is signed in."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "allowed"
        for name, content in {**two_classes(3, size=(300, 200)), "set/more/x/1.png": picture()}.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(content)
        (folder / "secret").mkdir()
        (folder / "secret" / "a.png").write_bytes(picture())
        url = f"sqlite:///{folder / 'test.sqlite'}"
        self.bench = Workbench(url, folder / "data", kinds=KINDS, image_roots=(self.root,))
        app = create_app(self.bench.settings, self.bench.service)
        token = (self.bench.settings.data_dir / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        self.http = TestClient(app, base_url="http://127.0.0.1", headers=headers)
        self.runner, _ = self.bench.worker()

    def submit(self, **fields: Any) -> Any:
        document = {"kind": "image_set", "height": 150, "width": 200, **fields}
        return self.http.post("/api/v1/jobs", json=document)

    def run(self, **fields: Any) -> dict[str, Any]:
        """Submit, work until nothing is left, and answer the job."""
        answer = self.submit(**fields)
        assert answer.status_code == 202, answer.text
        while self.runner.run():
            pass
        job: dict[str, Any] = self.http.get(f"/api/v1/jobs/{answer.json()['id']}").json()
        return job

    def refused(self, **fields: Any) -> tuple[int, str, str]:
        problem = self.submit(**fields).json()
        return problem["status"], problem["field"], problem["detail"]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    made = Here(tmp_path)
    yield made
    made.bench.close()


def folder(name: str) -> dict[str, str]:
    return {"source": "folder", "folder": name}


def test_a_folder_of_the_server_becomes_a_set(here: Here) -> None:
    offered = here.http.get("/api/v1/image-roots").json()["items"]
    assert [each["folder"] for each in offered] == [".", "set"]
    assert [Path(each["path"]) for each in offered] == [here.root, here.root / "set"]
    job = here.run(name="pets", title="Pets", source=folder("set"))
    assert (job["state"], job["dataset"]) == ("succeeded", "pets"), job["error"]
    listed = {each["name"]: each for each in here.http.get("/api/v1/datasets").json()["items"]}
    found = listed["pets"]
    assert (found["title"], found["source"], found["sizes"]) == ("Pets", "imported", {"test": 7})
    assert found["class_names"] == ["cat", "dog", "x"]
    assert found["shape"] == [3, 150, 200]
    assert found["views"] == [], "without training images there are no halves"


OUTSIDE = ["../secret", "set/../../secret", "/etc", "set/./cat", "set//cat", ".hidden", "..", "set/cat/0.png"]


@pytest.mark.parametrize("name", [*OUTSIDE, "nothing"])
def test_no_other_folder_is_read(name: str, here: Here) -> None:
    status, field, _ = here.refused(name="pets", source=folder(name))
    assert (status, field) == (422, "source.folder")


def test_links_lead_nowhere(here: Here) -> None:
    (here.root / "out").symlink_to(here.root.parent / "secret")
    assert here.refused(name="pets", source=folder("out"))[:2] == (422, "source.folder")
    assert "out" not in [each["folder"] for each in here.http.get("/api/v1/image-roots").json()["items"]]
    (here.root / "set" / "cat" / "in.png").symlink_to(here.root.parent / "secret" / "a.png")
    status, field, detail = here.refused(name="pets", source=folder("set"))
    assert (status, field) == (422, "source.folder")
    assert "cat/in.png is a link" in detail


def test_a_folder_that_changed_before_the_job_ran_is_said_so(here: Here) -> None:
    answer = here.submit(name="pets", source=folder("set"))
    (here.root / "set" / "cat" / "9.png").write_bytes(picture(9))
    while here.runner.run():
        pass
    job = here.http.get(f"/api/v1/jobs/{answer.json()['id']}").json()
    assert job["state"] == "failed"
    assert "changed since the job was sent" in job["error"]["message"]
    assert not (here.bench.settings.downloads / "pets").exists()


def test_a_pipe_among_the_files_is_left_alone(here: Here) -> None:
    os.mkfifo(here.root / "set" / "cat" / "pipe.png")
    assert here.run(name="pets", source=folder("set"))["state"] == "succeeded"


def test_a_name_is_taken_once(here: Here) -> None:
    first = here.submit(name="pets", source=folder("set"))
    second = here.submit(name="pets", source=folder("set"), height=40)
    while here.runner.run():
        pass
    states = [here.http.get(f"/api/v1/jobs/{each.json()['id']}").json() for each in (first, second)]
    assert [each["state"] for each in states] == ["succeeded", "failed"]
    assert "Choose another name" in states[1]["error"]["message"]
    assert here.refused(name="pets", source=folder("set"))[:2] == (422, "name")


def test_thumbnails_are_small_and_revalidated(here: Here) -> None:
    here.run(name="pets", source=folder("set"))
    place = "/api/v1/datasets/pets/test/images/0.png"
    whole, small = here.http.get(place), here.http.get(f"{place}?side=64")
    assert Image.open(io.BytesIO(whole.content)).size == (200, 150)
    assert Image.open(io.BytesIO(small.content)).size == (64, 48)
    assert small.headers["etag"] != whole.headers["etag"]
    again = here.http.get(f"{place}?side=64", headers={"If-None-Match": small.headers["etag"]})
    assert again.status_code == 304
    assert "no-cache" in small.headers["cache-control"], "another set may take the name"
    assert here.http.get(f"{place}?side=8").status_code == 422
    large = here.http.get(f"{place}?side=1024")
    assert Image.open(io.BytesIO(large.content)).size == (200, 150), "never enlarged"


def test_a_set_is_deleted_when_no_job_needs_it(here: Here) -> None:
    here.run(name="pets", source=folder("set"), train_share=0.6)
    first = here.http.get("/api/v1/datasets/pets").json()["sha256"]
    training = {"kind": "train", "dataset": "pets", "network": {"name": "softmax"},
                "optimiser": {"name": "adam", "epochs": 1}}  # fmt: skip
    job = here.http.post("/api/v1/jobs", json=training).json()
    refused = here.http.delete("/api/v1/datasets/pets")
    assert refused.status_code == 409
    assert "1 job refers to pets" in refused.json()["detail"]
    here.http.post(f"/api/v1/jobs/{job['id']}/cancel")
    assert here.http.delete(f"/api/v1/jobs/{job['id']}").status_code == 204
    assert here.http.delete("/api/v1/datasets/pets").status_code == 204
    assert here.http.get("/api/v1/datasets/pets").status_code == 404
    assert list(here.bench.settings.downloads.iterdir()) == []
    here.run(name="pets", source=folder("set"), train_share=0.6, seed=1)
    assert here.http.get("/api/v1/datasets/pets").json()["sha256"] != first


@pytest.mark.parametrize(("name", "status"), [("digits", 409), ("digits:P1:0", 409), ("nothing", 404)])
def test_other_sets_are_not_deleted(name: str, status: int, here: Here) -> None:
    assert here.http.delete(f"/api/v1/datasets/{name}").status_code == status


def test_training_needs_labels_and_both_splits(here: Here) -> None:
    here.run(name="unlabelled", source=folder("set"), labels={"source": "none"}, train_share=0.5)
    here.run(name="held-out", source=folder("set"))
    for name, words in (("unlabelled", "no labels"), ("held-out", "share for training")):
        answer = here.http.post("/api/v1/jobs", json={"kind": "train", "dataset": name})
        assert answer.status_code == 422
        assert answer.json()["field"] == "dataset"
        assert words in answer.json()["detail"]


def test_an_upload_survives_until_its_job(here: Here) -> None:
    content = archive({**two_classes(20), "kinds.csv": b"file,label\n"})
    stored = here.http.post("/api/v1/archives", content=content, headers=ZIP).json()
    assert here.http.get(f"/api/v1/archives/{stored['id']}").json() == stored
    assert here.http.get(f"/api/v1/archives/{'0' * 64}").status_code == 404
    source = {"source": "upload", "archive": stored["id"]}
    spec = {"kind": "image_set", "name": "x", "source": source}
    estimate = here.http.post("/api/v1/jobs/estimate", json=spec)
    assert estimate.json()["bytes_kept"] == 2 * 40 * 3 * 224 * 224
    job = here.run(name="x", source=source, height=10, width=20)
    assert job["state"] == "succeeded"
    export = here.http.get(f"/api/v1/jobs/{job['id']}/export/csv").text.splitlines()
    assert export[:2] == ["path,split,number,label", "set/cat/0.png,test,0,0"]
    images = np.load(here.bench.settings.downloads / "x" / "test-images.npy", mmap_mode="r")
    assert images.shape == (40, 3, 10, 20)
    notes = json.loads((here.bench.settings.downloads / "x" / "image-set.json").read_text())["notes"]
    assert (notes["rule"], notes["resampling"], notes["pictures"]) == ("crop", "bicubic", stored["sha256"])


def test_a_worker_is_told_every_setting_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        data_dir=tmp_path, image_roots=(tmp_path / "a b", Path("/data")), allowed_hosts=("localhost",)
    )
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.parametrize("roots", ['["photos"]', '["/data", "../x"]'])
def test_a_root_that_is_no_absolute_path_is_refused(roots: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLINDSPOTS_IMAGE_ROOTS", roots)
    with pytest.raises(ValueError, match="not an absolute path"):
        Settings()
