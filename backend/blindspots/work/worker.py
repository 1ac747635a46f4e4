"""A worker of one lane: `python -m blindspots.work.worker --lane batch`.

The Celery process receives messages; its one child, a fresh interpreter, computes. When the child dies,
Celery starts another; when the Celery process dies, so does the child.
"""

import argparse
import importlib
import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from billiard import active_children
from celery import Celery, signals

from blindspots.errors import BlindspotsError
from blindspots.experiments.base import Spec
from blindspots.settings import Settings
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database
from blindspots.store.workers import NewWorker
from blindspots.work import machine
from blindspots.work.catalog import DatasetFolders
from blindspots.work.lifeline import Lifeline
from blindspots.work.queues import LANES, TASK, CeleryPublisher, configuration
from blindspots.work.reconciler import Reconciler, take_back_from_the_dead
from blindspots.work.runner import Runner
from blindspots.work.service import Service

STOP_SIGNAL = signal.SIGURG  # ignored where nobody listens yet; billiard takes the usual ones for itself
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Post:
    """Where a worker stands; carried to its child process."""

    settings: Settings
    lane: str
    kinds: str  # "module:NAME" of the mapping of job kinds

    def load_kinds(self) -> Mapping[str, type[Spec]]:
        """The job kinds that this worker knows."""
        module, _, name = self.kinds.partition(":")
        return cast(Mapping[str, type[Spec]], getattr(importlib.import_module(module), name))


class WorkerApp(Celery):  # type: ignore[misc]
    """Celery's application, which the child process builds anew from the post."""

    post: Post
    runner: Runner | None = None

    def __reduce__(self) -> Any:
        return build, (self.post,)


def build(post: Post) -> WorkerApp:
    """The application with its one task."""
    app = WorkerApp("blindspots", set_as_current=True)
    app.post = post
    app.conf.update(configuration(post.settings))

    @app.task(name=TASK, ignore_result=True, acks_late=False)  # type: ignore[untyped-decorator]
    def run_part(part_id: str) -> None:
        assert app.runner is not None, "the process was not prepared"
        app.runner.run(part_id)

    def prepare(**_: Any) -> None:
        try:
            app.runner = prepare_child(post)
        except Exception:
            # Celery would keep a process that can do nothing; a new one may do better.
            log.exception("the %s worker could not be prepared; another process is started", post.lane)
            os._exit(1)

    signals.worker_process_init.connect(prepare, weak=False, dispatch_uid="blindspots")
    return app


def prepare_child(post: Post) -> Runner:
    """In the computing process: threads, device, kernels, the worker's row and its lifeline."""
    machine.die_with(os.getppid())
    threads = machine.thread_count(post.settings, post.lane)
    device, device_name = machine.prepare_torch(threads)
    settings = post.settings
    database = Database(settings.database)
    worker = NewWorker(
        machine.host_name(), os.getpid(), post.lane, device, device_name, threads,
        machine.versions(threads, device_name),
    )  # fmt: skip
    lifeline = Lifeline(settings, database, worker, end_process=lambda: os._exit(1))
    signal.signal(STOP_SIGNAL, lambda *_: lifeline.stop())
    kinds = post.load_kinds()
    if post.lane == "interactive":
        # Imported here: only this lane pays for it.
        from blindspots.work.warmup import warm_up

        warm_up(device, DatasetFolders.of(settings))
    take_back_from_the_dead(database, settings)
    lifeline.start()
    signals.worker_process_shutdown.connect(lambda **_: lifeline.close(), weak=False)
    return Runner(
        settings, database, ArtifactStore(settings.artifacts), lifeline,
        kinds=kinds, lane=post.lane, name=f"{socket.gethostname()} {os.getpid()}", device=device,
        versions=worker.versions, ended=service(post, database).ended,
    )  # fmt: skip


def service(post: Post, database: Database) -> Service:
    """What lets jobs that are made of jobs go on."""
    settings = post.settings
    artifacts = ArtifactStore(settings.artifacts)
    return Service(settings, database, artifacts, CeleryPublisher(settings), kinds=post.load_kinds())


def run(settings: Settings, lane: str, *, kinds: str = "blindspots.experiments:KINDS") -> int:
    """Work until SIGTERM; answers the exit status. Raises StartupError where the database does not fit."""
    from blindspots.store import migrations

    database = Database(settings.database)
    migrations.check_current(database)
    publisher = CeleryPublisher(settings)
    post = Post(settings, lane, kinds)
    progression = service(post, database)
    reconciler = Reconciler(
        settings, database, progression.artifacts, publisher, also=[progression.advance_all]
    )
    machine.limit_threads(machine.thread_count(settings, lane))
    app = build(post)

    def ready(**_: Any) -> None:
        # Parts may have become ready while nobody was here: an empty message makes the child look.
        threading.Thread(target=_knock, args=(publisher, lane), daemon=True).start()
        reconciler.start()

    def stopping(**_: Any) -> None:
        for child in active_children():
            if child.pid is not None:
                os.kill(child.pid, STOP_SIGNAL)

    signals.worker_ready.connect(ready, weak=False)
    signals.worker_shutting_down.connect(stopping, weak=False)
    worker = app.Worker(
        hostname=f"{lane}-{os.getpid()}@{socket.gethostname()}", queues=[lane], pool_cls="prefork",
        concurrency=1,
        loglevel="WARNING", quiet=True, without_gossip=True, without_mingle=True, without_heartbeat=True,
        optimization="fair",
    )  # fmt: skip
    worker.start()
    reconciler.close()
    publisher.close()
    database.close()
    return int(worker.exitcode or 0)


def _knock(publisher: CeleryPublisher, lane: str) -> None:
    try:
        publisher.send(lane, "")
    except Exception as error:
        log.warning("the broker does not answer; the reconciler will try again: %s", error)


def main() -> int:
    """Settings come from the environment, as this is a process of its own."""
    parser = argparse.ArgumentParser(description="A worker of one lane.")
    parser.add_argument("--lane", choices=LANES, required=True)
    parser.add_argument("--kinds", default="blindspots.experiments:KINDS", help=argparse.SUPPRESS)
    parser.add_argument("--parent", type=int, help="End when this process is no longer the parent.")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:billiard.semaphore_tracker")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if given.parent is not None:
        machine.die_with(given.parent)
    try:
        return run(Settings(), given.lane, kinds=given.kinds)
    except BlindspotsError as error:
        log.error("%s", error.message)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
