"""Units: choose a network and a layer, start, read the verdict, compare rows of images."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from installation import Installation

ROW = ".unit"


@pytest.fixture(scope="module")
def units(installation: Installation) -> dict[str, Any]:
    """The digits of the test split and the hidden units of a demo network. Leave it as you found it."""
    return installation.run(
        {
            "kind": "units",
            "title": "Hidden units",
            "model": "digits-100-100-10",
            "images": {"source": "dataset", "dataset": "digits", "split": "test", "count": 300},
            "rotation_steps": 1,
        }
    )


def test_from_the_form_to_the_rows(page: Page, installation: Installation) -> None:
    page.goto("/units")
    page.get_by_role("link", name="New units job").first.click()
    page.get_by_label("Model").select_option(label="digits-100-100-10, digits")
    page.get_by_label("Layer").select_option("hidden 1")
    page.get_by_label("Count").fill("100")
    page.get_by_label("Units", exact=True).fill("20")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile("/jobs/"))
    expect(page.locator(".side")).to_have_count(2, timeout=60_000)
    expect(page.locator(".side h3").first).to_contain_text("12 of 20")
    expect(page.locator(".verdict")).not_to_be_empty()
    job = page.url.rpartition("/")[2]
    installation.client.delete(f"/api/v1/jobs/{job}").raise_for_status()


def test_rows_of_two_arms_stand_side_by_side(page: Page, units: dict[str, Any]) -> None:
    page.goto(f"/jobs/{units['id']}")
    expect(page.locator(".verdict")).to_have_text(units["summary"]["conclusion"])
    expect(page.locator(".tests tbody tr")).to_have_count(len(units["summary"]["tests"]))
    for arm in ("natural", "random"):
        expect(page.locator(f"[data-arm={arm}] {ROW}")).to_have_count(12)
    expect(page.locator(f"{ROW} img").first).to_be_visible()
    page.wait_for_function("() => document.querySelector('.unit img').naturalWidth > 0")
    assert page.locator(f"{ROW} img").first.get_attribute("width") == "56"
    page.get_by_label("On the right").select_option("random_images")
    page.wait_for_url(re.compile("right=random_images"))
    expect(page.locator("[data-arm=random_images] .unit")).to_have_count(12)
    page.get_by_role("button", name="Show all rows").click()
    expect(page.locator("[data-arm=natural] .unit")).to_have_count(100)
    page.get_by_label("Most common label").select_option("4")
    page.wait_for_url(re.compile("label=4"))
    expect(page.locator("[data-arm=natural] h3")).to_contain_text("with that label, of 100")
    for said in page.locator("[data-arm=natural] .unit p").all_inner_texts():
        assert "of 8 are 4" in said


def test_the_slider_rotates_the_basis(page: Page, units: dict[str, Any]) -> None:
    page.goto(f"/jobs/{units['id']}?right=natural")
    slider = page.get_by_label("Rotated by")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Rotated by 50")).to_be_visible()
    expect(page.locator(".side[data-arm='rotation 0.500'] .unit")).to_have_count(12)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".side[data-arm=random] .unit")).to_have_count(12)
