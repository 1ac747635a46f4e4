"""The service on a real database, and a worker of it in this process: what tests of jobs need."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from blindspots.experiments.base import Spec
from blindspots.settings import Settings
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.workers import NewWorker
from blindspots.work.embedded import prepare_data_folder, prepare_database
from blindspots.work.lifeline import Lifeline
from blindspots.work.publishing import NoBroker, Publisher
from blindspots.work.reconciler import Reconciler
from blindspots.work.runner import Runner
from blindspots.work.service import Service
from stub_kind import KINDS


class Workbench:
    """Everything of one installation but its server and its Celery processes."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        kinds: Mapping[str, type[Spec]] = KINDS,
        publisher: Publisher | None = None,
        **settings: Any,
    ) -> None:
        self.settings = Settings(data_dir=folder, database_url=url, demo=False, **settings)
        prepare_data_folder(self.settings)
        self.database = prepare_database(self.settings)
        self.artifacts = ArtifactStore(self.settings.artifacts)
        self.publisher = publisher or NoBroker()
        self.kinds = kinds
        self.service = Service(self.settings, self.database, self.artifacts, self.publisher, kinds=kinds)
        self.reconciler = Reconciler(
            self.settings, self.database, self.artifacts, self.publisher, also=[self.service.advance_all]
        )
        self._lifelines: list[Lifeline] = []

    def worker(
        self, *, lane: str = "batch", pid: int = 1, end_process: Callable[[], None] | None = None
    ) -> tuple[Runner, Lifeline]:
        """A worker that runs parts in the caller's thread. `pid` is what it says its process is."""
        entry = NewWorker("elsewhere", pid, lane, "cpu", "a test", 1, {"torch": "none"})
        lifeline = Lifeline(self.settings, self.database, entry, end_process=end_process)
        lifeline.start()
        self._lifelines.append(lifeline)
        runner = Runner(
            self.settings, self.database, self.artifacts, lifeline,
            kinds=self.kinds, lane=lane, name="a test", device="cpu", versions=entry.versions,
            ended=self.service.ended,
        )  # fmt: skip
        return runner, lifeline

    def close(self) -> None:
        """End what was started."""
        for lifeline in self._lifelines:
            lifeline.close()
        self.reconciler.close()
        self.database.close()
