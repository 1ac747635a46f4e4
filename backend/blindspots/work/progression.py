"""Jobs that are made of jobs: their steps are submitted when what they need is there.

Everything here may be done twice, by several processes at once, or be cut short: it looks at what the
database says and does what is missing. It is called when a job is submitted, when one ends, and by the
reconciler.
"""

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from blindspots.errors import BlindspotsError, Conflict, InvalidInput, NotFound, Unavailable
from blindspots.experiments.steps import with_models
from blindspots.store import history, steps
from blindspots.store.tables import ENDED
from blindspots.work.planning import Planning, Request, with_reused
from blindspots.work.promises import parse_step

log = logging.getLogger(__name__)


class Progression(Planning):
    """From a plan of steps to their jobs."""

    def ended(self, job_id: str) -> None:
        """A job has ended: the job that it is a step of goes on. What fails here, the reconciler does."""
        try:
            with self.database.read() as tx:
                parent = steps.parent_of(tx, job_id)
            if parent is not None:
                self.advance(parent.id)
        except Unavailable:
            log.warning("the job above %s could not go on; the reconciler will see to it", job_id)

    def advance_all(self) -> None:
        """Every job whose steps are under way goes on, where something is to be done."""
        with self.database.read() as tx:
            found = steps.unfinished(tx)
        for job_id in found:
            try:
                self.advance(job_id)
            except BlindspotsError as error:
                log.warning("job %s could not go on: %s", job_id, error.message)

    def advance(self, job_id: str) -> None:
        """Submit what can be submitted, release the job's own parts after the last step, or fail with the
        step that failed.
        """
        with self.database.read() as tx:
            row = history.find(tx, job_id)
            planned = steps.of(tx, job_id)
            waits = history.waits_for_jobs(tx, job_id)
        if not planned or waits or row.state in ENDED:
            return
        broken = next((step for step in planned if step.state in ("failed", "cancelled")), None)
        if broken is not None:
            self._fail(job_id, broken.name, _reason(broken))
        elif all(step.state == "succeeded" for step in planned):
            with self.database.write() as tx:
                released = steps.release(tx, job_id)
            if released:
                self.announce("batch" if row.lane == "batch" else "interactive")
        else:
            self._submit_ready(row, planned)

    def _submit_ready(self, parent: Row[Any], planned: Sequence[Row[Any]]) -> None:
        succeeded = {step.name for step in planned if step.state == "succeeded"}
        models = {
            step.name: str(step.summary["model_id"])
            for step in planned
            if step.state == "succeeded" and step.summary.get("model_id")
        }
        for step in planned:
            if step.job_id is None and succeeded.issuperset(step.needs):
                try:
                    self._submit_step(parent, step, models)
                except (InvalidInput, Conflict, NotFound) as error:
                    self._fail(parent.id, step.name, error.message)
                    return

    def _submit_step(self, parent: Row[Any], step: Row[Any], models: dict[str, str]) -> None:
        catalog = self._catalog(parent.project_id)
        spec = parse_step(self.kinds, with_models(step.spec, models), "spec").resolve(catalog)
        request = Request(
            parent.owner, parent.lane, None, "", fresh=step.fresh, kept=False, project_id=parent.project_id
        )
        new = self._new_job(spec, self._plan(spec, "batch", catalog), request, catalog)
        with self.database.write() as tx:
            if not step.fresh:
                new = with_reused(new, self._reusable(tx, spec, new))
            job_id = steps.submit(tx, parent.id, step.name, new)
        if job_id is None:
            return
        self.announce(parent.lane)
        if new.steps:
            self.advance(job_id)

    def _fail(self, job_id: str, step: str, reason: str) -> None:
        error = {"code": "step_failed", "message": f"The step “{step}” {reason}", "field": None}
        with self.database.write() as tx:
            failed = steps.fail(tx, job_id, error)
        if failed:
            self.ended(job_id)


def _reason(step: Row[Any]) -> str:
    if step.state == "cancelled":
        return "was cancelled."
    message = (step.error or {}).get("message")
    return f"failed: {message}" if message else "failed."
