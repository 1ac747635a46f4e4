"""What a user of training and of downloads may rely on: the model, resumption, refusals, the demo networks."""

import gzip
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from blindspots.errors import Cancelled, InvalidInput, Unavailable
from blindspots.experiments import train_run
from blindspots.experiments.fetch_dataset import FetchDataset
from blindspots.experiments.train import Train
from blindspots.experiments.train_presets import DEMO, PAPER, presets
from blindspots.zoo import architectures, datasets
from in_memory import Finished, Laboratory, MemoryContext, MemoryResult
from test_zoo import STANDARD, encoded


@pytest.fixture(scope="module")
def laboratory() -> Laboratory:
    """The bundled digits."""
    return Laboratory(datasets.find())


@pytest.fixture(scope="module")
def demo(laboratory: Laboratory) -> dict[str, Finished]:
    """The demo networks, trained as the first start does."""
    return {spec["model_name"]: laboratory.run(Train.model_validate(spec)) for spec in DEMO}


def spec(**fields: Any) -> Train:
    return Train.model_validate_json(json.dumps({"kind": "train", **fields}))


# The model


@pytest.mark.parametrize("name", ["digits-softmax", "digits-100-100-10", "digits-conv"])
def test_demo_networks_are_good_and_quick(name: str, demo: dict[str, Finished]) -> None:
    summary = demo[name].result.summary
    assert summary["model_name"] == name
    assert float(str(summary["test_error"])) < 0.05
    assert float(str(summary["seconds"])) < 20


def test_the_model_is_what_the_summary_says(demo: dict[str, Finished], laboratory: Laboratory) -> None:
    import torch

    for name, outcome in demo.items():
        facts = laboratory.model(name, field="model")
        module = architectures.load(facts, laboratory.weights[facts.id])
        images, labels = laboratory.pixels("digits", "test")
        answers = module(torch.tensor(images).float() / 255).argmax(1).numpy()
        assert (answers != labels).mean() == outcome.result.summary["test_error"]
        assert facts.class_names == tuple("0123456789")
        assert facts.multiply_adds > 0
        assert facts.linear == (name == "digits-softmax")


def test_curves_and_stop_reason_are_kept(demo: dict[str, Finished]) -> None:
    outcome = demo["digits-softmax"]
    iterations = outcome.result.summary["iterations"]
    assert outcome.result.array("iteration")[-1] == iterations
    for name in ("loss", "gradient_norm", "train_error", "test_error"):
        assert len(outcome.result.array(name)) == iterations + 1  # type: ignore[operator]
    assert "Converged" in str(outcome.result.summary["stop_reason"])
    assert outcome.result.summary["weight_decay"] == "half_l2_with_bias"


def test_the_papers_penalties_are_taken_where_none_is_given(laboratory: Laboratory) -> None:
    quick = {"optimiser": {"name": "lbfgs", "max_iterations": 2}}
    summary = laboratory.run(spec(network={"name": "mlp", "widths": [5, 5]}, **quick)).result.summary
    assert summary["penalties"] == [1e-5, 1e-5, 1e-6]
    assert summary["model_name"] == "digits-5-5"
    chosen = laboratory.run(spec(network={"name": "softmax"}, weight_decay={"penalties": [0.5]}, **quick))
    assert chosen.result.summary["penalties"] == [0.5]


def test_training_on_the_first_images_only(laboratory: Laboratory) -> None:
    quick = {"network": {"name": "softmax"}, "optimiser": {"name": "lbfgs", "max_iterations": 50}}
    few, all_of_them = (
        laboratory.run(spec(train_count=count, **quick)).result.summary for count in (50, None)
    )
    assert (few["train_images"], all_of_them["train_images"]) == (50, 1297)
    assert float(str(few["test_error"])) > float(str(all_of_them["test_error"]))


# Interruption

