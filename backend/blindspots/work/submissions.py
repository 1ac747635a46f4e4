"""Submitting a job, knowing its cost before, and what its owner may do to it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import exc

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Spec
from blindspots.experiments.fieldpaths import field_path
from blindspots.store import jobs, steps
from blindspots.store.jobs import NewJob
from blindspots.store.tables import MAIN_PROJECT
from blindspots.work.estimates import Estimates, together
from blindspots.work.fingerprints import digest
from blindspots.work.foundation import Json
from blindspots.work.planning import INTERACTIVE_IMAGES, Lane, Request, check_lane, check_text, with_reused
from blindspots.work.promises import check_steps, foresee


class Submissions(Estimates):
    """From a Spec to a stored job."""

    def submit(
        self,
        spec: Spec,
        *,
        owner: str,
        lane: Lane = "batch",
        idempotency_key: str | None = None,
        fresh: bool = False,
        depends_on: Sequence[str] = (),
    ) -> Json:
        """Store the job with its parts in one transaction, then tell the workers. Answers the Job view.

        The same owner and key with the same request answer the first job again; with another request
        InvalidInput is raised. `fresh` computes parts again that an earlier job has finished. The parts wait
        until every job of `depends_on` has succeeded.
        """
        project_id = self.actor.project_id
        self._require_member()
        document = spec.model_dump(mode="json")
        check_text(document)
        place = {} if project_id == MAIN_PROJECT else {"project_id": project_id}
        asked = digest(
            {"spec": document, "lane": lane, "fresh": fresh, "depends_on": list(depends_on), **place}
        )
        request = Request(owner, lane, idempotency_key, asked, fresh, depends_on, project_id=project_id)
        if first := self._first_answer(request):
            return first
        resolved = spec.resolve(self.known)
        self._check_device(resolved)
        parts = self._plan(resolved, lane)
        check_lane(lane, check_steps(self.kinds, resolved, self.known))
        new = self._new_job(resolved, parts, request)
        try:
            job_id = self._store(new, resolved, request)
        except exc.IntegrityError:
            # Another request with this key may have been committed a moment ago.
            if first := self._first_answer(request):
                return first
            raise
        self.announce(lane)
        if new.steps:
            self.advance(job_id)
        return self._job_view(job_id)

    def _first_answer(self, request: Request) -> Json | None:
        if request.key is None:
            return None
        with self.database.read() as tx:
            row = jobs.remembered(tx, request.owner, request.key)
        if row is None:
            return None
        if row.request_hash != request.hash:
            raise InvalidInput(
                "This Idempotency-Key was used for another request. Use a new key for a new job.",
                field="Idempotency-Key",
            )
        return self._job_view(row.job_id)

    def _store(self, new: NewJob, spec: Spec, request: Request) -> str:
        with self.database.write() as tx:
            if not request.fresh:
                new = with_reused(new, self._reusable(tx, spec, new))
            job_id = jobs.insert_job(tx, new)
            if request.key is not None:
                jobs.remember(tx, request.owner, request.key, request.hash, job_id)
            self._note(tx, "job_submit", job_id, new.project_id, kind=new.kind)
        return job_id

    def estimate(self, spec: Spec) -> Json:
        """What a job would cost, with its steps: parts, reused_parts, steps, images, seconds, seconds_basis,
        bytes_kept, waiting_for.
        """
        check_text(spec.model_dump(mode="json"))
        resolved = spec.resolve(self.known)
        whole = self._estimated(resolved, self.known)
        found = foresee(self.kinds, resolved, self.known)
        if below := [self._estimated(each.spec, each.catalog, each.step) for each in found]:
            whole = together(whole, below)
        with self.database.read() as tx:
            waiting_for = self._waiting_reason(tx, "batch")
        return whole | {"steps": len(below), "waiting_for": waiting_for}

    def rerun(self, job_id: str, changes: Mapping[str, Any], owner: str) -> Json:
        """Submit the job's Spec again with `changes` laid over it; an object is merged, anything else
        replaced.
        """
        row = self._row(job_id)
        there = self.acting(replace(self.actor, project_id=row.project_id))
        if "kind" in changes and changes["kind"] != row.kind:
            raise InvalidInput("A re-run keeps its kind. Submit a new job instead.", field="changes.kind")
        document = _laid_over(row.spec, changes)
        try:
            spec = self.kinds[row.kind].model_validate_json(_json(document))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = field_path(self.kinds[row.kind].model_json_schema(), first["loc"], document)
            raise InvalidInput(first["msg"], field=f"changes.{path}") from error
        lane: Lane = "interactive" if row.lane == "interactive" else "batch"
        if lane == "interactive" and sum(part.units for part in spec.plan(there.known)) > INTERACTIVE_IMAGES:
            lane = "batch"
        return there.submit(spec, owner=owner, lane=lane)

    def cancel(self, job_id: str) -> Json:
        """End the job and its steps for good; nothing of it is committed afterwards. Conflict when it has
        ended.
        """
        with self.database.write() as tx:
            row = self._own(tx, job_id)
            steps.cancel(tx, job_id)
            self._note(tx, "job_cancel", job_id, row.project_id, owner=row.owner)
        self.ended(job_id)
        return self.job(job_id)

    def delete(self, job_id: str) -> None:
        """Forget an ended job with its steps. Conflict while it runs, and for a step alone."""
        with self.database.write() as tx:
            row = self._own(tx, job_id)
            steps.remove(tx, job_id)
            self._note(tx, "job_delete", job_id, row.project_id, owner=row.owner, kind=row.kind)

    def keep(self, job_id: str) -> Json:
        """Show an interactive job in the history. Answers the detail."""
        with self.database.write() as tx:
            self._own(tx, job_id)
            jobs.change(tx, job_id, kept=True)
        return self.job(job_id)

    def rename(self, job_id: str, title: str) -> Json:
        """Give a job another title. Answers the detail."""
        if len(title) > 200:
            raise InvalidInput("A title has at most 200 characters.", field="title")
        with self.database.write() as tx:
            row = self._own(tx, job_id)
            words = (title, row.kind, row.model_name or "", row.dataset or "", row.owner)
            jobs.change(tx, job_id, title=title, search_text=" ".join(word for word in words if word).lower())
        return self.job(job_id)


def _laid_over(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A variant (an object with another `name` or `source`) replaces the old one whole."""
    merged = dict(document)
    for name, value in changes.items():
        old = merged.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and _same_variant(old, value):
            merged[name] = _laid_over(old, value)
        else:
            merged[name] = value
    return merged


def _same_variant(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return all(new.get(tag, old.get(tag)) == old.get(tag) for tag in ("name", "source"))


def _json(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError as error:
        raise InvalidInput("The changes cannot be written as JSON.", field="changes") from error
