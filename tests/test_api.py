"""The REST interface over the wire: a real server, a real worker, real files."""

import io
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from bad_requests import ATTACK, EVERY, GREY, PNG, Bad, encoded, images
from installation import Installation


def counts(client: httpx2.Client) -> tuple[int, Any]:
    """How much there is: newest event and newest jobs of both lanes."""
    newest = [
        client.get("/api/v1/jobs", params={"limit": 200, "lane": lane}).json()
        for lane in ("batch", "interactive")
    ]
    return len(newest[0]["items"]), [[job["id"] for job in page["items"]] for page in newest]


@pytest.mark.parametrize("bad", EVERY, ids=lambda bad: bad.name)
def test_a_bad_request_names_its_fault_and_changes_nothing(client: httpx2.Client, bad: Bad) -> None:
    before = counts(client)
    headers = {**bad.headers, **({"Content-Type": bad.content_type} if bad.content_type else {})}
    if not bad.content_type:
        headers.pop("Content-Type", None)
    answer = client.request(bad.verb, bad.path, content=bad.content or None, headers=headers)
    assert answer.status_code == bad.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == bad.status
    assert problem["code"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    if bad.blamed is not None:
        assert str(problem["field"]).split(".")[: len(bad.blamed.split("."))] == bad.blamed.split("."), (
            problem
        )
    if bad.status == 405:
        assert answer.headers["allow"]
    assert counts(client) == before


def test_a_body_without_end_is_refused_while_it_arrives(installation: Installation) -> None:
    """Chunked, without a length: the answer comes after the cap, not after ten megabytes."""
    address = installation.base_url.removeprefix("http://").split(":")
    sent = 0
    with socket.create_connection((address[0], int(address[1])), timeout=20) as connection:
        head = (
            f"POST /api/v1/jobs HTTP/1.1\r\nHost: {':'.join(address)}\r\n"
            f"Authorization: Bearer {installation.token}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode())
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            for _ in range(1600):
                connection.sendall(chunk)
                sent += 65536
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert sent < 20 << 20


def test_a_job_from_submission_to_export(client: httpx2.Client, installation: Installation) -> None:
    submitted = client.post("/api/v1/jobs", json=ATTACK)
    assert submitted.status_code == 202
    job = installation.finish(submitted.json()["id"])
    assert submitted.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert job["state"] == "succeeded", job["error"]
    assert job["parts"]["succeeded"] == job["parts"]["total"]
    here = f"/api/v1/jobs/{job['id']}"

    rows = client.get(f"{here}/examples", params={"sort": "-distortion"}).json()
    assert rows["total"] == rows["matching"] == len(rows["rows"]) == 4
    rms = [row["rms"] for row in rows["rows"]]
    assert rms == sorted(rms, reverse=True)

    table = json.loads(client.get(f"{here}/export/json").content)
    assert table
    csv = client.get(f"{here}/export/csv")
    assert csv.headers["content-disposition"].startswith("attachment")
    assert len(csv.text.strip().splitlines()) == 5
    with np.load(io.BytesIO(client.get(f"{here}/export/npz").content), allow_pickle=False) as arrays:
        assert arrays["index"].tolist() == [0, 1, 2, 3]

    picture = Image.open(io.BytesIO(client.get(f"{here}/examples/0/triptych.png").content))
    assert picture.size == (3 * 8 + 2, 8)
    panel = client.get(f"{here}/panel.png")
    assert panel.status_code == 404, "noise changed no answer, so there is nothing to show"
    assert "changed as wanted" in panel.json()["detail"]
    for refused in ({"count": 21}, {"count": 0}, {"magnification": 0}, {"magnification": "nan"}):
        assert client.get(f"{here}/panel.png", params=refused).status_code == 422
    example = client.get(f"{here}/examples/0").json()
    assert len(example["facts"]["probabilities_before"]) == 10
    assert example["figure"]["data"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_figure_of_a_job_is_drawn_and_explained(
    client: httpx2.Client, installation: Installation, theme: str
) -> None:
    job = installation.run(ATTACK)
    assert job["figures"]
    for name in job["figures"]:
        answer = client.get(f"/api/v1/jobs/{job['id']}/figures/{name}", params={"theme": theme})
        assert answer.status_code == 200, answer.text
        document = answer.json()
        # A figure without data says why: the control by noise has no trace of c.
        assert document["figure"]["data"] or document["figure"]["layout"]["annotations"]
        assert document["title"]
        assert document["reading"]
        assert document["source"]
        assert "NaN" not in answer.text
        assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ["/api/v1/catalog", "/api/v1/models", "/api/v1/datasets", "job", "figure"])
def test_what_has_not_changed_is_not_sent_again(
    client: httpx2.Client, installation: Installation, path: str
) -> None:
    if path in ("job", "figure"):
        job = installation.run(ATTACK)
        path = f"/api/v1/jobs/{job['id']}" + (f"/figures/{job['figures'][0]}" if path == "figure" else "")
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_large_answers_are_compressed(client: httpx2.Client) -> None:
    answer = client.get("/api/v1/catalog", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


def test_the_same_key_submits_once(client: httpx2.Client) -> None:
    def submit(_: int) -> httpx2.Response:
        return client.post("/api/v1/jobs", json=images(count=3), headers={"Idempotency-Key": "once"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(submit, range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = client.post("/api/v1/jobs", json=images(count=2), headers={"Idempotency-Key": "once"})
    assert other.status_code == 422


def test_an_estimate_submits_nothing(client: httpx2.Client) -> None:
    before = counts(client)
    estimate = client.post("/api/v1/jobs/estimate", json=images(count=100)).json()
    assert estimate["images"] == 100
    assert estimate["parts"] >= 1
    assert counts(client) == before


def test_a_job_is_renamed_repeated_with_changes_and_deleted(
    client: httpx2.Client, installation: Installation
) -> None:
    job = installation.run(ATTACK)
    here = f"/api/v1/jobs/{job['id']}"
    assert client.patch(here, json={"title": "Mine"}).json()["title"] == "Mine"
    again = client.post(f"{here}/rerun", json={"changes": {"images": {"count": 2}}})
    assert again.status_code == 202
    assert installation.finish(again.json()["id"])["summary"]["images"] == 2
    wrong = client.post(f"{here}/rerun", json={"changes": {"images": {"count": 0}}})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "changes.images.count")
    assert client.delete(here).status_code == 204
    assert client.get(here).status_code == 404


def test_an_ended_job_cannot_be_cancelled(client: httpx2.Client, installation: Installation) -> None:
    job = installation.run(ATTACK)
    answer = client.post(f"/api/v1/jobs/{job['id']}/cancel")
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"


def test_the_history_is_paged_without_gaps(client: httpx2.Client, installation: Installation) -> None:
    installation.run(ATTACK)
    installation.run(images(count=1))
    everything = [job["id"] for job in client.get("/api/v1/jobs", params={"limit": 200}).json()["items"]]
    paged: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/api/v1/jobs", params={"limit": 2, **cursor}).json()
        paged += [job["id"] for job in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == everything
    attacks = client.get("/api/v1/jobs", params={"kind": "attack", "state": "succeeded"}).json()["items"]
    assert {job["kind"] for job in attacks} == {"attack"}


def test_images_of_a_data_set(client: httpx2.Client) -> None:
    page = client.get("/api/v1/datasets/digits/test/images", params={"class": 3, "limit": 5}).json()
    assert page["total"] > 5
    assert {item["label"] for item in page["items"]} == {3}
    index = page["items"][0]["index"]
    answer = client.get(f"/api/v1/datasets/digits/test/images/{index}.png")
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (8, 8)


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "1"), ("JPEG", "L"),
     ("JPEG", "RGB"), ("JPEG", "CMYK"), ("WEBP", "RGB")],
)  # fmt: skip
def test_an_upload_comes_back_as_a_plain_png(client: httpx2.Client, form: str, mode: str) -> None:
    picture = encoded(GREY.convert(mode), form)
    answer = client.post("/api/v1/images", content=picture, headers={"Content-Type": f"image/{form.lower()}"})
    assert answer.status_code == 201, answer.text
    stored = client.get(f"/api/v1/images/{answer.json()['id']}.png")
    image = Image.open(io.BytesIO(stored.content))
    assert image.format == "PNG"
    assert image.mode in ("L", "RGB")
    assert image.size == (answer.json()["width"], answer.json()["height"]) == GREY.size


def test_an_uploaded_picture_is_attacked(client: httpx2.Client, installation: Installation) -> None:
    stored = client.post(
        "/api/v1/images",
        params={"model": "digits-softmax"},
        content=PNG,
        headers={"Content-Type": "image/png"},
    ).json()
    spec = {**ATTACK, "images": {"source": "upload", "image": stored["id"], "label": None}}
    assert installation.run(spec)["summary"]["images"] == 1


def test_what_hides_in_a_picture_is_gone_when_it_comes_back(client: httpx2.Client) -> None:
    """A picture that is also a page: what follows the pixels or stands in comments is not kept."""
    script = b"<script>alert(1)</script>"
    jpeg = encoded(GREY, "JPEG", comment=script) + script
    answer = client.post("/api/v1/images", content=jpeg, headers={"Content-Type": "image/jpeg"})
    stored = client.get(f"/api/v1/images/{answer.json()['id']}.png")
    assert b"script" not in stored.content
    assert stored.headers["x-content-type-options"] == "nosniff"
