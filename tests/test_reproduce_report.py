"""The report of a reproduction: one file that holds everything, needs nothing, and shows what it judges."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from made_up_steps import MadeUpSteps, reproduced


@pytest.fixture(scope="module")
def made_up() -> MadeUpSteps:
    """All tables from numbers that were measured on MNIST."""
    return reproduced()


class Elements(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_report_needs_nothing_from_outside(made_up: MadeUpSteps) -> None:
    text = made_up.spec.report(made_up)
    elements = Elements(text).found
    names = {name for name, _ in elements}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for name, attributes in elements:
        for key in ("src", "href", "action", "srcset"):
            value = attributes.get(key) or "#"
            assert value.startswith(("#", "data:image/png;base64,")), (name, value)
        assert not any(key.startswith("on") for key in attributes)
    assert not re.search(r"url\(|@import|http://|https://", text)
    assert sum(name == "img" for name, _ in elements) == 3


def test_the_report_shows_every_number_with_its_verdict_in_more_than_colour(made_up: MadeUpSteps) -> None:
    text = made_up.spec.report(made_up)
    judged = sum(found["figures"]["judged"] for found in made_up.result.summary["tables"])
    assert (
        text.count('class="consistent"><span class="sign"') + text.count('class="differs"><span class="sign"')
        == judged
    )
    for words in (
        "softmax3",
        "unexplained".capitalize(),
        "Wilson",
        "SHA-256",
        "--preset paper --seed 0",
        "1/256",
    ):
        assert words in text


def test_nothing_that_was_stored_becomes_markup() -> None:
    def spoil(found: dict[str, dict[str, Any]]) -> None:
        found["train softmax1"]["iterations"] = '<script>alert("1")</script>'

    outcome = reproduced(spoil, title="<b>bold</b>")
    text = outcome.spec.report(outcome)
    assert "<script" not in text
    assert "<b>bold" not in text
    assert "&lt;script&gt;" in text
