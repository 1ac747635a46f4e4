"""Files of weights over the wire: good ones become models, bad ones a clear answer and nothing else."""

import contextlib
import os
import random
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from onnx import numpy_helper
from safetensors import numpy as safetensors

from blindspots.errors import BlindspotsError
from blindspots.zoo import onnx_files, weight_files
from hostile_weights import Hostile, every, header, model, node
from installation import Installation
from onnx_graphs import graph

CANARY = Path("/tmp") / f"blindspots-canary-{os.getpid()}"
HOSTILE = every(CANARY)
MUTATIONS = int(os.environ.get("BLINDSPOTS_FUZZ_FILES", "24"))
LONGEST_SECONDS = 20.0


def written(installation: Installation) -> set[str]:
    """Every file that the service keeps."""
    return {path.name for path in (installation.data_dir / "artifacts").rglob("*") if path.is_file()}


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: str(hostile.name))
def test_a_hostile_file_is_refused_and_leaves_nothing(installation: Installation, hostile: Hostile) -> None:
    before = written(installation)
    begun = time.monotonic()
    answer = installation.client.post("/api/v1/weights", content=hostile.content)
    assert time.monotonic() - begun < LONGEST_SECONDS
    assert answer.status_code == hostile.status, answer.text
    problem = answer.json()
    assert problem["field"] == "file"
    assert problem["detail"].endswith((".", ")."))
    assert "Traceback" not in answer.text
    assert len(answer.text) < 3000
    assert not (written(installation) - before)
    assert not CANARY.exists()


def test_the_documentation_says_how_many_are_tried() -> None:
    page = Path(__file__).parents[1] / "docs" / "security.md"
    assert f"{len(HOSTILE)} hostile files" in page.read_text()


def test_refusals_name_every_operator_that_is_not_understood(client: httpx2.Client) -> None:
    strange = [node("Bernoulli", ["x"], ["a"]), node("Det", ["a"], ["b"]), node("STFT", ["b", "b"], ["y"])]
    answer = client.post("/api/v1/weights", content=model(strange))
    assert all(name in answer.json()["detail"] for name in ("Bernoulli", "Det", "STFT"))


def test_an_empty_body_is_refused(client: httpx2.Client) -> None:
    assert client.post("/api/v1/weights", content=b"").status_code == 422


def small_graph() -> bytes:
    weight = np.random.default_rng(5).normal(size=(64, 10)).astype(np.float32)  # it knows no digit
    nodes = [node("Flatten", ["x"], ["f"]), node("MatMul", ["f", "w"], ["z"]), node("Softmax", ["z"], ["y"])]
    return graph(nodes, {"w": weight}, (1, 1, 8, 8))


def submitted(client: httpx2.Client, spec: dict[str, Any]) -> dict[str, Any]:
    """The job when it has ended."""
    job = client.post("/api/v1/jobs", json=spec).json()
    assert "id" in job, job
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found: dict[str, Any] = client.get(f"/api/v1/jobs/{job['id']}").json()
        if found["state"] in ("succeeded", "failed", "cancelled"):
            return found
        time.sleep(0.2)
    raise TimeoutError(job["id"])


def test_an_onnx_file_becomes_a_model_that_is_attacked_measured_and_looked_at(
    each_installation: Installation,
) -> None:
    """From the file to an attack, a spectrum and units; a random classifier gets its warning."""
    client = each_installation.client
    file = small_graph()
    stored = client.post("/api/v1/weights", content=file).json()
    assert stored["form"] == "onnx"
    assert stored["graph"]["image_shape"] == [1, 8, 8]
    assert stored["graph"]["operators"] == {"Flatten": 1, "MatMul": 1, "Softmax": 1}
    added = submitted(
        client,
        {"kind": "import_model", "weights": stored["id"], "dataset": "digits", "model_name": "a-graph"},
    )
    assert added["state"] == "succeeded", added["error"]
    summary = added["summary"]
    assert any("no better than" in warning for warning in summary["warnings"])
    assert not summary["gate"]["probabilities"], "its softmax was left away"
    reference = summary["model_id"]
    entered = client.get(f"/api/v1/models/{reference}").json()
    assert [layer["name"] for layer in entered["layers"]] == ["2 MatMul"]
    images = {"source": "dataset", "dataset": "digits", "split": "test", "count": 12}
    attack = submitted(client, {"kind": "attack", "model": reference, "images": images})
    assert attack["summary"]["success_rate"] == 1
    bound = submitted(client, {"kind": "spectral", "model": reference})
    weight = safetensors.load(onnx_files.read(file)[1])["w"]
    assert bound["summary"]["bound"] == pytest.approx(np.linalg.norm(weight, 2), rel=1e-3)
    units = submitted(client, {"kind": "units", "model": reference, "images": images, "k": 2})
    assert units["state"] == "succeeded", units["error"]


def test_safetensors_of_any_real_type_are_read_as_single_precision() -> None:
    values = np.array([[0.5, -2.0], [3.0, 0.25]])
    for kind in (np.float16, np.float32, np.float64):
        found = safetensors.load(weight_files.read(safetensors.save({"a": values.astype(kind)})))
        np.testing.assert_array_equal(found["a"], values.astype(np.float32))
        assert found["a"].dtype == np.float32


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out or doubled."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data))
        change = chance.randrange(3)
        if change == 0:
            data[place] = chance.randrange(256)
        elif change == 1:
            del data[place : place + chance.randint(1, 64)]
        else:
            data[place:place] = data[place : place + chance.randint(1, 64)]
    return bytes(data)


def test_a_mutated_file_is_read_or_refused_but_never_ends_the_reader() -> None:
    """`BLINDSPOTS_FUZZ_FILES=10000` tries more of them."""
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    seeds = [
        safetensors.save({"a": np.arange(6, dtype=np.float32), "b": np.ones((2, 2), np.float16)}),
        model([node("MatMul", ["x", "w"], ["r"]), node("Flatten", ["r"], ["y"])], [tensor]),
    ]
    chance = random.Random(2013)
    for _ in range(MUTATIONS):
        content = mutated(chance.choice(seeds), chance)
        with contextlib.suppress(BlindspotsError):  # anything else is a hole
            form = weight_files.recognise(content)
            answer = onnx_files.read(content)[1] if form == "onnx" else weight_files.read(content)
            safetensors.load(answer)


@pytest.mark.parametrize("length", [0x22, 0x3C, 0x5B, 0x7B, 0x0480, 0x2123, 0x5A4D, 0x4B50])
def test_a_header_of_any_length_is_recognised(length: int) -> None:
    """Its bytes come first in the file: 0x7B is a brace, 0x0480 the beginning of a pickle."""
    text = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    content = header(text.ljust(length), b"\0" * 4, length=max(length, len(text)))
    assert weight_files.recognise(content) == "safetensors"
    assert set(safetensors.load(weight_files.read(content))) == {"a"}
