"""Explore: one image, one network, one attack, and what is seen of it."""

import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

SCALE = "() => document.querySelector('[data-figure=triptych] .js-plotly-plot')._fullLayout.coloraxis2.cmax"
TRIPTYCH = "[data-figure=triptych] .js-plotly-plot"
TARGET = "#target"


@pytest.mark.usefixtures("attack")
def test_it_opens_on_an_attack_that_this_machine_found(page: Page) -> None:
    page.goto("/explore")
    expect(page.locator(TRIPTYCH)).to_be_visible()
    expect(page.get_by_text("The network answered")).to_be_visible()


def test_pressing_attack_shows_the_triptych_of_the_chosen_image(page: Page) -> None:
    page.goto("/explore?index=7&split=test")
    page.locator("#attack").click()
    expect(page.get_by_text("Image 7 of digits, test")).to_be_visible(timeout=15_000)
    expect(page.locator(TRIPTYCH)).to_be_visible()
    expect(page.locator("[data-figure=trace-of-c] .js-plotly-plot")).to_be_visible()
    expect(page.locator("[data-figure=probabilities] .pair")).to_have_count(10)
    for norm in ("L0", "L1", "L2", "L∞", "Distortion"):
        expect(page.get_by_label("Size of the change").get_by_text(norm, exact=True)).to_be_visible()
    assert re.search(r"job=[0-9a-f-]+", page.url)


def test_the_key_a_attacks_but_not_while_typing(page: Page) -> None:
    page.goto("/explore")
    expect(page.locator("#attack")).to_be_enabled()
    page.locator("#index").press("a")
    assert "job=" not in page.url
    page.locator("h1").click()
    page.keyboard.press("a")
    page.wait_for_url(re.compile("job="), timeout=15_000)


def test_a_target_that_is_named_is_reached(page: Page) -> None:
    page.goto("/explore?index=3")
    page.locator(TARGET).select_option("given")
    page.locator("#target-class").select_option("8")
    page.locator("#attack").click()
    expect(page.get_by_text("After the change it answers")).to_contain_text("8", timeout=15_000)
    assert "target_class=8" in page.url


def test_the_slider_magnifies_the_change_and_the_link_keeps_it(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/explore?job={attack['id']}&row=1")
    slider = page.get_by_label("Magnify the change")
    expect(slider).to_be_visible()
    expect(page.locator(TRIPTYCH)).to_be_visible()
    before = page.evaluate(SCALE)
    slider.fill("2")  # two doublings
    page.wait_for_function(f"() => Math.abs(({SCALE})() / {before} - 0.25) < 0.01")
    page.reload()
    expect(page.locator(TRIPTYCH)).to_be_visible()
    page.wait_for_function(f"() => Math.abs(({SCALE})() / {before} - 0.25) < 0.01")


def test_another_theme_is_drawn_in_its_own_colours(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/explore?job={attack['id']}&row=1")
    expect(page.locator(TRIPTYCH)).to_be_visible()
    page.get_by_role("button", name="Switch to the dark theme").click()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(16, 17, 20)"
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(16, 17, 20)"


def test_an_own_picture_is_attacked(page: Page) -> None:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((40, 40)).save(stream, "PNG")
    page.goto("/explore")
    page.get_by_role("button", name="My picture").click()
    page.locator("#picture").set_input_files(
        {"name": "slope.png", "mimeType": "image/png", "buffer": stream.getvalue()}
    )
    expect(page.get_by_alt_text("Your picture")).to_be_visible()
    page.locator("#attack").click()
    expect(page.locator("[aria-label=Result]").get_by_text("Your picture")).to_be_visible(timeout=15_000)
    expect(page.locator(TRIPTYCH)).to_be_visible()


def test_a_file_that_is_no_picture_is_refused_in_words(page: Page, problems: list[str]) -> None:
    page.goto("/explore?picture=new")
    page.locator("#picture").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": b"not a picture"}
    )
    expect(page.locator(".drop [role=alert]")).to_be_visible()
    problems.clear()


def test_a_drawing_offers_no_way_to_send_it_anywhere(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/explore?job={attack['id']}&row=1")
    expect(page.locator(TRIPTYCH)).to_be_visible()
    titles = page.locator("[data-title]").evaluate_all("all => all.map(each => each.dataset.title)")
    assert titles, "the drawing has its tools"
    assert not [
        title for title in titles if re.search("cloud|share|chart studio|plotly", title, re.IGNORECASE)
    ]
