"""From a Spec to what is stored of it: parts, steps, fingerprints, seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Catalog, Part, Spec
from blindspots.experiments.steps import in_order, needs
from blindspots.store import costs
from blindspots.store.jobs import NewJob, NewPart, NewStep, Reusable
from blindspots.store.tables import MAIN_PROJECT
from blindspots.work.fingerprints import cost_key, digest, part_fingerprint, part_seed
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
    depends_on: Sequence[str] = ()
    kept: bool = True  # shown in the history by itself
    project_id: str = MAIN_PROJECT


class Planning(Reading):
    """Nothing here is stored yet."""

    def _check_device(self, spec: Spec) -> None:
        if spec.device != "cuda":
            return
        with self.database.read() as tx:
            if not any(row.device == "cuda" for row in self._alive_workers(tx)):
                raise InvalidInput("No worker with a GPU is running. Choose auto or cpu.", field="device")

    def _plan(self, spec: Spec, lane: Lane, catalog: Catalog | None = None) -> list[Part]:
        catalog = catalog or self.known
        parts = spec.plan(catalog)
        if not (parts or spec.steps(catalog)) or len(parts) > LARGEST_PLAN:
            raise InvalidInput(
                f"This job would have {len(parts)} parts; 1 to {LARGEST_PLAN} are possible. Ask for less."
            )
        check_lane(lane, sum(part.units for part in parts))
        return parts

    def _new_job(
        self, spec: Spec, parts: Sequence[Part], request: Request, catalog: Catalog | None = None
    ) -> NewJob:
        catalog = catalog or self.known
        document = spec.model_dump(mode="json")
        inputs = spec.inputs(catalog)
        model, dataset = document.get("model"), named_dataset(document)
        model_name = catalog.model(model, field="model").name if model else ""
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
            steps=self._new_steps(spec, catalog, fresh=request.fresh),
            kept=request.kept,
            project_id=request.project_id,
        )  # fmt: skip

    def _new_steps(self, spec: Spec, catalog: Catalog, *, fresh: bool) -> list[NewStep]:
        """The steps in an order in which they can be submitted. Raises InvalidInput for a circle."""
        return [
            NewStep(
                name=step.name,
                kind=str(step.spec.get("kind", "")),
                title=str(step.spec.get("title", "")),
                spec=step.spec,
                needs=needs(step),
                weight=step.seconds,
                fresh=fresh,
            )
            for step in in_order(spec.steps(catalog), field=spec.steps_field or "steps")
        ]

    def _reusable(self, tx: Connection, spec: Spec, new: NewJob) -> dict[str, Reusable]:
        """Finished parts that are the same work on the kind of device that this job would run on."""
        if not spec.reusable:
            return {}
        device: str | None = spec.device
        if device == "auto":
            alive = {row.device for row in self._alive_workers(tx)}
            device = "cuda" if "cuda" in alive else "cpu" if alive else None
        return costs.reusable(tx, new.project_id, [part.fingerprint for part in new.parts], device)


def check_text(document: Any, path: str = "") -> None:
    """PostgreSQL stores no NUL, and SQLite should not store what PostgreSQL refuses."""
    if isinstance(document, str) and "\x00" in document:
        raise InvalidInput("A text cannot hold the NUL character.", field=path)
    if isinstance(document, Mapping):
        for name, value in document.items():
            check_text(value, f"{path}.{name}".lstrip("."))
    elif isinstance(document, list):
        for value in document:
            check_text(value, path)


def check_lane(lane: Lane, units: int) -> None:
    """Raises InvalidInput where a job is too long for the lane that a click waits for."""
    if lane == "interactive" and units > INTERACTIVE_IMAGES:
        raise InvalidInput(
            f"The interactive lane is for jobs of at most {INTERACTIVE_IMAGES} images. "
            "Send this one to the batch lane.",
            field="lane",
        )


def named_dataset(document: Mapping[str, Any]) -> str | None:
    """The data set that a Spec names, at its top or in its images; or that it makes."""
    if document.get("kind") == "image_set":
        return str(document["name"])
    images = document.get("images")
    found = document.get("dataset") or (images.get("dataset") if isinstance(images, Mapping) else None)
    return str(found) if found else None


def with_reused(new: NewJob, known: Mapping[str, Reusable]) -> NewJob:
    return replace(new, parts=[replace(part, reused=known.get(part.fingerprint)) for part in new.parts])
