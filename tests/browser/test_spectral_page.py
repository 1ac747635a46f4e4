"""The spectral page: from an attack to what its network's layers allow."""

from typing import Any

from playwright.sync_api import Page, expect


def test_an_attack_leads_to_the_spectra_of_its_network(
    page: Page, attack: dict[str, Any], problems: list[str]
) -> None:
    page.goto(f"/jobs/{attack['id']}")
    page.get_by_role("link", name="How far each layer amplifies").click()
    expect(page.get_by_label("Measured")).to_have_value("attack")
    page.get_by_role("button", name="Compute the spectra").click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator(".verdict")).to_contain_text("No change of an image moves the logits", timeout=60_000)
    layers = page.locator("table.layers tbody tr")
    expect(layers.first.locator("svg rect").first).to_be_visible()
    expect(page.get_by_text("none lies nearer than certified")).to_be_visible()
    for name in ("bounds", "spectrum", "growth", "gain", "radius"):
        expect(page.locator(f"[data-figure={name}] .js-plotly-plot")).to_be_visible()
    page.get_by_text("The paper's table 5").click()
    expect(page.get_by_role("row", name="conv1")).to_contain_text("20")
    page.get_by_role("button", name="Later edition").click()
    expect(page.get_by_role("row", name="conv1")).to_contain_text("2.75")
    page.goto("/spectral")
    expect(page.locator("tbody tr").first).to_contain_text("Bound")
    assert problems == []
