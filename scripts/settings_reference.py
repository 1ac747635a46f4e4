"""Write docs/settings.md from the settings themselves: `.venv/bin/python scripts/settings_reference.py`."""

from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from blindspots.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

HEAD = """\
# Settings

Every setting is an environment variable; nothing is read from anywhere else. This page is written by
`scripts/settings_reference.py` from `backend/blindspots/settings.py`, and a test compares the two.

| variable | default | meaning |
|---|---|---|
"""


def reference() -> str:
    """The whole page."""
    return HEAD + "".join(row(name, field) for name, field in Settings.model_fields.items())


def row(name: str, field: FieldInfo) -> str:
    """One line of the table."""
    meaning = " ".join((field.description or "").split())
    return f"| `BLINDSPOTS_{name.upper()}` | {default(field)} | {meaning} |\n"


def default(field: FieldInfo) -> str:
    """What holds when the variable is not set, as one would write it."""
    if field.default_factory is not None:
        return "the user's data folder"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value in (None, ""):
        return "empty"
    return f"`{list(value)}`".replace("'", '"') if isinstance(value, tuple) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(reference())
