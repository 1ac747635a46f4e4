"""What a user of downloads may rely on: checked, resumed, all or nothing."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from blindspots.errors import Cancelled, Unreachable
from blindspots.experiments.fetch_dataset import FetchDataset
from blindspots.zoo import datasets
from in_memory import Laboratory, MemoryContext
from test_zoo import STANDARD, encoded
from workbench import Workbench


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """The bundled digits."""
    return Laboratory(datasets.find())


FILES = {f"{name}.gz": gzip.compress(encoded(array), mtime=0) for name, array in STANDARD.items()}


@dataclass
class Published:
    """A server that publishes files, and may cut answers short or send something else."""

    files: dict[str, bytes]
    cut_after: int | None = None  # bytes of an answer
    resumes: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # name, Range header
    url: str = ""


@pytest.fixture
def published() -> Iterator[Published]:
    """A real HTTP server on this machine."""
    content = Published(dict(FILES))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, wanted = self.path.rsplit("/", 1)[1], self.headers["Range"]
            content.asked.append((name, wanted))
            if name not in content.files:
                self.send_error(404)
                return
            body, begin = content.files[name], 0
            if wanted and content.resumes:
                begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if begin >= len(body):
                    self.send_error(416)
                    return
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(body) - begin))
            self.end_headers()
            self.wfile.write(body[begin:][: content.cut_after])

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    content.url = f"http://127.0.0.1:{server.server_port}/"
    yield content
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def source(published: Published, monkeypatch: pytest.MonkeyPatch) -> Published:
    """MNIST is published on this machine."""
    md5 = {name: hashlib.md5(body, usedforsecurity=False).hexdigest() for name, body in FILES.items()}
    download = datasets.Download(mirrors=(published.url,), md5=md5, bytes=sum(map(len, FILES.values())))
    monkeypatch.setitem(datasets.SOURCES, "mnist", download)
    return published


def fetch(laboratory: Laboratory, **changes: Any) -> MemoryContext:
    job = FetchDataset.model_validate({"kind": "fetch_dataset", "dataset": "mnist"}).resolve(laboratory)
    context = laboratory.context(**changes)
    result = job.run(job.plan(laboratory)[0], context)
    assert result.summary["files"] == 4
    return context


def test_a_data_set_is_downloaded_checked_and_installed(source: Published, laboratory: Laboratory) -> None:
    context = fetch(laboratory)
    assert context.installed == {"mnist": FILES}
    assert [name for name, _ in source.asked] == list(FILES)
    done = [report[0] for report in context.reports]
    assert done == sorted(done)
    assert context.reports[-1][0] == context.reports[-1][1] == sum(map(len, FILES.values()))


@pytest.mark.parametrize("resumes", [True, False])
def test_a_download_goes_on_where_it_was_interrupted(
    source: Published, laboratory: Laboratory, resumes: bool
) -> None:
    source.resumes = resumes
    names = list(FILES)
    checkpoint = {names[0]: FILES[names[0]], names[1]: FILES[names[1]][:20]}
    arrays = {name: np.frombuffer(body, np.uint8) for name, body in checkpoint.items()}
    assert fetch(laboratory, checkpoint=arrays).installed == {"mnist": FILES}
    assert source.asked == [(names[1], "bytes=20-"), (names[2], None), (names[3], None)]


def test_a_wrong_beginning_is_thrown_away(source: Published, laboratory: Laboratory) -> None:
    name = next(iter(FILES))
    arrays = {name: np.zeros(20, np.uint8)}
    assert fetch(laboratory, checkpoint=arrays).installed == {"mnist": FILES}
    assert source.asked[:2] == [(name, "bytes=20-"), (name, None)]


def test_the_next_mirror_is_asked(
    source: Published, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = datasets.SOURCES["mnist"]
    mirrors = ("http://127.0.0.1:9/", f"{source.url}gone/../", *download.mirrors)
    changed = datasets.Download(mirrors=mirrors, md5=download.md5, bytes=download.bytes)
    monkeypatch.setitem(datasets.SOURCES, "mnist", changed)
    assert fetch(laboratory).installed == {"mnist": FILES}


@pytest.mark.parametrize("fault", ["damaged", "gone", "cut"])
def test_nothing_is_installed_unless_every_file_is_right(
    fault: str, source: Published, laboratory: Laboratory
) -> None:
    last = list(FILES)[-1]
    if fault == "damaged":
        source.files[last] = b"x" + FILES[last][1:]
    elif fault == "gone":
        del source.files[last]
    else:
        source.cut_after = 30
    context = laboratory.context()
    job = FetchDataset(dataset="mnist")
    with pytest.raises(Unreachable, match="could not be downloaded") as refusal:
        job.run(job.plan(laboratory)[0], context)
    assert "BLINDSPOTS_DATASETS_DIR" in refusal.value.message
    assert context.installed == {}


@pytest.mark.usefixtures("source")
def test_a_download_is_cancelled(laboratory: Laboratory) -> None:
    with pytest.raises(Cancelled):
        fetch(laboratory, cancel_when=lambda done: done > 100)


def test_a_user_names_no_address() -> None:
    for extra in ("url", "mirror", "mirrors", "source", "base_url"):
        with pytest.raises(ValidationError):
            FetchDataset.model_validate(
                {"kind": "fetch_dataset", "dataset": "mnist", extra: "http://127.0.0.1/"}
            )
    with pytest.raises(ValidationError):
        FetchDataset.model_validate({"kind": "fetch_dataset", "dataset": "http://127.0.0.1/"})


def test_published_addresses_are_checked_files() -> None:
    for download in (datasets.SOURCES["mnist"], datasets.SOURCES["fashion-mnist"]):
        assert download.mirrors[0].startswith("https://")
        assert all(mirror.endswith("/") for mirror in download.mirrors)
        assert len(download.md5) == 4
        assert all(len(checksum) == 32 for checksum in download.md5.values())


def test_a_job_whose_servers_are_away_fails_and_says_so(
    source: Published, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    download = datasets.SOURCES["mnist"]
    away = datasets.Download(mirrors=("http://127.0.0.1:9/",), md5=download.md5, bytes=download.bytes)
    monkeypatch.setitem(datasets.SOURCES, "mnist", away)
    bench = Workbench("", tmp_path / "data", kinds={"fetch_dataset": FetchDataset})
    job_id = bench.service.submit(FetchDataset(dataset="mnist"), owner="ada")["id"]
    runner, _ = bench.worker()
    assert runner.run() == 1
    job = bench.service.job(job_id)
    bench.close()
    assert (job["state"], job["error"]["code"]) == ("failed", "unreachable")
    assert "BLINDSPOTS_DATASETS_DIR" in job["error"]["message"]
    assert source.asked == []
