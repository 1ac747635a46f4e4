"""Submitting a job, knowing its cost before, and what its owner may do to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection, exc

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Part, Spec
from blindspots.experiments.fieldpaths import field_path
from blindspots.store import costs, jobs
from blindspots.store.jobs import NewJob, NewPart, Reusable
from blindspots.work.fingerprints import cost_key, digest, part_fingerprint, part_seed
from blindspots.work.foundation import Json
from blindspots.work.reading import Reading

INTERACTIVE_IMAGES = 16
LARGEST_PLAN = 100_000

Lane = Literal["batch", "interactive"]


@dataclass(frozen=True)
class Request:
    """How a job was asked for."""

    owner: str
    lane: Lane
    key: str | None
    hash: str
    fresh: bool
    depends_on: Sequence[str]


class Submissions(Reading):
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
        document = spec.model_dump(mode="json")
        _check_text(document)
        asked = digest({"spec": document, "lane": lane, "fresh": fresh, "depends_on": list(depends_on)})
        request = Request(owner, lane, idempotency_key, asked, fresh, depends_on)
        if first := self._first_answer(request):
            return first
        resolved = spec.resolve(self.known)
        self._check_device(resolved)
        parts = self._plan(resolved, lane)
        try:
            job_id = self._store(self._new_job(resolved, parts, request), resolved, request)
        except exc.IntegrityError:
            # Another request with this key may have been committed a moment ago.
            if first := self._first_answer(request):
                return first
            raise
        self.announce(lane)
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
                new = _with_reused(new, self._reusable(tx, spec, new.parts))
            job_id = jobs.insert_job(tx, new)
            if request.key is not None:
                jobs.remember(tx, request.owner, request.key, request.hash, job_id)
        return job_id

    def _check_device(self, spec: Spec) -> None:
        if spec.device != "cuda":
            return
        with self.database.read() as tx:
            if not any(row.device == "cuda" for row in self._alive_workers(tx)):
                raise InvalidInput("No worker with a GPU is running. Choose auto or cpu.", field="device")

    def _plan(self, spec: Spec, lane: Lane) -> list[Part]:
        parts = spec.plan(self.known)
        if not parts or len(parts) > LARGEST_PLAN:
            raise InvalidInput(
                f"This job would have {len(parts)} parts; 1 to {LARGEST_PLAN} are possible. Ask for less."
            )
        if lane == "interactive" and sum(part.units for part in parts) > INTERACTIVE_IMAGES:
            raise InvalidInput(
                f"The interactive lane is for jobs of at most {INTERACTIVE_IMAGES} images. "
                "Send this one to the batch lane.",
                field="lane",
            )
        return parts

    def _new_job(self, spec: Spec, parts: Sequence[Part], request: Request) -> NewJob:
        document = spec.model_dump(mode="json")
        inputs = spec.inputs(self.known)
        model, dataset = document.get("model"), named_dataset(document)
        model_name = self.known.model(model, field="model").name if model else ""
        words = (spec.title, document["kind"], model_name, dataset or "", request.owner)
        seeds = [part_seed(spec.seed, index) for index in range(len(parts) + 1)]
        return NewJob(
            kind=document["kind"],
            title=spec.title,
            spec=document,
            spec_hash=digest(document),
            owner=request.owner,
            lane=request.lane,
            seed=spec.seed,
            device=spec.device,
            model_id=model or None,
            dataset=dataset,
            search_text=" ".join(word for word in words if word).lower(),
            cost_key=cost_key(spec),
            parts=[
                NewPart(
                    part.label, part.parameters, part.units, part.bytes_kept, seed,
                    part_fingerprint(spec, part, inputs, seed),
                )
                for part, seed in zip(parts, seeds, strict=False)
            ],
            merge_seed=seeds[-1],
            depends_on=tuple(request.depends_on),
        )  # fmt: skip

    def _reusable(self, tx: Connection, spec: Spec, parts: Sequence[NewPart]) -> dict[str, Reusable]:
        """Finished parts that are the same work on the kind of device that this job would run on."""
        if not spec.reusable:
            return {}
        device: str | None = spec.device
        if device == "auto":
            alive = {row.device for row in self._alive_workers(tx)}
            device = "cuda" if "cuda" in alive else "cpu" if alive else None
        return costs.reusable(tx, [part.fingerprint for part in parts], device)

    def estimate(self, spec: Spec) -> Json:
        """What a job would cost: parts, reused_parts, images, seconds, seconds_basis, bytes_kept,
        waiting_for.
        """
        _check_text(spec.model_dump(mode="json"))
        resolved = spec.resolve(self.known)
        planned = self._plan(resolved, "batch")
        new = self._new_job(resolved, planned, Request("", "batch", None, "", False, ()))
        with self.database.read() as tx:
            known = self._reusable(tx, resolved, new.parts)
            rate = costs.seconds_per_unit(tx, new.kind, new.cost_key)
            workers = max(1, sum(row.lane == "batch" for row in self._alive_workers(tx)))
            waiting_for = self._waiting_reason(tx, "batch")
        left = sum(part.units for part in new.parts if part.fingerprint not in known)
        seconds, basis = None, "No job of this kind has run here yet."
        if rate is not None:
            per_unit, count, same = rate
            seconds = round(left * per_unit / min(workers, len(planned)), 2)
            what = "with the same settings" if same else "of this kind with other settings"
            basis = f"From {count} part{'s' if count > 1 else ''} {what} on this installation."
        return {
            "parts": len(planned),
            "reused_parts": sum(part.fingerprint in known for part in new.parts),
            "images": sum(part.units for part in planned) if "images" in resolved.model_dump() else 0,
            "seconds": seconds,
            "seconds_basis": basis,
            "bytes_kept": sum(part.bytes_kept for part in planned),
            "waiting_for": waiting_for,
        }

    def rerun(self, job_id: str, changes: Mapping[str, Any], owner: str) -> Json:
        """Submit the job's Spec again with `changes` laid over it; an object is merged, anything else
        replaced.
        """
        row = self._row(job_id)
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
        if lane == "interactive" and sum(part.units for part in spec.plan(self.known)) > INTERACTIVE_IMAGES:
            lane = "batch"
        return self.submit(spec, owner=owner, lane=lane)

    def cancel(self, job_id: str) -> Json:
        """End the job for good; nothing of it is committed afterwards. Conflict when it has ended."""
        with self.database.write() as tx:
            jobs.cancel(tx, job_id)
        return self.job(job_id)

    def delete(self, job_id: str) -> None:
        """Forget an ended job. Conflict while it runs."""
        with self.database.write() as tx:
            jobs.remove(tx, job_id)

    def keep(self, job_id: str) -> Json:
        """Show an interactive job in the history. Answers the detail."""
        with self.database.write() as tx:
            jobs.change(tx, job_id, kept=True)
        return self.job(job_id)

    def rename(self, job_id: str, title: str) -> Json:
        """Give a job another title. Answers the detail."""
        if len(title) > 200:
            raise InvalidInput("A title has at most 200 characters.", field="title")
        row = self._row(job_id)
        words = (title, row.kind, row.model_name or "", row.dataset or "", row.owner)
        with self.database.write() as tx:
            jobs.change(tx, job_id, title=title, search_text=" ".join(word for word in words if word).lower())
        return self.job(job_id)


def _check_text(document: Any, path: str = "") -> None:
    """PostgreSQL stores no NUL, and SQLite should not store what PostgreSQL refuses."""
    if isinstance(document, str) and "\x00" in document:
        raise InvalidInput("A text cannot hold the NUL character.", field=path)
    if isinstance(document, Mapping):
        for name, value in document.items():
            _check_text(value, f"{path}.{name}".lstrip("."))
    elif isinstance(document, list):
        for value in document:
            _check_text(value, path)


def named_dataset(document: Mapping[str, Any]) -> str | None:
    """The data set that a Spec names, at its top or in its images."""
    images = document.get("images")
    found = document.get("dataset") or (images.get("dataset") if isinstance(images, Mapping) else None)
    return str(found) if found else None


def _with_reused(new: NewJob, known: Mapping[str, Reusable]) -> NewJob:
    return replace(new, parts=[replace(part, reused=known.get(part.fingerprint)) for part in new.parts])


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
