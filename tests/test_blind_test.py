"""A blind test stays blind, keeps every answer once, and says what the answers mean."""

import io
import json
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from scipy import stats

from blindspots.experiments.blind_test import Answered, analysed
from installation import Installation
from test_weight_uploads import submitted

ARMS = ("natural", "random")
IMAGES = {"source": "dataset", "dataset": "digits", "split": "test", "count": 200}
UNITS = {"kind": "units", "model": "digits-100-100-10", "images": IMAGES, "k": 4, "units": 20}


@pytest.fixture
def job(each_installation: Installation) -> dict[str, Any]:
    """A finished units job; a second asking finds its parts finished."""
    return submitted(each_installation.client, UNITS)


def begun(client: httpx2.Client, job: dict[str, Any], **changes: Any) -> httpx2.Response:
    return client.post(f"/api/v1/jobs/{job['id']}/blind-tests", json={"count": 3, **changes})


def answer(client: httpx2.Client, test: dict[str, Any], position: int, **changes: Any) -> httpx2.Response:
    given = {"shares": "yes", "concept": "a loop", "guess": "natural", "seconds": 1.5, **changes}
    return client.post(f"/api/v1/blind-tests/{test['id']}/rows/{position}", json=given)


def test_a_test_from_begin_to_end(each_installation: Installation, job: dict[str, Any]) -> None:
    client = each_installation.client
    test = begun(client, job, viewer="Ada").json()
    assert (test["total"], test["answered"], test["finished"]) == (6, 0, False)
    for position in range(6):
        now = client.get(f"/api/v1/blind-tests/{test['id']}").json()
        assert now["next"] == {"position": position, "images": 4}
        assert now["rows"] == []
        picture = client.get(f"/api/v1/blind-tests/{test['id']}/rows/{position}/0.png")
        assert picture.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(picture.content)).size == (8, 8)
        said = answer(client, test, position)
        assert said.status_code == 200, said.text
    done = said.json()
    assert done["finished"]
    assert sorted(row["arm"] for row in done["rows"]) == ["natural"] * 3 + ["random"] * 3
    found = client.get(f"/api/v1/jobs/{job['id']}/blind-tests").json()
    mine = next(each for each in found["tests"] if each["id"] == test["id"])
    assert (mine["viewer"], mine["answered"], mine["mine"]) == ("Ada", 6, True)
    (pair,) = found["results"]
    assert pair["answers"] >= 6
    assert pair["right"] * 2 == pair["answers"], "who always says natural is right on half of the rows"
    assert all(row["concepts"] == ["a loop"] for row in pair["rows"])


def test_nothing_tells_the_arm_before_the_answer(
    each_installation: Installation, job: dict[str, Any]
) -> None:
    """Neither the body nor a header, for the same rows in another order."""
    client = each_installation.client
    test = begun(client, job).json()
    standing = client.get(f"/api/v1/blind-tests/{test['id']}")
    shown = {**standing.json(), "arms": None}
    assert "natural" not in json.dumps(shown)
    assert "random" not in json.dumps(shown)
    picture = client.get(f"/api/v1/blind-tests/{test['id']}/rows/0/0.png")
    told = " ".join(f"{name}: {value}" for name, value in picture.headers.items())
    assert "natural" not in told
    assert "random" not in told
    later = client.get(f"/api/v1/blind-tests/{test['id']}/rows/1/0.png")
    assert later.status_code == 404, "rows are shown one after the other"


def test_everybody_sees_the_same_rows_in_an_order_of_their_own(
    each_installation: Installation, job: dict[str, Any]
) -> None:
    client = each_installation.client
    orders = []
    for _ in range(4):
        test = begun(client, job, count=8).json()
        for position in range(16):
            last = answer(client, test, position)
        orders.append([row["job_row"] for row in last.json()["rows"]])
    assert len({tuple(sorted(order)) for order in orders}) == 1
    assert len({tuple(order) for order in orders}) > 1


