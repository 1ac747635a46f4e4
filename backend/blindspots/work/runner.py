"""The only loop: claim a part, run it, commit it, and go on until nothing is ready."""

import errno
import logging
import math
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sqlalchemy import exc

from blindspots.errors import BlindspotsError, Cancelled, InvalidInput, Unavailable
from blindspots.experiments.base import NewModel, Part, Result, Spec
from blindspots.settings import Settings
from blindspots.store import losses, parts
from blindspots.store.artifacts import ArtifactStore
from blindspots.store.database import Database
from blindspots.store.losses import Loss
from blindspots.store.models import NewModelRow
from blindspots.store.parts import Claim, Finished, Holder
from blindspots.work.context import PartContext, Supplies
from blindspots.work.foundation import parse
from blindspots.work.lifeline import Lifeline

COMMIT_PATIENCE_SECONDS = 30.0
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

log = logging.getLogger(__name__)


class Runner:
    """Runs parts of one lane in this thread, one after the other."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        artifacts: ArtifactStore,
        lifeline: Lifeline,
        *,
        kinds: Mapping[str, type[Spec]],
        lane: str,
        name: str,
        device: str,
        versions: Mapping[str, Any],
        ended: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`ended` is called with the id of each job that ended here."""
        self._settings = settings
        self._database = database
        self._artifacts = artifacts
        self._lifeline = lifeline
        self._kinds = kinds
        self._lane = lane
        self._name = name
        self._device = device
        self._versions = versions
        self._ended = ended
        self._supplies = Supplies(settings, database, artifacts, kinds)

    def run(self, hint: str | None = None) -> int:
        """Run the hinted part where it is still ready, then whatever comes next; answers how many parts ran.

        The merge of a job runs right after the part that completed it. Returns when nothing is ready, or the
        worker is asked to stop.
        """
        count = 0
        claim = self._claim(hint)
        while claim is not None:
            merge = self._run_one(claim)
            count += 1
            claim = self._claim(merge)
        return count

    def _claim(self, hint: str | None) -> Claim | None:
        if self._lifeline.stopping:
            return None
        holder = Holder(self._lifeline.worker_id, self._name, self._device)
        try:
            with self._database.write() as tx:
                claim = parts.claim(tx, self._lane, holder, self._settings.lease_seconds, hint)
        except Unavailable:
            log.warning("the database does not answer; the reconciler will send another message")
            return None
        self._lifeline.hold(claim)
        return claim

    def _run_one(self, claim: Claim) -> str | None:
        """Run and commit one part; answers the merge that thereby became ready."""
        try:
            return self._compute_and_commit(claim)
        except Cancelled:
            self._let_go(claim)
        except Unavailable as error:
            log.warning("part %s is given back: %s", claim.part_id, error)
            self._let_go(claim)
        except Exception as error:
            self._fail(claim, error)
        finally:
            self._lifeline.hold(None)
        return None

    def _compute_and_commit(self, claim: Claim) -> str | None:
        spec = parse(self._kinds, claim.spec)
        device = self._resolve(spec.device)
        context = PartContext(self._supplies, claim, self._lifeline, device)
        started = time.perf_counter()
        context.check_cancelled()
        if claim.merge:
            result = spec.merge(context)
        else:
            units = max(1, round(claim.units))
            result = spec.run(Part(claim.label, claim.parameters, units), context)
        finished = self._stored(result, time.perf_counter() - started, device)
        if self._lifeline.lost:
            raise Cancelled("The part is no longer ours.")
        merge = self._commit(claim, finished)
        if claim.merge:
            self._tell_end(claim.job_id)
        return merge

    def _resolve(self, wanted: str) -> str:
        if wanted == "cuda" and self._device != "cuda":
            raise InvalidInput("This worker has no GPU. Choose auto or cpu.", field="device")
        return self._device if wanted == "auto" else wanted

    def _stored(self, result: Result, seconds: float, device: str) -> Finished:
        """The result with its files safe on the disk."""
        return Finished(
            artifact=self._artifacts.write_arrays(result.arrays) if result.arrays else None,
            summary=plain(result.summary),
            seconds=seconds,
            versions={**self._versions, "device": device},
            device=device,
            models=tuple(self._stored_model(model) for model in result.models),
        )

    def _stored_model(self, model: NewModel) -> NewModelRow:
        return NewModelRow(
            name=model.name,
            network=model.network,
            parameters=plain(model.parameters),
            weights=self._artifacts.write_arrays(model.weights),
            input_shape=model.input_shape,
            class_names=model.class_names,
            dataset=model.dataset,
            metrics=plain(model.metrics),
            multiply_adds=model.multiply_adds,
            linear=model.linear,
            smooth=model.smooth,
        )

    def _commit(self, claim: Claim, finished: Finished) -> str | None:
        """Patient with a database that is away for a moment: the fence makes a second try harmless."""
        deadline = time.monotonic() + COMMIT_PATIENCE_SECONDS
        while True:
            try:
                with self._database.write() as tx:
                    accepted, merge = parts.commit(tx, claim, finished)
                break
            except (Unavailable, exc.IntegrityError):
                # An IntegrityError means that another job took the same model name at the same moment.
                if time.monotonic() > deadline or self._lifeline.lost:
                    raise
                time.sleep(0.5)
        if not accepted:
            log.warning("the result of part %s came too late and was refused", claim.part_id)
        return merge

    def _let_go(self, claim: Claim) -> None:
        """Give the part back where it is still ours; where it was cancelled or taken back, nothing is
        changed.
        """
        try:
            with self._database.write() as tx:
                parts.give_back(tx, claim)
        except Unavailable:
            log.warning("part %s could not be given back; its lease will run out", claim.part_id)

    def _fail(self, claim: Claim, error: Exception) -> None:
        log.error("part %s failed", claim.part_id, exc_info=error)
        try:
            with self._database.write() as tx:
                if isinstance(error, OSError) and error.errno in NO_SPACE:
                    full = Loss(parts.held(claim), "the disk is full", self._settings.max_attempts)
                    losses.take_back(tx, full)
                else:
                    parts.fail(tx, claim, describe(error), self._versions)
        except Unavailable:
            log.warning("the failure of part %s could not be noted; it will be tried again", claim.part_id)
        else:
            self._tell_end(claim.job_id)

    def _tell_end(self, job_id: str) -> None:
        """Whatever goes wrong here is no fault of the part: the reconciler tells the end too."""
        try:
            self._ended(job_id)
        except Exception:
            log.exception("the end of job %s could not be told", job_id)


def describe(error: Exception) -> dict[str, Any]:
    """What the user reads, and the trace for whoever repairs it."""
    code, field = "failed", None
    if isinstance(error, BlindspotsError):
        code, field, message = error.code, error.field, error.message
    elif isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        code, message = "out_of_memory", "The machine ran out of memory. Try fewer or smaller images."
    else:
        text = str(error).strip().partition("\n")[0]
        message = f"The computation failed with {type(error).__name__}{': ' + text if text else ''}."
    trace = "".join(traceback.format_exception(error))[-20_000:]
    return {"code": code, "message": _storable(message), "field": field, "trace": _storable(trace)}


def plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Ready for JSON: numpy numbers become Python's, NaN and infinities become null."""
    return {str(name): _plain(value) for name, value in document.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _storable(value) if isinstance(value, str) else value


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL."""
    return text.replace("\x00", "�")
