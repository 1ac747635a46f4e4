"""What a job would cost, from what earlier ones took on this installation."""

from collections.abc import Sequence

from blindspots.experiments.base import Catalog, Spec, Step
from blindspots.store import costs
from blindspots.work.foundation import Json
from blindspots.work.planning import Request
from blindspots.work.progression import Progression

UNKNOWN = "No job of this kind has run here yet."
MUCH = 3.0  # times what parts with other settings took: then these are no guide


class Estimates(Progression):
    """Nothing here is stored."""

    def _estimated(self, spec: Spec, catalog: Catalog, step: Step | None = None) -> Json:
        """A resolved Spec's own parts: parts, reused_parts, images, seconds, seconds_basis, bytes_kept."""
        planned = self._plan(spec, "batch", catalog)
        request = Request("", "batch", None, "", fresh=False, project_id=self.actor.project_id)
        new = self._new_job(spec, planned, request, catalog)
        with self.database.read() as tx:
            known = self._reusable(tx, spec, new)
            rate = costs.seconds_per_unit(tx, new.kind, new.cost_key)
            workers = max(1, sum(row.lane == "batch" for row in self._alive_workers(tx)))
        left = sum(part.units for part in new.parts if part.fingerprint not in known)
        seconds, basis = None, UNKNOWN
        guess = spec.unit_seconds(catalog)
        if guess > MUCH * (rate.per_unit if rate else 0.0) and not (rate and rate.same):
            # Jobs with small networks say nothing of one that is a thousand times as large.
            seconds = round(left * guess / min(workers, max(1, len(planned))), 2)
            basis = "A rough guess from the size of the network: nothing like it has run here yet."
        elif rate is not None and (rate.same or step is None or step.seconds == 1.0):
            seconds = round(left * rate.per_unit / min(workers, max(1, len(planned))), 2)
            what = "with the same settings" if rate.same else "of this kind with other settings"
            basis = f"From {rate.parts} part{'s' if rate.parts > 1 else ''} {what} on this installation."
        elif step is not None and step.seconds != 1.0:
            seconds = step.seconds if left or not planned else 0.0
        if not planned:
            seconds = 0.0
        return {
            "parts": len(planned),
            "reused_parts": sum(part.fingerprint in known for part in new.parts),
            "images": spec.image_count(),
            "seconds": seconds,
            "seconds_basis": basis,
            "bytes_kept": sum(part.bytes_kept for part in planned),
        }


def together(whole: Json, below: Sequence[Json]) -> Json:
    """The estimate of a job with all its steps."""
    every = [whole, *below]
    sums = {name: sum(each[name] for each in every) for name in ("parts", "reused_parts", "bytes_kept")}
    known = [each["seconds"] for each in every if each["seconds"] is not None]
    missing = len(every) - len(known)
    basis = f"Of {len(below)} steps, one after the other."
    if missing:
        basis += f" {missing} of them have never run here and are not counted."
    seconds = round(sum(known), 2) if known else None
    return whole | sums | {"seconds": seconds, "seconds_basis": basis}
