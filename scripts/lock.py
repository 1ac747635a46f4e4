"""Write requirements/lock.txt: the exact version of every package that a full install needs.

Run it in the project's environment after a change of dependencies: `.venv/bin/python scripts/lock.py`.
It asks pip to resolve pyproject.toml afresh, and keeps names and versions only: where packages come from is
the reader's own pip configuration. Local build tags (`2.13.0+cpu`) are dropped, so any build of torch fits.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "lock.txt"

HEADER = """\
# Exact versions of everything that `make up` and `make test` install, on Python 3.11 and later.
# Written by scripts/lock.py; used as pip constraints, so pyproject.toml still says what is needed and why.
# torch comes as a CPU build and as CUDA builds: one that is already in .venv is kept (docs/operations.md).
"""


def main() -> None:
    """Resolve `.[test]` with torch 2.13.0 and write the lock."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    report = subprocess.run(
        [*command, "--report", "-", f"{ROOT}[test]", "torch==2.13.0"],
        check=True,
        capture_output=True,
        text=True,
    )
    packages = [item["metadata"] for item in json.loads(report.stdout)["install"]]
    found = {package["name"].lower(): package["version"] for package in packages}
    found.pop("blindspots")
    pins = [f"{name}=={version.partition('+')[0]}" for name, version in sorted(found.items())]
    LOCK.write_text(HEADER + "\n".join(pins) + "\n")
    print(f"{len(pins)} packages pinned in {LOCK.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
