"""Results as files that are named by their content, written so that a crash leaves at worst an orphan."""

import contextlib
import hashlib
import os
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from safetensors import numpy as safetensors
from safetensors import safe_open

from blindspots.errors import ArtifactCorrupt, StartupError

ALWAYS_VERIFIED = 4 << 20  # bytes; a larger file is verified once per process, and again when it was touched
TENSORS = "application/vnd.safetensors"
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Artifact:
    """A stored file."""

    sha256: str
    bytes: int
    media_type: str


class ArtifactStore:
    """A folder of immutable files, `sha256/ab/abcd…`; the row in the database is written after the file is
    safe.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = folder / "sha256"
        self._unfinished = folder / "unfinished"
        self._verified: dict[str, tuple[int, int, int]] = {}
        self._lock = threading.Lock()
        try:
            self._files.mkdir(parents=True, exist_ok=True)
            self._unfinished.mkdir(exist_ok=True)
        except OSError as error:
            raise StartupError(
                f"The folder of results {folder} cannot be created: {error.strerror}."
            ) from error

    def path(self, sha256: str) -> Path:
        """Where the content of that hash lies, or would lie."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError(f"not a SHA-256: {sha256!r}")
        return self._files / sha256[:2] / sha256

    def write(self, content: bytes, media_type: str) -> Artifact:
        """Keep the content; it has reached the disk when this returns. Writing the same twice is one file."""
        sha256 = hashlib.sha256(content).hexdigest()
        artifact = Artifact(sha256, len(content), media_type)
        target = self.path(sha256)
        if target.exists() and target.stat().st_size == len(content):
            os.utime(target)  # young again: the sweep of orphans leaves it until its row stands
            return artifact
        unfinished = self._unfinished / uuid.uuid4().hex
        try:
            with open(unfinished, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            target.parent.mkdir(exist_ok=True)
            os.replace(unfinished, target)
            _sync_folder(target.parent)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return artifact

    def receive(self) -> "Arriving":
        """A file that comes in pieces, of any size."""
        return Arriving(self, self._unfinished / uuid.uuid4().hex)

    def write_arrays(self, arrays: Mapping[str, Array]) -> Artifact:
        """Keep named arrays as one safetensors file."""
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        return self.write(safetensors.save(contiguous), TENSORS)

    def read(self, sha256: str) -> bytes:
        """The content, verified. Raises ArtifactCorrupt."""
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise _corrupt(sha256, error.strerror) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _corrupt(sha256, "its content has changed")
        return content

    def read_arrays(self, sha256: str) -> dict[str, Array]:
        """All arrays of a safetensors file. Raises ArtifactCorrupt."""
        return dict(safetensors.load(self.read(sha256)))

    def open_arrays(self, sha256: str) -> "StoredArrays":
        """Arrays that are read when they are asked for. Raises ArtifactCorrupt."""
        self._verify(sha256)
        return StoredArrays(self.path(sha256))

    def verified_path(self, sha256: str) -> Path:
        """Where the content lies, for readers of files. Raises ArtifactCorrupt."""
        self._verify(sha256)
        return self.path(sha256)

    def _verify(self, sha256: str) -> None:
        path = self.path(sha256)
        try:
            status = path.stat()
            if status.st_size > ALWAYS_VERIFIED and self._verified.get(sha256) == _state(status):
                return
            with open(path, "rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise _corrupt(sha256, error.strerror) from error
        if found != sha256:
            raise _corrupt(sha256, "its content has changed")
        self.note_verified(sha256, status)

    def note_verified(self, sha256: str, status: os.stat_result) -> None:
        """The file of that state was read, or written, and has the content of that hash."""
        with self._lock:
            if len(self._verified) > 10_000:
                self._verified.clear()
            self._verified[sha256] = _state(status)

    def remove(self, sha256: str) -> None:
        """Forget a file that nothing refers to any more."""
        self.path(sha256).unlink(missing_ok=True)

    def files_older_than(self, seconds: float) -> Iterator[str]:
        """Hashes of files that were last written before then; leftovers of crashed writers are removed on the
        way.
        """
        before = time.time() - seconds
        for leftover in self._unfinished.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if leftover.stat().st_mtime < before:
                    leftover.unlink()
        for folder in sorted(self._files.iterdir()):
            for file in sorted(folder.iterdir()):
                with contextlib.suppress(FileNotFoundError):
                    if file.stat().st_mtime < before:
                        yield file.name


class Arriving:
    """A file while it comes in; `keep` makes it an artifact, and leaving the context forgets what was not
    kept.
    """

    def __init__(self, store: ArtifactStore, path: Path) -> None:
        self._store, self.path = store, path
        self._digest = hashlib.sha256()
        self.bytes = 0
        self._stream = open(path, "xb")  # noqa: SIM115 - closed when the context is left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self.path.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """The next piece."""
        self._stream.write(piece)
        self._digest.update(piece)
        self.bytes += len(piece)

    def flush(self) -> None:
        """Let others read at `path` what has come so far."""
        self._stream.flush()

    def keep(self, media_type: str) -> Artifact:
        """The whole has come; it has reached the disk when this returns."""
        self.flush()
        os.fsync(self._stream.fileno())
        artifact = Artifact(self._digest.hexdigest(), self.bytes, media_type)
        target = self._store.path(artifact.sha256)
        target.parent.mkdir(exist_ok=True)
        os.replace(self.path, target)
        _sync_folder(target.parent)
        self._store.note_verified(artifact.sha256, target.stat())
        return artifact


class StoredArrays:
    """The arrays of one safetensors file, read from the disk when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: frozenset[str] | None = None

    @property
    def names(self) -> frozenset[str]:
        """Names of the arrays."""
        if self._names is None:
            with safe_open(self._path, framework="numpy") as file:
                self._names = frozenset(file.keys())
        return self._names

    def array(self, name: str, rows: slice | None = None) -> Array:
        """The array of that name, or only some of its leading rows. Raises KeyError."""
        if name not in self.names:
            raise KeyError(name)
        with safe_open(self._path, framework="numpy") as file:
            if rows is None:
                return np.asarray(file.get_tensor(name))
            part = file.get_slice(name)
            start, stop, step = rows.indices(part.get_shape()[0])
            if step != 1 or stop <= start:
                return np.asarray(file.get_tensor(name))[rows]
            return np.asarray(part[start:stop])


def _corrupt(sha256: str, reason: str | None) -> ArtifactCorrupt:
    return ArtifactCorrupt(
        f"The stored result {sha256[:12]}… is damaged ({reason or 'it cannot be read'}) and is not shown. "
        "Run the job again with “compute afresh”."
    )


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
