"""Fetch a data set: download the four files of MNIST or Fashion-MNIST from where they are published."""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from blindspots.errors import InvalidInput, Unreachable
from blindspots.experiments.base import Catalog, Context, Part, Result, Spec
from blindspots.zoo import datasets, idx
from blindspots.zoo.datasets import Download

CHUNK = 64 << 10
CHECKPOINT_BYTES = 4 << 20
SILENCE_SECONDS = 20.0  # of a server, before the next mirror is asked
LARGEST_FILE = 64 << 20


class FetchDataset(Spec):
    """Download a data set, check it, and offer it to every job.

    The addresses are built in: no server is asked that a user names. An interrupted download goes on.
    """

    kind: Literal["fetch_dataset"] = "fetch_dataset"

    dataset: Literal["mnist", "fashion-mnist"] = Field(
        "mnist", json_schema_extra={"x-names": {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}}
    )
    """The data set to download."""

    reusable: ClassVar[bool] = False  # the files may have been deleted since
    heading: ClassVar[str] = "Fetch data set"

    def resolve(self, catalog: Catalog) -> Self:  # noqa: ARG002 - the set need not be there yet
        """Check that it is known where the set is published."""
        if self.dataset not in datasets.SOURCES:
            known = ", ".join(datasets.SOURCES)
            raise InvalidInput(f"Only these can be downloaded: {known}.", field="dataset")
        return self

    def plan(self, catalog: Catalog) -> list[Part]:  # noqa: ARG002
        """One part, which resumes where it was interrupted."""
        source = datasets.SOURCES[self.dataset]
        return [Part(label=f"{len(source.md5)} files", bytes_kept=source.bytes)]

    def inputs(self, catalog: Catalog) -> list[str]:  # noqa: ARG002
        """The checksums of what is to be downloaded."""
        return sorted(datasets.SOURCES[self.dataset].md5.values())

    def run(self, part: Part, context: Context) -> Result:  # noqa: ARG002
        """Download every file, check them, and install them together."""
        source = datasets.SOURCES[self.dataset]
        files = _Download(source, context).all_files()
        _check(files)
        context.install_dataset(self.dataset, files)
        return Result(
            summary={
                "dataset": self.dataset,
                "files": len(files),
                "bytes": sum(len(content) for content in files.values()),
            }
        )

    def merge(self, context: Context) -> Result:
        """What was installed."""
        return Result(summary=context.part(0).summary)


def _check(files: Mapping[str, bytes]) -> None:
    """Read the files as the service will: four arrays that fit each other."""
    roles = idx.files_by_role(files)
    arrays = {role: idx.read_bytes(name, files[name]) for role, name in roles.items()}
    idx.check_set(arrays)


class _Download:
    """The files of one set, some of them from an earlier attempt."""

    def __init__(self, source: Download, context: Context) -> None:
        self.source, self.context = source, context
        earlier = context.load_checkpoint() or {}
        self.content = {
            name: bytearray(np.asarray(array, np.uint8).tobytes()) for name, array in earlier.items()
        }
        self.saved = self._size()

    def all_files(self) -> dict[str, bytes]:
        """Every file, with the promised checksum. Raises Unreachable where no mirror gives it."""
        for name in self.source.md5:
            self._fetch(name)
        return {name: bytes(self.content[name]) for name in self.source.md5}

    def _fetch(self, name: str) -> None:
        """One file, from the first mirror that has it."""
        reasons = []
        for mirror in self.source.mirrors:
            for _ in range(2):  # a partial file that turns out wrong is fetched again from its beginning
                if self._is_right(name):
                    return
                resumed = bool(self.content.get(name))
                try:
                    self._receive(mirror + name, name)
                except (OSError, http.client.HTTPException) as error:
                    reasons.append(f"{mirror}: {getattr(error, 'reason', error)}")
                    break
                if self._is_right(name):
                    return
                self.content.pop(name)
                if not resumed:
                    reasons.append(f"{mirror}: the file does not have the published checksum")
                    break
        raise Unreachable(
            f"{name} could not be downloaded ({'; '.join(reasons)}). Try again later, or put the four files "
            "into a folder of that name under the data-set folder (BLINDSPOTS_DATASETS_DIR)."
        )

    def _is_right(self, name: str) -> bool:
        content = self.content.get(name)
        if not content:
            return False
        return hashlib.md5(content, usedforsecurity=False).hexdigest() == self.source.md5[name]

    def _receive(self, address: str, name: str) -> None:
        """Append what the server sends to what is there; begin anew where it does not resume."""
        content = self.content.setdefault(name, bytearray())
        request = urllib.request.Request(address, headers={"User-Agent": "blindspots"})
        if content:
            request.add_header("Range", f"bytes={len(content)}-")
        try:
            answer = urllib.request.urlopen(request, timeout=SILENCE_SECONDS)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            return  # what is there is the whole file, or a wrong one: its checksum tells
        with answer:
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                content.clear()
            for chunk in _chunks(answer):
                content += chunk
                if len(content) > LARGEST_FILE:
                    raise OSError(f"the file is larger than {LARGEST_FILE} bytes")
                self._tell(name)

    def _tell(self, name: str) -> None:
        size = self._size()
        total = max(self.source.bytes, size)
        self.context.progress(size, total, f"{name}: {size / 1e6:.1f} of {total / 1e6:.1f} MB")
        if size - self.saved > CHECKPOINT_BYTES:
            self.saved = size
            arrays = {name: np.frombuffer(bytes(content), np.uint8) for name, content in self.content.items()}
            self.context.save_checkpoint(arrays)

    def _size(self) -> int:
        return sum(len(content) for content in self.content.values())


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while chunk := answer.read(CHUNK):
        yield chunk
