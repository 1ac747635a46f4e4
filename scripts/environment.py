"""Make `.venv` hold what pyproject.toml and the lock ask for, and do nothing when it already does.

Runs with any Python 3 that is at hand and needs nothing but its standard library. A stamp inside the
environment names what was installed; an environment without it (interrupted, broken, moved, made by another
Python) is repaired, or made anew where its Python no longer runs.

    python3 scripts/environment.py            what `make up` needs
    python3 scripts/environment.py test       and what the tests need
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "lock.txt"
STAMP_NAME = "blindspots.stamp"
OLDEST = (3, 11)


def main() -> None:
    extras = sys.argv[1:]
    folder = Path(os.environ.get("BLINDSPOTS_VENV") or ROOT / ".venv")
    python = folder / "bin" / "python"
    wanted = fingerprint()
    if not runs(python):
        create(folder)
    stamp = folder / STAMP_NAME
    installed = stamp.read_text().split() if stamp.exists() else []
    if installed[:1] == [wanted] and set(extras) <= set(installed[1:]):
        return
    stamp.unlink(missing_ok=True)
    extras = sorted(set(extras) | set(installed[1:]))
    install(python, extras)
    stamp.write_text(" ".join([wanted, *extras]) + "\n")


def fingerprint() -> str:
    """Of everything that decides what belongs into the environment, this folder's own path included."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (ROOT / "pyproject.toml", LOCK):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def runs(python: Path) -> bool:
    """Whether this environment's Python starts, is new enough and has pip."""
    program = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.run([str(python), "-c", program], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def create(folder: Path) -> None:
    """Make the environment anew with the first suitable Python."""
    maker = suitable_python()
    print(f"Making a Python environment in {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    if subprocess.run([maker, "-m", "venv", str(folder)], check=False).returncode:
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(
            "Python cannot make environments here. On Debian and Ubuntu install the package python3-venv."
        )


def suitable_python() -> str:
    """This Python if it is new enough, else the newest one on the PATH that is."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for minor in range(20, OLDEST[1] - 1, -1):
        if found := shutil.which(f"python3.{minor}"):
            return found
    sys.exit(f"Blindspots needs Python 3.11 or newer, and found only {sys.version.split()[0]}.")


def install(python: Path, extras: list[str]) -> None:
    """Install this folder in place, everything else at the locked version."""
    print("Installing Blindspots and what it needs; the first time this takes a few minutes", flush=True)
    constraints = python.parent.parent / "constraints.txt"
    constraints.write_text(locked(keep_torch=has_torch(python)))
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--constraint", str(constraints), "--editable", target], check=False)
    if done.returncode:
        sys.exit("The installation did not finish (see above). Run the same command again to go on.")


def has_torch(python: Path) -> bool:
    """Whether the owner put a torch of their own choice into the environment."""
    program = "import importlib.metadata; importlib.metadata.version('torch')"
    return subprocess.run([str(python), "-c", program], capture_output=True, check=False).returncode == 0


def locked(*, keep_torch: bool) -> str:
    """The lock as pip constraints; without the line for torch where one is already installed."""
    lines = LOCK.read_text().splitlines()
    return "\n".join(line for line in lines if not (keep_torch and line.startswith("torch=="))) + "\n"


if __name__ == "__main__":
    main()
