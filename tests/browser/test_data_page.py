"""Image sets in the browser: an archive is sent, the set made, its images looked at, the set deleted."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from photographs import archive, two_classes


def test_from_an_archive_to_its_images(page: Page, tmp_path: Path, problems: list[str]) -> None:
    (tmp_path / "Our pets.zip").write_bytes(archive(two_classes(8, size=(300, 240))))
    page.goto("/data")
    page.get_by_role("link", name="Add an image set", exact=True).click()
    page.get_by_label("Archive").set_input_files(tmp_path / "Our pets.zip")
    expect(page.get_by_text("16 pictures")).to_contain_text("in 2 folders: cat, dog.")
    expect(page.get_by_label("Short name")).to_have_value("Our-pets")
    page.get_by_label("Title").fill("Our pets")
    page.get_by_label("Height").fill("150")
    page.get_by_role("button", name="Make the set").click()
    page.wait_for_url(re.compile("/jobs/"))
    page.get_by_role("link", name="See all images").click(timeout=60_000)
    expect(page.get_by_role("heading", name="Our pets")).to_be_visible()
    images = page.locator(".thumbnails img")
    expect(images).to_have_count(16)
    expect(images.first).to_have_js_property("complete", True)
    expect(images.first).not_to_have_class("pixels")
    page.get_by_label("Class").select_option(label="dog")
    expect(images).to_have_count(8)
    page.goto("/data")
    expect(page.get_by_role("link", name="Our pets")).to_be_visible()
    page.get_by_role("link", name="Our pets").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url(re.compile("/data$"))
    expect(page.get_by_role("heading", name="Digits")).to_be_visible()
    expect(page.get_by_role("link", name="Our pets")).to_have_count(0)
    assert problems == []


def test_a_refusal_stands_at_the_field(page: Page, tmp_path: Path, problems: list[str]) -> None:
    (tmp_path / "bad.zip").write_bytes(archive({**two_classes(1), "set/cat/drawing.svg": b"<svg/>"}))
    page.goto("/data/add")
    page.get_by_label("Archive").set_input_files(tmp_path / "bad.zip")
    field = page.locator("[data-field='source.archive']")
    expect(field.get_by_role("alert")).to_contain_text("“set/cat/drawing.svg” is SVG")
    expect(page.get_by_role("button", name="Make the set")).to_be_disabled()
    loose = {f"{number}.png": each for number, each in enumerate(two_classes().values())}
    (tmp_path / "good.zip").write_bytes(archive(loose))
    page.get_by_label("Archive").set_input_files(tmp_path / "good.zip")
    expect(page.get_by_text("6 pictures")).to_contain_text("in no folder")
    expect(page.get_by_label("Labels")).to_have_value("none")
    page.get_by_label("Short name").fill("digits")
    expect(page.locator("[data-field='name']").get_by_role("alert")).to_contain_text("Choose another name")
    assert all("415" in each or "422" in each for each in problems)
    problems.clear()
