"""Attacks: the form, the job's page with its gallery and figures, cancelling."""

import json
import re
from typing import Any

from playwright.sync_api import Page, expect

from installation import Installation

TILE = ".gallery .tile"


def test_the_form_says_the_cost_and_leads_to_the_finished_job(page: Page) -> None:
    page.goto("/attacks/new")
    page.get_by_label("Count").fill("20")
    expect(page.locator(".cost")).to_contain_text("20 images")
    page.get_by_role("button", name="Start the attack").click()
    page.wait_for_url(re.compile("/jobs/"))
    expect(page.get_by_text("Distortion, median")).to_be_visible(timeout=30_000)
    expect(page.locator(TILE).first).to_be_visible()


def test_a_wrong_value_is_marked_at_its_field(page: Page, problems: list[str]) -> None:
    page.goto("/attacks/new")
    page.get_by_label("Count").fill("999999")
    field = page.locator("[data-field='images.count']")
    expect(field.get_by_role("alert")).to_contain_text("500")
    expect(page.get_by_label("Count")).to_have_attribute("aria-invalid", "true")
    problems.clear()  # the browser reports the 422 itself


def test_a_filter_of_the_gallery_survives_a_reload(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/jobs/{attack['id']}")
    expect(page.locator(TILE).first).to_be_visible()
    page.get_by_label("True class", exact=True).select_option("3")
    page.wait_for_url(re.compile("true_class=3"))
    expect(page.locator(TILE).first.locator(".caption")).to_contain_text("3 →")
    shown = page.locator(TILE).count()
    page.reload()
    expect(page.get_by_label("True class", exact=True)).to_have_value("3")
    expect(page.locator(TILE)).to_have_count(shown)
    for caption in page.locator(f"{TILE} .caption").all():
        assert caption.inner_text().startswith("3 →")


def test_the_smallest_change_can_be_put_first(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/jobs/{attack['id']}?sort=distortion")
    expect(page.locator(TILE).first).to_be_visible()
    captions = page.locator(f"{TILE} .caption").all_inner_texts()
    changes = [float(found.group(1)) for text in captions if (found := re.search(r"([\d.]+) RMS", text))]
    assert changes == sorted(changes)


def test_arrows_move_through_the_gallery_and_enter_opens_in_place(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/jobs/{attack['id']}")
    page.locator(TILE).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".opened [data-figure=triptych] .js-plotly-plot")).to_be_visible()
    assert "open=1" in page.url
    page.keyboard.press("Enter")
    expect(page.locator(".opened")).to_have_count(0)


def test_small_images_are_drawn_at_whole_number_scale(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/jobs/{attack['id']}")
    image = page.locator(f"{TILE} img").first
    expect(image).to_be_visible()
    page.wait_for_function("() => document.querySelector('.gallery .tile img').naturalWidth > 0")
    natural, drawn, rendering = image.evaluate(
        "e => [e.naturalWidth, e.getBoundingClientRect().width, getComputedStyle(e).imageRendering]"
    )
    assert rendering == "pixelated"
    assert drawn % natural == 0


def test_every_figure_is_drawn_explained_and_saved(page: Page, attack: dict[str, Any]) -> None:
    page.goto(f"/jobs/{attack['id']}")
    for name in attack["figures"]:
        figure = page.locator(f"[data-figure='{name}']")
        expect(figure.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        figure.get_by_text("How this is computed").click()
        expect(figure.locator("details code")).to_be_visible()
    figure = page.locator(f"[data-figure='{attack['figures'][0]}']")
    for form, first in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b"series,x,y"), ("JSON", b"[")):
        with page.expect_download() as download:
            figure.get_by_role("button", name=form).click()
        content = download.value.path().read_bytes()
        assert content.startswith(first)
        if form == "JSON":
            assert all(isinstance(series["x"], list) for series in json.loads(content) if "x" in series)


def test_a_running_job_is_cancelled(page: Page, installation: Installation) -> None:
    spec = {
        "kind": "train",
        "title": "To be cancelled",
        "dataset": "digits",
        "network": {"name": "mlp", "widths": [400, 400]},
        "optimiser": {"name": "adam", "epochs": 5000},
    }
    job = installation.submit(spec)
    page.goto(f"/jobs/{job['id']}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This job was cancelled")).to_be_visible(timeout=20_000)
    installation.client.delete(f"/api/v1/jobs/{job['id']}").raise_for_status()
