"""Looking at jobs: lists, one job, its parts, what it waits for, and what has happened since."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from blindspots.store import events, history, steps, workers
from blindspots.store.history import job_view, part_view, step_view
from blindspots.store.job_query import JobQuery
from blindspots.store.jobs import missing
from blindspots.store.tables import MAIN_PROJECT, jobs
from blindspots.work.foundation import Foundation, Json

EXPORTS = ["csv", "json", "npz"]


class Reading(Foundation):
    """Nothing here changes anything."""

    def job(self, job_id: str) -> Json:
        """The detail: the Job view with spec, versions, parts, figures, exports, models, duration_seconds."""
        with self.database.read() as tx:
            row = self._found(tx, job_id)
            counts = history.count_parts(tx, job_id)
            view = self._viewed(tx, [row])[0]
            planned = [step_view(tx, step) for step in steps.of(tx, job_id)]
        kind = self.kinds.get(row.kind)
        succeeded = row.state == "succeeded" and kind is not None
        finished = row.finished_at or row.now
        return view | {
            "spec": row.spec,
            "versions": row.versions,
            "parts": counts,
            "figures": list(kind.figures) if kind is not None and succeeded else [],
            "exports": [*EXPORTS, *(["html"] if kind.has_report else [])] if succeeded and kind else [],
            "steps": planned,
            "models": row.summary.get("models", []),
            "duration_seconds": (finished - row.started_at).total_seconds() if row.started_at else None,
        }

    def jobs(self, query: JobQuery) -> Json:
        """A page of the history: items, next_cursor."""
        with self.database.read() as tx:
            query = replace(query, project_id=self._project_of(tx, query.parent))
            rows, cursor = history.page(tx, query)
            views = self._viewed(tx, rows)
        for view in views:
            kind = self.kinds.get(view["kind"])
            view["summary"] = kind.headline(view["summary"]) if kind else {}
        return {"items": views, "next_cursor": cursor}

    def parts(self, job_id: str) -> list[Json]:
        """Every part in order, the merge last."""
        with self.database.read() as tx:
            self._found(tx, job_id)
            return [part_view(row) for row in history.part_rows(tx, job_id)]

    def events(self, after: int, limit: int) -> list[Json]:
        """Events with an id above `after`, oldest first: event_id, id, kind, state, progress ..."""
        with self.database.read() as tx:
            found = events.read_after(tx, after, limit)
        return [each for each in found if self.sees_event(each)]

    def events_page(self, after: int | None, limit: int) -> Json:
        """What the actor may hear of: items, latest (the id to ask for next)."""
        with self.database.read() as tx:
            latest = events.latest(tx)
            found = [] if after is None else events.read_after(tx, after, limit)
        seen = found[-1]["event_id"] if found else latest
        return {"items": [each for each in found if self.sees_event(each)], "latest": seen}

    def sees_event(self, event: Json) -> bool:
        """Whether the actor may hear of it."""
        return self.actor.sees(event.get("project_id", MAIN_PROJECT))

    def latest_event(self) -> int:
        """The id of the newest event, 0 where there is none."""
        with self.database.read() as tx:
            return events.latest(tx)

    def _project_of(self, tx: Connection, parent: str | None) -> str:
        """Where steps are listed: in the project of their job, where the actor may see it."""
        found = tx.execute(select(jobs.c.project_id).where(jobs.c.id == parent)).scalar() if parent else None
        return found if found is not None and self.actor.sees(found) else self.actor.project_id

    def _found(self, tx: Connection, job_id: str) -> Row[Any]:
        """The row of a job that the actor may see. Raises NotFound."""
        row = history.find(tx, job_id)
        self.actor.require(row.project_id, "viewer", missing())
        return row

    def _own(self, tx: Connection, job_id: str) -> Row[Any]:
        """The row of a job that the actor may change. Raises NotFound, Forbidden."""
        row = self._found(tx, job_id)
        self.actor.require_own(row.project_id, row.owner, missing())
        return row

    def _row(self, job_id: str) -> Row[Any]:
        with self.database.read() as tx:
            return self._found(tx, job_id)

    def _job_view(self, job_id: str) -> Json:
        with self.database.read() as tx:
            return self._viewed(tx, [self._found(tx, job_id)])[0]

    def _viewed(self, tx: Connection, rows: Sequence[Row[Any]]) -> list[Json]:
        views = [job_view(tx, row) for row in rows]
        reasons: dict[str, str | None] = {}
        for view in views:
            if view["state"] != "queued":
                continue
            if history.waits_for_jobs(tx, view["id"]):
                view["waiting_for"] = "An earlier job that this one needs has not finished yet."
                continue
            if view["lane"] not in reasons:
                reasons[view["lane"]] = self._waiting_reason(tx, view["lane"])
            view["waiting_for"] = reasons[view["lane"]]
        return views

    def _alive_workers(self, tx: Connection) -> list[Row[Any]]:
        return [row for row in workers.every(tx, self.alive_seconds) if row.alive]

    def _waiting_reason(self, tx: Connection, lane: str) -> str | None:
        """What keeps a ready job of that lane from running; None where a worker is free."""
        alive = [row for row in self._alive_workers(tx) if row.lane == lane]
        if not alive:
            return (
                f"No worker of the {lane} lane is running. It starts by itself, or with `blindspots worker`."
            )
        working = [row for row in alive if not row.draining]
        if not working:
            return f"Every worker of the {lane} lane is draining. Resume one on the System page."
        alive = working
        busy = [row for row in alive if row.job_id is not None]
        if len(busy) < len(alive):
            return None
        names = [self._busy_with(row) for row in busy]
        who = "The worker is busy" if len(busy) == 1 else f"All {len(busy)} workers are busy"
        return f"{who} with {', '.join(dict.fromkeys(names))}."

    def _busy_with(self, row: Row[Any]) -> str:
        if not self.actor.sees(row.project_id):
            return "a job of another project"
        return f"{row.job_kind} “{row.job_title}”" if row.job_title else str(row.job_kind)
