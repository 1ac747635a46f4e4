"""Check the browser code where Node is installed: types (`tsc --checkJs --strict`) and vendored files.

Node is needed by nobody who only uses Blindspots, so without it (or without a network for the first
`npm ci`) this says loudly that the check was skipped, and succeeds. In the environment variable
BLINDSPOTS_REQUIRE_NODE any value turns a skipped check into a failure.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"


def main() -> int:
    npm = shutil.which("npm")
    if npm is None:
        return skipped("npm is not installed")
    if not installed():
        quiet = ("--silent", "--no-audit", "--no-fund")
        if subprocess.run([npm, "ci", *quiet], cwd=FRONTEND, check=False).returncode:
            return skipped("npm ci did not succeed, probably for want of a network")
    return subprocess.run([npm, "run", "--silent", "check"], cwd=FRONTEND, check=False).returncode


def installed() -> bool:
    """Whether node_modules is at least as new as the lock; npm writes this file last."""
    stamp = FRONTEND / "node_modules" / ".package-lock.json"
    return stamp.exists() and stamp.stat().st_mtime >= (FRONTEND / "package-lock.json").stat().st_mtime


def skipped(reason: str) -> int:
    print(f"*** THE BROWSER CODE WAS NOT CHECKED: {reason}. ***", flush=True)
    return 1 if os.environ.get("BLINDSPOTS_REQUIRE_NODE") else 0


if __name__ == "__main__":
    sys.exit(main())
