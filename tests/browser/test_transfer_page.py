"""Transfer: choose networks, start, read the matrix, open a cell by keyboard and see its images."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from installation import Installation

CELL = ".matrix [data-cell]"
TILE = ".transfer-cell .tile"
DEMO = ("digits-softmax", "digits-100-100-10", "digits-conv")  # others may have come by other tests


@pytest.fixture(scope="module")
def transfer(installation: Installation) -> dict[str, Any]:
    """The three demo networks on forty digits of each other. Leave it as you found it."""
    models = installation.client.get("/api/v1/models").raise_for_status().json()["items"]
    demo = sorted(model["id"] for model in models if model["name"] in DEMO)
    return installation.run(
        {
            "kind": "transfer",
            "title": "Three on forty",
            "sources": demo,
            "evaluated": demo,
            "images": {"source": "dataset", "dataset": "digits", "split": "test", "count": 40},
            "method": {"name": "minimum_distortion", "mode": "tight", "target": "nearest"},
        }
    )


def row_of(transfer: dict[str, Any], kind: str) -> int:
    """The first row of that kind."""
    return next(n for n, row in enumerate(transfer["summary"]["rows"]) if row["kind"] == kind)


def measure(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="What the cells show").get_by_role("button", name=name)


def test_from_the_form_to_the_matrix(page: Page, installation: Installation) -> None:
    page.goto("/transfer")
    page.get_by_role("link", name="New transfer").first.click()
    sources, evaluated = (page.locator(f"[data-field={field}]") for field in ("sources", "evaluated"))
    expect(sources.locator(".chip")).not_to_have_count(0)
    sources.get_by_role("button", name="None").click()
    sources.get_by_label(re.compile(r"^digits-softmax\b")).check()
    sources.get_by_label(re.compile(r"^digits-100-100-10\b")).check()
    expect(evaluated.locator(".chip.locked")).to_have_text(["digits-softmax", "digits-100-100-10"])
    page.get_by_label("Count").fill("20")
    expect(page.locator(".cost")).to_contain_text("2 steps")
    page.get_by_role("button", name="Start the transfer").click()
    page.wait_for_url(re.compile("/jobs/"))
    expect(page.locator(CELL).first).to_be_visible(timeout=60_000)
    job = page.url.rpartition("/")[2]
    page.goto("about:blank")  # it would ask for what is no longer there
    installation.client.delete(f"/api/v1/jobs/{job}").raise_for_status()


def test_a_cell_shows_the_number_and_says_it_in_words(page: Page, transfer: dict[str, Any]) -> None:
    page.goto(f"/jobs/{transfer['id']}")
    number = row_of(transfer, "attack")
    row = transfer["summary"]["rows"][number]
    expect(page.locator(CELL)).to_have_count(3 * len(transfer["summary"]["rows"]))
    for column, cell in enumerate(row["cells"]):
        shown = page.locator(f"[data-cell='{number},{column}'] b").inner_text()
        assert float(shown) == pytest.approx(100 * cell["error"], abs=0.05)
    other = next(place for place in range(3) if transfer["summary"]["models"][place]["name"] != row["label"])
    page.locator(f"[data-cell='{number},{other}']").hover()
    said = page.locator(".readout")
    expect(said).to_contain_text(
        f"{row['cells'][other]['wrong']} of 40 images made for {row['label']} also fool"
    )


def test_the_measure_stays_in_the_address(page: Page, transfer: dict[str, Any]) -> None:
    page.goto(f"/jobs/{transfer['id']}")
    for name, address in (
        ("Excess error", "excess"),
        ("Where both were right", "both_right"),
        ("Cosine", "cosine"),
    ):
        measure(page, name).click()
        page.wait_for_url(re.compile(f"measure={address}"))
    page.reload()
    expect(measure(page, "Cosine")).to_have_attribute("aria-pressed", "true")
    attacks = sum(row["kind"] == "attack" for row in transfer["summary"]["rows"])
    expect(page.locator(CELL)).to_have_count(3 * attacks)


def test_columns_are_grouped_by_architecture(page: Page, transfer: dict[str, Any]) -> None:
    page.goto(f"/jobs/{transfer['id']}")
    page.get_by_label("Columns").select_option("architecture")
    heads = page.locator(".matrix .groups th")
    expect(heads).to_have_text(["Convolutional", "Fully connected", "Linear"])
    page.get_by_label("Rows").select_option("distortion")
    page.wait_for_url(re.compile("columns=architecture.*rows=distortion"))
    distances = page.locator("tbody:has(.group)").first.locator("td.distance b").all_inner_texts()
    assert distances == sorted(distances, key=float)


def test_a_cell_opens_by_keyboard_and_shows_its_triptychs(page: Page, transfer: dict[str, Any]) -> None:
    page.goto(f"/jobs/{transfer['id']}")
    expect(page.locator(CELL).first).to_be_visible()
    page.locator(CELL).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"column=1.*row=1|row=1.*column=1"))
    expect(page.locator(TILE).first).to_be_visible()
    cell = transfer["summary"]["rows"][1]["cells"][1]
    page.get_by_label("Outcome").select_option("true")
    expect(page.locator(".transfer-cell .amount")).to_contain_text(f"{cell['wrong']} of 40")
    page.get_by_label("Outcome").select_option("")
    page.wait_for_function("() => document.querySelector('.transfer-cell .tile img').naturalWidth > 0")
    page.locator(TILE).first.press("Enter")
    expect(page.locator(".opened [data-figure=triptych] .js-plotly-plot .main-svg").first).to_be_visible()
    expect(page.locator(".opened [data-figure=probabilities]").first).to_be_visible()
    page.get_by_role("link", name=re.compile("^The attack on")).click()
    expect(page.get_by_text("part of Three on forty")).to_be_visible()


def test_escape_returns_to_the_cell(page: Page, transfer: dict[str, Any]) -> None:
    page.goto(f"/jobs/{transfer['id']}?row=1&column=2")
    expect(page.locator(TILE).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".transfer-cell")).to_have_count(0)
    expect(page.locator("[data-cell='1,2']")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_number_can_be_read_on_its_colour(page: Page, transfer: dict[str, Any], scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"/jobs/{transfer['id']}?intervals=1")
    expect(page.locator(CELL).first).to_be_visible()
    contrasts = page.locator(".matrix td:has([data-cell])").evaluate_all(
        """cells => cells.map((cell) => {
          const light = (colour) => {
            const part = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            const [r, g, b] = colour.match(/\\d+/g).map((text) => part(text / 255));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
          };
          const number = cell.querySelector("b");
          const pair = [light(getComputedStyle(cell).backgroundColor), light(getComputedStyle(number).color)];
          return Math.max(...pair) / Math.min(...pair);
        })"""
    )
    assert min(contrasts) >= 4.5


def test_the_matrix_is_saved_as_it_is_shown(page: Page, transfer: dict[str, Any]) -> None:
    page.goto(f"/jobs/{transfer['id']}?measure=excess")
    matrix = page.locator("[data-figure=matrix]")
    for form, first in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as download:
            matrix.get_by_role("button", name=form).click()
        assert download.value.path().read_bytes().startswith(first)
        assert download.value.suggested_filename == f"excess_matrix.{form.lower()}"


def test_explore_shows_the_same_change_to_the_other_networks(
    page: Page, attack: dict[str, Any], installation: Installation
) -> None:
    page.goto(f"/explore?job={attack['id']}&row=0")
    page.get_by_role("button", name="Try it on the other models").click()
    others = page.get_by_role("region", name="The other networks")
    expect(others.get_by_role("link", name="All numbers")).to_be_visible(timeout=30_000)
    answers = others.locator("tbody tr")
    expect(answers.first.locator("td")).to_have_count(3)
    expect(others).not_to_contain_text("found another change")
    page.reload()
    expect(others.get_by_role("link", name="All numbers")).to_be_visible()
    transfer = re.search(r"others=([0-9a-f-]+)", page.url)
    assert transfer
    page.goto("about:blank")  # it would ask for what is no longer there
    installation.client.delete(f"/api/v1/jobs/{transfer[1]}").raise_for_status()