def test_bad_requests_change_nothing(each_installation: Installation, job: dict[str, Any]) -> None:
    client = each_installation.client
    test = begun(client, job).json()
    before = client.get(f"/api/v1/blind-tests/{test['id']}").json()
    refused = [
        (answer(client, test, 1), 409, None),
        (answer(client, test, 5_000_000), 422, "position"),
        (answer(client, test, 99), 404, None),
        (answer(client, test, 0, guess="pca"), 422, "guess"),
        (answer(client, test, 0, shares="perhaps"), 422, "shares"),
        (answer(client, test, 0, seconds=-1), 422, "seconds"),
        (answer(client, test, 0, concept="x" * 201), 422, "concept"),
        (answer(client, test, 0, arm="natural"), 422, "arm"),
        (begun(client, job, count=0), 422, "count"),
        (begun(client, job, count=99), 422, "count"),
        (begun(client, job, arms=["natural", "natural"]), 422, "arms"),
        (begun(client, job, arms=["natural", "ica"]), 422, "arms[1]"),
        (begun(client, {"id": "00000000-0000-7000-8000-000000000000"}), 404, None),
    ]
    for found, status, field in refused:
        assert found.status_code == status, found.text
        assert field is None or found.json()["field"].startswith(field.split("[")[0])
    assert client.get(f"/api/v1/blind-tests/{test['id']}").json() == before
    assert answer(client, test, 0).status_code == 200
    assert answer(client, test, 0).status_code == 409, "a row is answered once"


def test_another_kind_has_no_rows_to_look_at(client: httpx2.Client) -> None:
    training = client.get("/api/v1/jobs", params={"kind": "train"}).json()["items"][0]
    assert begun(client, training).status_code == 422


def test_rows_are_pinned_with_a_caption(each_installation: Installation, job: dict[str, Any]) -> None:
    client, path = each_installation.client, f"/api/v1/jobs/{job['id']}/pins"
    assert client.put(f"{path}/7", json={"caption": "round strokes"}).status_code == 200
    (pin,) = client.put(f"{path}/7", json={"caption": "lower loops"}).json()["items"]
    assert (pin["row"], pin["caption"]) == (7, "lower loops")
    assert pin["facts"]["index"] == 7
    assert len(pin["facts"]["image_index"]) == 4
    assert client.get(path).json()["items"] == [pin]
    for row, body, status in (
        (10**6, {"caption": "x"}, 404), (3, {"caption": "x" * 201}, 422), (3, {"caption": 5}, 422),
        (3, {"colour": "red"}, 422),
    ):  # fmt: skip
        assert client.put(f"{path}/{row}", json=body).status_code == status
    assert client.delete(f"{path}/3").status_code == 404
    assert client.delete(f"{path}/7").status_code == 204
    assert client.get(path).json()["items"] == []


# What the answers say


def answers(right: dict[str, int], wrong: dict[str, int], viewer: str = "a") -> list[Answered]:
    """So many right and wrong guesses about each arm; only what is natural is said to share something."""
    other = {"natural": "random", "random": "natural"}
    given = []
    for arm in ARMS:
        for place in range(right[arm] + wrong[arm]):
            guess = arm if place < right[arm] else other[arm]
            shares = "yes" if arm == "natural" else "no"
            given.append(Answered(viewer, len(given), arm, shares, "", guess))  # type: ignore[arg-type]
    return given


def test_the_numbers_are_those_of_scipy() -> None:
    given = answers({"natural": 9, "random": 8}, {"natural": 1, "random": 2})
    found = analysed(given, ARMS, seed=0)
    reference = stats.binomtest(17, 20)
    interval = reference.proportion_ci(method="wilson")
    assert found["p_value"] == pytest.approx(reference.pvalue)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert found["difference"] == 1
    assert found["difference_low"] > 0.5
    assert "told apart better than by chance" in found["conclusion"]
    assert "More rows of single units" in found["conclusion"]


def test_chance_is_called_chance() -> None:
    found = analysed(answers({"natural": 5, "random": 5}, {"natural": 5, "random": 5}), ARMS, seed=0)
    assert found["accuracy"] == 0.5
    assert "not told apart" in found["conclusion"]


def test_viewers_who_agree_and_viewers_who_do_not() -> None:
    one = answers({"natural": 4, "random": 4}, {"natural": 0, "random": 0}, "a")
    same = [Answered("b", *list(vars(each).values())[1:]) for each in one]
    assert analysed([*one, *same], ARMS, seed=0)["agreement"]["guess"]["alpha"] == 1
    opposite = answers({"natural": 0, "random": 0}, {"natural": 4, "random": 4}, "b")
    assert analysed([*one, *opposite], ARMS, seed=0)["agreement"]["guess"]["alpha"] < 0
    assert analysed(one, ARMS, seed=0)["agreement"]["guess"]["alpha"] is None


def test_no_answer_says_nothing() -> None:
    found = analysed([], ARMS, seed=0)
    assert found["conclusion"] == "Nobody has answered yet."
    assert json.dumps(found, allow_nan=False)
    assert np.isfinite(found["p_value"])
