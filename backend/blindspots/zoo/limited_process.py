"""Reading what strangers wrote in a process of its own: no environment, little memory, little time."""

import subprocess
import sys
from pathlib import Path

from blindspots.errors import InvalidInput

PARSER_SECONDS = 120
BAD_FILE = 3  # exit status of a parser that says what is wrong


def parsed(program: Path, data: bytes, *, kind: str) -> bytes:
    """What the parser writes for the data. Raises InvalidInput (field "file") with its sentence."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(program)],
            input=data,
            capture_output=True,
            check=False,
            timeout=PARSER_SECONDS,
            cwd="/",
            env={"OPENBLAS_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput("The file takes too long to read.", field="file") from error
    if done.returncode == BAD_FILE:
        raise InvalidInput(done.stderr.decode(errors="replace")[:1000], field="file")
    if done.returncode != 0 or not done.stdout:
        raise InvalidInput(
            f"The file cannot be read as {kind} within the limits on memory and time.", field="file"
        )
    return done.stdout