RESUMABLE: dict[str, dict[str, Any]] = {
    "lbfgs": {
        "network": {"name": "mlp", "widths": [8]},
        "optimiser": {"name": "lbfgs", "max_iterations": 30},
    },
    "adam": {
        "network": {"name": "conv", "filters": 3, "kernel": 3},
        "optimiser": {"name": "adam", "epochs": 2},
    },
    "autoencoder": {
        "network": {"name": "autoencoder_softmax", "codes": 9, "autoencoder_iterations": 12},
        "optimiser": {"name": "lbfgs", "max_iterations": 20},
    },
    "autoencoder and adam": {
        "network": {"name": "autoencoder_softmax", "codes": 9, "autoencoder_iterations": 12},
        "optimiser": {"name": "adam", "epochs": 2},
    },
}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
@pytest.mark.parametrize("name", RESUMABLE)
def test_an_interrupted_training_ends_with_the_same_bytes(
    name: str, share: float, laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_run, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(train_run, "CHECKPOINT_SHARE", 1e9)
    chosen = spec(**RESUMABLE[name], train_count=200)
    (part,) = chosen.plan(laboratory)
    undisturbed = MemoryResult(chosen.run(part, laboratory.context()))
    killed = laboratory.context(cancel_when=lambda done: done >= share * train_run.WORK)
    with pytest.raises(Cancelled):
        chosen.run(part, killed)
    assert killed.checkpoint, "nothing would be left of the work"
    again = laboratory.context(checkpoint=killed.checkpoint)
    assert MemoryResult(chosen.run(part, again)).bytes == undisturbed.bytes
    assert again.reports[0][0] > killed.reports[0][0], "it did not begin anew"


def test_progress_rises_to_the_end_and_says_what_is_done(laboratory: Laboratory) -> None:
    context = laboratory.context()
    chosen = spec(**RESUMABLE["autoencoder"], train_count=200)
    chosen.run(chosen.plan(laboratory)[0], context)
    done = [report[0] for report in context.reports]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(train_run.WORK)
    assert context.reports[0][2].startswith("autoencoder: iteration 1 of at most 12")
    assert "train error" in context.reports[-1][2]


def test_a_diverging_training_ends_with_advice(laboratory: Laboratory) -> None:
    watch = train_run.Watch(laboratory.context(), 0.0)
    with pytest.raises(InvalidInput, match="smaller learning rate") as refusal:
        watch.report(Step(done=1, total=10, loss=float("inf"), train_error=0.5, state=dict))
    assert refusal.value.field == "optimiser.learning_rate"


# Refusals


@pytest.mark.parametrize(
    ("fields", "blamed", "words"),
    [
        ({"dataset": "letters"}, "dataset", "letters"),
        ({"train_count": 1298}, "train_count", "1297"),
        ({"network": {"name": "conv", "kernel": 9}}, "network.kernel", "smaller kernel"),
        ({"network": {"name": "mlp", "widths": [10_000, 10_000]}}, "network", "at most 20,000,000"),
        ({"weight_decay": {"penalties": [0.1, 0.1]}}, "weight_decay.penalties", "hidden 1, hidden 2, output"),
    ],
)
def test_what_cannot_work_is_refused_before_it_starts(
    fields: dict[str, Any], blamed: str, words: str, laboratory: Laboratory
) -> None:
    with pytest.raises(InvalidInput, match=words) as refusal:
        spec(**fields).resolve(laboratory)
    assert refusal.value.field == blamed


@pytest.mark.parametrize(
    "fields",
    [
        {"train_count": 0},
        {"network": {"name": "mlp", "widths": []}},
        {"optimiser": {"name": "sgd"}},
        {"optimiser": {"name": "adam", "learning_rate": 0}},
        {"optimiser": {"name": "lbfgs", "max_iterations": 10**9}},
        {"weight_decay": {"mode": "l1"}},
        {"weight_decay": {"penalties": [-1.0]}},
        {"model_name": "a\nb"},
        {"epochs": 3},
    ],
)
def test_values_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(**fields)


@pytest.mark.parametrize("preset", presets(), ids=lambda preset: str(preset["title"]))
def test_every_preset_is_a_job(preset: dict[str, Any], laboratory: Laboratory) -> None:
    parsed = spec(**preset["spec"])
    if parsed.dataset == "digits":
        assert parsed.resolve(laboratory) == parsed
    assert len({each["title"] for each in presets()}) == len(DEMO) + len(PAPER)


def test_forms_need_no_torch() -> None:
    program = (
        "import sys, blindspots.experiments.train as train, blindspots.experiments.fetch_dataset; "
        "train.Train.model_json_schema(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


# Downloads

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
    thread = threading.Thread(target=server.serve_forever)
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
    with pytest.raises(Unavailable, match="could not be downloaded") as refusal:
        job.run(job.plan(laboratory)[0], context)
    assert "BLINDSPOTS_DATASETS_DIR" in refusal.value.message
    assert context.installed == {}


def test_a_download_is_cancelled(source: Published, laboratory: Laboratory) -> None:
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
