"""Reproduce: choose, start, read the table beside the paper's, take the report away; steps that fail."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from installation import Installation

SMALL = {"kind": "train", "dataset": "digits", "network": {"name": "softmax"}}


@pytest.fixture(scope="module")
def reproduction(installation: Installation) -> dict[str, Any]:
    """Table 3 on the bundled digits. Leave it as you found it."""
    return installation.run({"kind": "reproduce", "experiment": "table3", "preset": "quick"})


@pytest.fixture
def plan(installation: Installation) -> Any:
    """A plan whose second step takes long enough to be stopped."""
    long = {
        **SMALL,
        "network": {"name": "mlp", "widths": [400, 400]},
        "optimiser": {"name": "adam", "epochs": 5000},
    }
    steps = [
        {"name": "train first", "spec": {**SMALL, "title": "The first"}},
        {"name": "train second", "spec": long, "needs": ["train first"]},
        {"name": "train third", "spec": SMALL, "needs": ["train second"]},
    ]
    job = installation.submit({"kind": "plan", "title": "Three in a row", "jobs": steps})
    yield job
    installation.client.post(f"/api/v1/jobs/{job['id']}/cancel")
    installation.finish(job["id"])
    installation.client.delete(f"/api/v1/jobs/{job['id']}").raise_for_status()


def test_the_page_says_what_each_choice_takes(page: Page) -> None:
    page.goto("/reproduce")
    expect(page.get_by_role("radio", name=re.compile("^Table 2"))).to_be_checked()
    expect(page.locator(".thumbnail svg").first).to_be_visible()
    page.locator(".pick", has_text="Table 3").click()
    page.wait_for_url("**experiment=table3")
    expect(page.locator(".cost")).to_contain_text("steps")


def test_one_button_leads_to_the_table_beside_the_papers(page: Page, installation: Installation) -> None:
    page.goto("/reproduce?experiment=table3&preset=quick")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile("/jobs/"))
    expect(page.locator(".plan li").first).to_contain_text("train M1")
    expect(page.locator("[data-table=table3] .entry")).to_have_count(12, timeout=60_000)
    job = page.url.rpartition("/")[2]
    page.goto("about:blank")
    installation.client.delete(f"/api/v1/jobs/{job}").raise_for_status()


def test_a_cell_tells_its_intervals_and_leads_to_its_images(page: Page, reproduction: dict[str, Any]) -> None:
    page.goto(f"/jobs/{reproduction['id']}")
    page.locator("[data-table=table3] .entry").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    facts = page.locator("[data-table=table3] .cell-facts")
    expect(facts).to_contain_text("M1' · error on P2")
    expect(facts.locator("[data-line=measured]")).to_contain_text(" to ")
    expect(facts.locator("[data-line=paper]")).to_contain_text("2.5")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/.*row=\d+&column=1"))
    expect(page.get_by_text("part of")).to_be_visible()


def test_numbers_on_other_images_are_not_judged(page: Page, reproduction: dict[str, Any]) -> None:
    page.goto(f"/jobs/{reproduction['id']}")
    cells = page.locator("[data-table=table3] td")
    expect(cells).to_have_count(12)
    assert {cell.get_attribute("data-verdict") for cell in cells.all()} == {"not comparable"}
    expect(page.get_by_text("nothing is judged")).to_be_visible()
    expect(page.get_by_text("5 notes on what the paper prints")).to_be_visible()


def test_the_report_opens_without_a_network(
    page: Page, browser: Browser, reproduction: dict[str, Any], tmp_path: Path
) -> None:
    page.goto(f"/jobs/{reproduction['id']}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download report").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    alone = browser.new_context(offline=True)
    paper = alone.new_page()
    said: list[str] = []
    paper.on("console", lambda message: said.append(message.text))
    paper.on("pageerror", lambda error: said.append(str(error)))
    paper.on("request", lambda request: said.append(request.url))
    paper.goto(report.as_uri())
    expect(paper.get_by_role("heading", level=1)).to_be_visible()
    expect(paper.locator("table").first).to_be_visible()
    alone.close()
    assert [each for each in said if not each.startswith(("file:", "data:"))] == []


def test_past_reproductions_are_listed(page: Page, reproduction: dict[str, Any]) -> None:
    page.goto("/reproduce")
    row = page.locator("tbody tr", has_text="Table 3, quick").first
    expect(row).to_contain_text("not judged")
    row.get_by_role("link").first.click()
    page.wait_for_url(f"**/jobs/{reproduction['id']}")


def test_a_stopped_step_says_why_and_the_rest_can_be_run(
    page: Page, installation: Installation, plan: dict[str, Any]
) -> None:
    page.goto(f"/jobs/{plan['id']}")
    steps = page.locator(".plan li")
    expect(steps).to_have_count(3)
    expect(steps.nth(2)).to_contain_text("after train second")
    expect(steps.nth(1)).to_contain_text("Running", timeout=30_000)
    steps.nth(1).get_by_role("link").click()
    expect(page.get_by_text("part of Three in a row")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This job was cancelled")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Three in a row").click()
    expect(page.get_by_role("alert")).to_contain_text("train second")
    expect(steps.nth(0)).to_contain_text("Done")
    expect(steps.nth(2)).to_contain_text("Not started")
    page.get_by_role("button", name="Run again from here").click()
    page.wait_for_url(lambda address: plan["id"] not in address)
    expect(steps.nth(0)).to_contain_text("Done", timeout=10_000)
    again = page.url.rpartition("/")[2]
    page.goto("about:blank")  # or it would ask for the job that is deleted now
    installation.client.post(f"/api/v1/jobs/{again}/cancel").raise_for_status()
    installation.finish(again)
    installation.client.delete(f"/api/v1/jobs/{again}").raise_for_status()


def test_steps_stay_out_of_the_history(page: Page, reproduction: dict[str, Any]) -> None:
    page.goto("/history")
    expect(page.locator(f"a[href='/jobs/{reproduction['id']}']")).to_be_visible()
    expect(page.get_by_text("Table 3, errors on P1")).to_have_count(0)
