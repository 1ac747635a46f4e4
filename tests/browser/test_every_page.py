"""What holds on every page: something to see, no complaint, no sideways scrolling, a way on."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

PAGES = (
    "/",
    "/explore",
    "/attacks",
    "/attacks/new",
    "/transfer",
    "/transfer/new",
    "/spectral",
    "/spectral/new",
    "/units",
    "/units/new",
    "/train",
    "/train/adversarial",
    "/reproduce",
    "/history",
    "/models",
    "/data",
    "/system",
    "/jobs/{job}?open=2",
)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_fits_a_telephone(page: Page, attack: dict[str, Any], address: str) -> None:
    page.set_viewport_size({"width": 380, "height": 800})
    page.goto(address.format(job=attack["id"]))
    expect(page.locator("h1").first).to_be_visible()
    page.wait_for_load_state("networkidle") if address == "/data" else page.wait_for_timeout(600)
    wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= room


@pytest.mark.usefixtures("attack")
def test_home_shows_what_this_machine_found(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".gallery .tile img").first).to_be_visible()
    page.locator(".gallery .tile").first.click()
    expect(page.locator("[data-figure=triptych] .js-plotly-plot")).to_be_visible()


def test_a_job_is_found_renamed_repeated_and_deleted_from_the_history(
    page: Page, attack: dict[str, Any], problems: list[str]
) -> None:
    page.goto("/history")
    expect(page.locator("h1")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.keyboard.type(attack["title"].lower())
    page.wait_for_url("**search=*")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Run again").click()
    page.wait_for_url("**/jobs/*")
    expect(page.get_by_text("Distortion, median")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Title").fill("A second look")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("A second look")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Delete this job and its results?")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/history")
    expect(page.get_by_text("A second look")).to_have_count(0)
    page.goto("about:blank")
    page.wait_for_timeout(500)
    # Pictures of the gallery that were under way when their job was deleted.
    problems[:] = [each for each in problems if "triptych.png" not in each]


def test_a_preset_fills_the_training_form(page: Page) -> None:
    page.goto("/train")
    page.get_by_role("button", name="N200-200-10 of the paper").click()
    expect(page.get_by_label("Widths")).to_have_value("200, 200")
    expect(page.locator(".cost")).to_contain_text("part")


def test_bundled_digits_are_shown_on_data(page: Page) -> None:
    page.goto("/data")
    expect(page.locator("article", has_text="igits").locator("img").first).to_be_visible()


def test_the_system_page_shows_the_workers(page: Page) -> None:
    page.goto("/system")
    expect(page.get_by_role("cell", name="batch").first).to_be_visible()
    expect(page.get_by_role("cell", name="interactive").first).to_be_visible()


def test_help_opens_with_its_key(page: Page) -> None:
    page.goto("/models")
    expect(page.locator("h1")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("complementary", name="Help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Help")).to_have_count(0)


def test_an_unknown_address_leads_on(page: Page) -> None:
    page.goto("/nowhere")
    expect(page.get_by_text("There is no such page")).to_be_visible()
    page.get_by_role("link", name="Go home").click()
    page.wait_for_url("**/")


def test_whoever_is_signed_out_is_told_how_to_get_in(
    page: Page, context: BrowserContext, problems: list[str]
) -> None:
    page.goto("/models")
    expect(page.locator("h1")).to_be_visible()
    context.clear_cookies()
    page.get_by_role("link", name="System").click()
    expect(page.get_by_label("Token")).to_be_visible()
    problems.clear()  # the browser reports the 401 itself


def test_the_rest_reference_works_offline(page: Page) -> None:
    page.goto("/api/docs")
    expect(page.locator(".swagger-ui .opblock").first).to_be_visible(timeout=15_000)
