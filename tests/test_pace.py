"""Nobody takes the whole server: requests of one person are counted, and those of others are not held up."""

import pytest

from blindspots.api.pace import REMEMBERED, Pace
from blindspots.api.problems import TryLater
from team import Team


def test_a_burst_then_a_steady_pace() -> None:
    pace = Pace(60)
    for _ in range(60):
        pace.take("ada", 0.0)
    with pytest.raises(TryLater) as refused:
        pace.take("ada", 0.0)
    assert refused.value.retry_after == 1 + int(1.0)
    pace.take("bo", 0.0)
    pace.take("ada", 1.0)
    with pytest.raises(TryLater):
        pace.take("ada", 1.5)
    for second in range(2, 200):
        pace.take("ada", float(second))


def test_zero_is_no_limit() -> None:
    pace = Pace(0)
    for _ in range(10_000):
        pace.take("ada", 0.0)


def test_names_do_not_fill_the_memory() -> None:
    pace = Pace(60)
    for number in range(3 * REMEMBERED):
        pace.take(f"name {number}", float(number))
    assert len(pace._buckets) <= REMEMBERED + 1


@pytest.mark.parametrize("team", ["sqlite"], indirect=True)
def test_who_asks_too_often_is_told_when_to_come_back(team: Team) -> None:
    url = team.serve(requests_per_minute=30)
    mia, max_ = team.bearer("mia"), team.bearer("max")
    answers = [mia.get(f"{url}/api/v1/catalog") for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200, 429}
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 5 <= len(refused) <= 10
    assert refused[0].json()["code"] == "rate_limited"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert max_.get(f"{url}/api/v1/catalog").status_code == 200
