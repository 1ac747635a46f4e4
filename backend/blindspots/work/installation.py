"""What this installation offers, what it runs on, and who works."""

import importlib.metadata
import platform
import shutil
import sys
from dataclasses import asdict
from typing import Any, get_args

from sqlalchemy import Row

from blindspots.errors import Forbidden, NotFound
from blindspots.experiments.base import Spec
from blindspots.store import files, history, workers
from blindspots.work.foundation import Json
from blindspots.work.people import People

HOUR = 3600.0


def installed_version(package: str) -> str | None:
    """Of a distribution, without importing it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


class Installation(People):
    """The catalog and the state of the service."""

    def catalog(self) -> Json:
        """version, kinds with their schemas and figures, networks, methods, the paper's tables, defaults."""
        from blindspots.experiments.methods import Method
        from blindspots.zoo import printed
        from blindspots.zoo.architectures import Network

        return {
            "version": installed_version("blindspots"),
            "kinds": [_kind_view(name, kind) for name, kind in self.kinds.items()],
            "networks": [
                {"name": _tag(variant, "name"), "title": variant.title, "source": variant.source}
                for variant in _variants(Network)
            ],
            "methods": [
                {"name": _tag(variant, "name"), "title": variant.heading, "paper": variant.paper}
                for variant in _variants(Method)
            ],
            "paper_tables": [asdict(table) for table in printed.tables()],
            "defaults": {"dataset": "digits", "lane": "batch", "interactive_images": 16},
        }

    def workers(self) -> list[Json]:
        """Every worker that is remembered, and what it does."""
        with self.database.read() as tx:
            rows = workers.every(tx, self.alive_seconds)
            done = workers.done_lately(tx, HOUR)
        return [
            {
                "id": row.id,
                "host": row.host,
                "pid": row.pid,
                "lane": row.lane,
                "device": row.device,
                "device_name": row.device_name,
                "threads": row.threads,
                "versions": row.versions,
                "alive": bool(row.alive),
                "part": {"id": row.part_id, "label": row.part_label} if self._shown(row) else None,
                "job": {"id": row.job_id, "kind": row.job_kind, "title": row.job_title}
                if self._shown(row)
                else None,
                "busy": row.job_id is not None,
                "draining": row.draining,
                "parts_last_hour": done.get(row.id, (0, 0.0))[0],
                "units_last_hour": done.get(row.id, (0, 0.0))[1],
                "started_at": history.stamp(row.started_at),
                "seen_at": history.stamp(row.seen_at),
            }
            for row in rows
        ]

    def drain_worker(self, worker_id: str, *, draining: bool) -> list[Json]:
        """Let a worker finish its part and take no more, or take parts again. NotFound, Forbidden."""
        if not self.actor.service_admin:
            raise Forbidden("Only an admin of the whole service drains workers.")
        with self.database.write() as tx:
            if not workers.drain(tx, worker_id, draining=draining):
                raise NotFound("There is no such worker; it may have ended.")
            self._note(tx, "worker_drain" if draining else "worker_resume", worker_id, None)
        return self.workers()

    def _shown(self, row: Row[Any]) -> bool:
        return row.job_id is not None and self.actor.sees(row.project_id)

    def system(self) -> Json:
        """Versions, places, workers and queue."""
        with self.database.read() as tx:
            stored, queue = files.total_bytes(tx), workers.queue(tx)
        return {
            "version": installed_version("blindspots"),
            "mode": "embedded" if self.settings.embedded else "team",
            "python": sys.version.split()[0],
            "torch": installed_version("torch"),
            "platform": platform.platform(),
            "database": self.database.dialect,
            "broker": "files" if self.settings.embedded else "redis",
            "artifacts_bytes": stored,
            "disk_free_bytes": shutil.disk_usage(self.artifacts.folder).free,
            # Where things lie on the machine is for those who run it.
            **({"data_dir": str(self.settings.data_dir)} if self.actor.service_admin else {}),
            "workers": self.workers(),
            "queue": queue,
        }


def _kind_view(name: str, kind: type[Spec]) -> Json:
    texts = ("title", "reading", "formula", "source")
    return {
        "kind": name,
        "heading": kind.heading,
        "summary": (kind.__doc__ or "").strip().partition("\n")[0],
        "schema": kind.model_json_schema(),
        "presets": list(kind.presets),
        "figures": [
            {"name": figure_name, **{text: getattr(figure, text) for text in texts}}
            for figure_name, figure in kind.figures.items()
        ],
    }


def _variants(union: Any) -> tuple[Any, ...]:
    """The classes of `Annotated[A | B, Field(discriminator=…)]`."""
    inner = get_args(union)[0]
    return get_args(inner) or (inner,)


def _tag(variant: Any, field: str) -> str:
    return str(variant.model_fields[field].default)
