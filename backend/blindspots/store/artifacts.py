"""Results as files that are named by their content, written so that a crash leaves at worst an orphan."""

import contextlib
import hashlib
import os
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import numpy as safetensors
from safetensors import safe_open

from blindspots.errors import ArtifactCorrupt, StartupError
from blindspots.experiments.base import Array, Arrays

ALWAYS_VERIFIED = 4 << 20  # bytes; larger files are verified once per process and state of the file
SAFETENSORS = "application/vnd.safetensors"


@dataclass(frozen=True)
class Artifact:
    """A stored file."""

    sha256: str
    bytes: int
    media_type: str


class ArtifactStore:
    """A folder of immutable files."""
