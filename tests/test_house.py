"""The rules of the house, so that a remark need not be made twice: layers, sizes, words, documentation."""

import ast
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import plotly.offline
import pytest
from fastapi.routing import iter_route_contexts
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel

from blindspots.settings import Settings

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "backend" / "blindspots"
PYTHON = sorted(
    path
    for folder in ("backend", "tests", "scripts", "benchmarks", "alembic")
    for path in (ROOT / folder).rglob("*.py")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
JAVASCRIPT = sorted(
    path for path in (ROOT / "frontend").rglob("*.js") if not {"vendor", "node_modules"} & set(path.parts)
)
SCIENCE = [path for path in PYTHON if path.is_relative_to(PACKAGE / "science")]
DOCS = "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))

# A function may be longer than 40 lines, up to 80, when it is one algorithm's loop: "path::function": why.
LONG_FUNCTIONS: dict[str, str] = {
    "benchmarks/scipy_attack.py::attack_image": "the search for c around one optimiser, as the paper has it",
    "benchmarks/service.py::measure": "one measurement from start to end, and the list of what it found",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def names(paths: list[Path]) -> list[str]:
    """Test ids."""
    return [str(path.relative_to(ROOT)) for path in paths]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def functions(module: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(module) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of a function without its decorators and docstring: explaining must cost nothing."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    explained = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - explained


def test_every_dependency_arrow_points_down() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", PYTHON, ids=names(PYTHON))
def test_a_module_is_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 300


@pytest.mark.parametrize("path", JAVASCRIPT, ids=names(JAVASCRIPT))
def test_a_script_of_the_page_is_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 150


def test_functions_are_short_or_carry_their_reason() -> None:
    long = {
        f"{path.relative_to(ROOT)}::{function.name}": length(function)
        for path in PYTHON
        if "versions" not in path.parts  # a migration is a record of tables, not a text to be read
        for function in functions(tree(path))
        if length(function) > 40
    }
    assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS or lines > 80} == {}
    assert set(LONG_FUNCTIONS) <= set(long), "an exception that is no longer needed"


@pytest.mark.parametrize("path", SCIENCE, ids=names(SCIENCE))
def test_public_science_says_what_it_computes(path: Path) -> None:
    module = tree(path)
    public = [
        node for node in module.body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
    ]  # fmt: skip
    assert [node.name for node in public if not ast.get_docstring(node)] == []
    assert not module.body or ast.get_docstring(module)


def forms() -> list[type[BaseModel]]:
    """Every model that a user fills in."""
    import blindspots.experiments  # noqa: F401 - defines the kinds, and with them every form
    from blindspots.experiments.parameters import Parameters
    from blindspots.zoo.network import NetworkParameters

    found: list[type[BaseModel]] = [Parameters, NetworkParameters]
    for form in found:
        found += [child for child in form.__subclasses__() if child not in found]
    return [form for form in found if form.__module__.startswith("blindspots.") and form.model_fields]


@pytest.mark.parametrize("form", forms(), ids=lambda form: str(form.__name__))
def test_every_parameter_of_a_form_is_explained(form: type[BaseModel]) -> None:
    discriminators = {"kind", "name", "source"}
    silent = [
        name
        for name, field in form.model_fields.items()
        if not field.description and name not in discriminators
    ]
    assert silent == []


def test_every_setting_is_explained_and_listed() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from settings_reference import reference
    finally:
        sys.path.pop(0)
    assert all(field.description for field in Settings.model_fields.values())
    assert (ROOT / "docs" / "settings.md").read_text() == reference(), "run scripts/settings_reference.py"


def test_every_kind_method_and_network_is_in_the_documentation() -> None:
    words = {
        str(value)
        for form in forms()
        for field_name in ("kind", "name")
        if (field := form.model_fields.get(field_name)) is not None
        for value in getattr(field.annotation, "__args__", ())
    }
    assert {"attack", "train", "minimum_distortion"} <= words
    assert {word for word in words if f"`{word}`" not in DOCS} == set()


def test_every_route_is_in_the_documentation(tmp_path: Path) -> None:
    from blindspots.api.app import create_app

    app = create_app(Settings(data_dir=tmp_path), service=None)  # type: ignore[arg-type] # only its routes are read
    paths = {str(route.path) for route in iter_route_contexts(app.routes)}
    api = {path.removeprefix("/api/v1") for path in paths if path.startswith("/api/v1/")}
    assert api
    assert {path for path in api if path not in DOCS} == set()


BANNED_WORDS = frozenset({"manager", "helper", "helpers", "util", "utils", "utilities", "misc"})


def words(name: str) -> set[str]:
    """The words of snake_case and CamelCase names."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def defined_names(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, Function | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


@pytest.mark.parametrize("path", PYTHON, ids=names(PYTHON))
def test_names_say_what_a_thing_does(path: Path) -> None:
    found = {name for name in (path.stem, *defined_names(tree(path))) if words(name) & BANNED_WORDS}
    assert found == set()


def test_files_of_the_page_are_named_for_what_they_do() -> None:
    assert [path.name for path in JAVASCRIPT if words(path.stem) & BANNED_WORDS] == []


# Reads a network that the benchmark itself wrote a moment before, in the environment of the peers.
TRUSTS_ITS_OWN_FILE = frozenset({"benchmarks/peers.py::torch.load"})
# Pickles that must be refused have to be written first; they are never read.
WRITES_WHAT_IS_REFUSED = frozenset({"tests/hostile_weights.py::pickle", "tests/hostile_weights.py::np.save"})
BANNED_MODULES = frozenset({"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "jsonpickle"})


def dangers(module: ast.Module) -> Iterator[str]:
    """Whatever would run code that came as data."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in BANNED_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in BANNED_MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            unsafe_load = called == "torch.load" and options.get("weights_only") != "True"
            if (
                called in ("eval", "exec", "joblib.load")
                or unsafe_load
                or options.get("allow_pickle") == "True"
            ):
                yield called


@pytest.mark.parametrize("path", PYTHON, ids=names(PYTHON))
def test_data_is_never_run_as_code(path: Path) -> None:
    found = {f"{path.relative_to(ROOT)}::{danger}" for danger in dangers(tree(path))}
    assert found - TRUSTS_ITS_OWN_FILE - WRITES_WHAT_IS_REFUSED == set()


@pytest.mark.parametrize("path", JAVASCRIPT, ids=names(JAVASCRIPT))
def test_text_is_never_run_as_script(path: Path) -> None:
    assert re.findall(r"\beval\(|new Function\(|innerHTML|document\.write", path.read_text()) == []


VENDORED = json.loads((ROOT / "frontend" / "vendor" / "vendor.lock.json").read_text())


@pytest.mark.parametrize("entry", VENDORED, ids=lambda entry: str(entry["path"]))
def test_a_vendored_file_is_the_one_that_was_recorded(entry: dict[str, str]) -> None:
    digest = hashlib.sha384((ROOT / "frontend" / entry["path"]).read_bytes()).digest()
    assert entry["integrity"] == f"sha384-{base64.b64encode(digest).decode()}"


def test_nothing_unrecorded_is_vendored() -> None:
    recorded = {Path(entry["path"]).name for entry in VENDORED} | {"vendor.lock.json", "LICENSES.txt"}
    assert {path.name for path in (ROOT / "frontend" / "vendor").iterdir()} == recorded


def test_browser_and_server_agree_on_plotly() -> None:
    vendored = next(entry["version"] for entry in VENDORED if entry["name"].startswith("plotly.js"))
    assert vendored == plotly.offline.get_plotlyjs_version()


def tracked() -> list[Path]:
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (
        ROOT / name for name in listed.stdout.split("\0") if name and not name.startswith("frontend/vendor/")
    )
    return [path for path in paths if path.is_file()]


def test_where_packages_come_from_is_the_readers_choice() -> None:
    parts = (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("yarnpkg", "com"),
        ("download", "pytorch"),
    )
    hosts = [".".join(name).encode() for name in parts]
    assert [
        str(path.relative_to(ROOT)) for path in tracked() if any(host in path.read_bytes() for host in hosts)
    ] == []


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements" / "lock.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    locked = {canonicalize_name(name): version for name, version in pins.items()}
    for text in project["dependencies"] + project["optional-dependencies"]["test"]:
        needed = Requirement(text)
        assert needed.specifier.contains(locked[canonicalize_name(needed.name)]), text
