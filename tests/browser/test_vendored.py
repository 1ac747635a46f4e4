"""What is served is exactly what was vendored, and nothing is loaded from elsewhere."""

import json
import re
from base64 import b64encode
from hashlib import sha384
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs_version

FRONTEND = Path(__file__).parents[2] / "frontend"
LOCK: list[dict[str, Any]] = json.loads((FRONTEND / "vendor" / "vendor.lock.json").read_text())
OURS = sorted(
    path
    for path in FRONTEND.rglob("*.js")
    if not {"vendor", "node_modules"} & set(path.relative_to(FRONTEND).parts)
)


def integrity(path: Path) -> str:
    """The hash of a file as a browser checks it."""
    return "sha384-" + b64encode(sha384(path.read_bytes()).digest()).decode()


@pytest.mark.parametrize("entry", LOCK, ids=lambda entry: entry["path"])
def test_a_vendored_file_is_the_one_in_the_lock(entry: dict[str, Any]) -> None:
    assert integrity(FRONTEND / entry["path"]) == entry["integrity"]
    assert entry["licence"]


def test_every_vendored_script_is_in_the_lock() -> None:
    present = {path.name for path in (FRONTEND / "vendor").iterdir() if path.suffix in (".js", ".css")}
    assert present == {Path(entry["path"]).name for entry in LOCK}


def test_the_import_map_checks_every_module() -> None:
    page = (FRONTEND / "index.html").read_text()
    scripts = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1, "the import map is the only inline script"
    found = json.loads(scripts[0])
    modules = [entry for entry in LOCK if entry["specifier"]]
    assert found["imports"] == {entry["specifier"]: f"/{entry['path']}" for entry in modules}
    assert found["integrity"] == {f"/{entry['path']}": entry["integrity"] for entry in modules}


@pytest.mark.parametrize("page", ["index.html", "api-docs.html"])
def test_a_page_names_the_hash_of_each_vendored_file_it_loads(page: str) -> None:
    tags = re.findall(r'(?:href|src)="/(vendor/[^"]+)" integrity="([^"]+)"', (FRONTEND / page).read_text())
    assert tags
    for path, stated in tags:
        assert stated == integrity(FRONTEND / path)


def test_plotly_js_is_the_version_that_plotly_py_draws_for() -> None:
    (vendored,) = (entry["version"] for entry in LOCK if entry["name"].startswith("plotly.js"))
    assert vendored == get_plotlyjs_version()


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(FRONTEND)))
def test_a_script_is_short_and_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 150
    assert lines[0].startswith("// ")


def test_nothing_is_loaded_from_elsewhere() -> None:
    sources = [*OURS, *FRONTEND.glob("*.html"), *(FRONTEND / "style").glob("*.css")]
    for path in sources:
        found = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text())) - {"http://www.w3.org/2000/svg"}
        assert not found, f"{path.name}: {found}"
