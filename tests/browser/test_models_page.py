"""A model from a file, in the browser: the file is sent, the gate is passed, everybody sees what it found."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from hostile_weights import model, node
from installation import Installation
from test_weight_uploads import small_graph


def test_from_an_onnx_file_to_its_page(
    page: Page, installation: Installation, tmp_path: Path, problems: list[str]
) -> None:
    (tmp_path / "Their net.onnx").write_bytes(small_graph())
    page.goto("/models")
    page.get_by_role("link", name="Add one", exact=True).click()
    page.get_by_label("File").set_input_files(tmp_path / "Their net.onnx")
    expect(page.get_by_text("ONNX, opset 20")).to_contain_text("reads 1 × 8 × 8")
    expect(page.get_by_label("Model name")).to_have_value("Their net")
    page.get_by_label("Data set").select_option("digits")
    page.get_by_role("button", name="Add it").click()
    page.wait_for_url(re.compile("/jobs/"))
    expect(page.get_by_text("no better than always giving the commonest answer")).to_be_visible(
        timeout=60_000
    )
    page.get_by_role("link", name="Their net").click()
    page.wait_for_url(re.compile("/models/"))
    expect(page.get_by_role("heading", name="Their net")).to_be_visible()
    expect(page.get_by_text("no better than always")).to_be_visible()
    expect(page.get_by_role("cell", name="2 MatMul")).to_be_visible()
    page.goto("/models")
    expect(page.get_by_role("row", name=re.compile("Their net"))).to_contain_text("1 warning")
    # Until classes are named the file does not say how many there are, and the estimate says so.
    assert all("422" in each and "/jobs/estimate" in each for each in problems)
    problems.clear()
    installation.client.delete("/api/v1/models/Their net").raise_for_status()


def test_a_refusal_stands_at_the_file(page: Page, tmp_path: Path, problems: list[str]) -> None:
    (tmp_path / "odd.onnx").write_bytes(model([node("Bernoulli", ["x"], ["y"])]))
    page.goto("/models/add")
    page.get_by_label("File").set_input_files(tmp_path / "odd.onnx")
    expect(page.get_by_role("alert").first).to_contain_text("Bernoulli")
    expect(page.get_by_role("button", name="Add it")).to_be_disabled()
    assert all("422" in each for each in problems)
    problems.clear()
