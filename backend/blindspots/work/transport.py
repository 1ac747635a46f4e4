"""Messages as files in a folder: kombu's filesystem transport, with writes and reads that are one step each.

Kombu's own `_put` lets a reader see a half-written file, and its `_get` moves files across file systems.
Messages are only hints, but a worker should not stumble over one.
"""

import json
import os
import uuid
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """One folder, one file per message: `<time>-<random>.<queue>.msg`."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        folder = Path(self.data_folder_out)
        name = f"{time_ns():020d}-{uuid.uuid4().hex}"
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_text(json.dumps(payload), encoding="utf-8")
        os.replace(unfinished, folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002
        folder = Path(self.data_folder_in)
        for name in sorted(entry for entry in os.listdir(folder) if entry.endswith(f".{queue}.msg")):
            taken = folder / f"{name}.{os.getpid()}.taken"
            try:
                os.rename(folder / name, taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
            return json.loads(text)
        raise Empty


class Transport(filesystem.Transport):
    """Selected by `broker_transport`."""

    Channel = Channel
