"""The blind test in the browser, by keyboard, left and taken up again."""

import re

from playwright.sync_api import Page, expect

from installation import Installation

UNITS = {
    "kind": "units", "model": "digits-100-100-10", "k": 3, "units": 12,
    "images": {"source": "dataset", "dataset": "digits", "split": "test", "count": 120},
}  # fmt: skip


def test_a_test_by_keyboard(page: Page, installation: Installation, problems: list[str]) -> None:
    job = installation.run(UNITS)
    page.goto(f"/jobs/{job['id']}")
    page.get_by_role("link", name="Take the test").click()
    page.get_by_label("Who looks").fill("Ada")
    page.get_by_label("Rows of each").fill("2")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url(re.compile("test="))
    expect(page.get_by_text("Row 1 of 4, Ada")).to_be_visible()
    expect(page.locator(".blind-row img")).to_have_count(3)
    page.wait_for_function("() => document.querySelector('.blind-row img').naturalWidth === 8")
    expect(page.get_by_role("button", name="Next row")).to_be_disabled()
    page.keyboard.press("y")
    page.keyboard.press("1")
    page.get_by_label("What is it?").fill("a loop")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Row 2 of 4, Ada")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Row 2 of 4, Ada")).to_be_visible()
    for row in (2, 3, 4):
        expect(page.get_by_text(f"Row {row} of 4, Ada")).to_be_visible()
        page.get_by_role("button", name="No", exact=True).click()
        page.get_by_role("button", name="Random directions").click()
        page.get_by_role("button", name="Finish" if row == 4 else "Next row").click()
    expect(page.get_by_text("guesses were right")).to_be_visible()
    expect(page.locator(".blind-rows li")).to_have_count(4)
    page.get_by_role("link", name="What everybody saw").click()
    expect(page.get_by_role("region", name="Blind test")).to_contain_text("Guessed right")
    page.get_by_role("button", name="Pin", exact=True).first.click()
    expect(page.locator(".pinned .unit")).to_have_count(1)
    page.get_by_role("button", name="Name it").click()
    page.get_by_label("What these images share").fill("upper loops")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".pinned em")).to_have_text("upper loops")
    assert problems == []
    installation.client.delete(f"/api/v1/jobs/{job['id']}").raise_for_status()
