"""Whatever happens in whatever order, a job's parts are committed once, and none is lost.

A Hypothesis state machine drives the store as workers, users, the reconciler and crashes would, beside a
model of it that is a handful of dictionaries.
"""

import contextlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text, update

from blindspots.errors import Conflict
from blindspots.store import losses, parts
from blindspots.store.parts import Finished, Holder
from blindspots.store.tables import ENDED
from blindspots.store.tables import parts as part_table
from conftest import create_database, drop_database
from stub_kind import Stub
from workbench import Workbench

MAX_ATTEMPTS = 3
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Jobs(RuleBasedStateMachine):
    """`held` holds what each living claim may still do; everything else is read back and compared."""

    bench: Workbench
    held = Bundle("held")

    def __init__(self):
        super().__init__()
        with self.bench.database.write() as tx:
            for table in ("jobs", "turns", "idempotency_keys"):
                tx.execute(text(f"DELETE FROM {table}"))  # parts go with their jobs
        self.parts_of = {}  # job -> number of parts
        self.ended = {}  # job -> final state
        self.holders = {}  # part -> the claim that holds it
        self.losses = {}  # part -> workers lost on it
        self.committed = {}  # part -> attempt that committed it
        self.seed = 0

    @rule(count=st.integers(1, 4), owner=st.sampled_from(["ada", "grace"]))
    def submit(self, count, owner):
        self.seed += 1
        job = self.bench.service.submit(Stub(part_count=count, seed=self.seed), owner=owner, fresh=True)
        self.parts_of[job["id"]] = count

    @rule(target=held, worker=st.integers(0, 3))
    def claim(self, worker):
        with self.bench.database.write() as tx:
            claimed = parts.claim(tx, "batch", Holder(f"{worker:036d}", "test", "cpu"), 60.0)
        if claimed is None:
            return multiple()
        assert claimed.part_id not in self.holders, "a part was given to two workers"
        assert claimed.part_id not in self.committed, "a committed part was run again"
        assert claimed.job_id not in self.ended, "a part of an ended job was given out"
        self.holders[claimed.part_id] = claimed
        return claimed

    @rule(claimed=held)
    def renew(self, claimed):
        with self.bench.database.write() as tx:
            assert parts.renew(tx, claimed, 60.0) == self.stands(claimed)

    @rule(claimed=held, fraction=st.floats(-1, 2, allow_subnormal=False))
    def report(self, claimed, fraction):
        with self.bench.database.write() as tx:
            assert parts.report(tx, claimed, fraction, "so far") == self.stands(claimed)

    @rule(claimed=held)
    def commit(self, claimed):
        finished = Finished(None, {"attempt": claimed.attempt}, 0.1, {}, "cpu")
        with self.bench.database.write() as tx:
            accepted, _ = parts.commit(tx, claimed, finished)
        assert accepted == self.stands(claimed), (
            "a worker without the part could commit, or one with it could not"
        )
        if accepted:
            self.committed[claimed.part_id] = claimed.attempt
            self.release(claimed)
            if claimed.merge:
                self.end(claimed.job_id, "succeeded")

    @rule(claimed=held)
    def fail(self, claimed):
        with self.bench.database.write() as tx:
            accepted = parts.fail(tx, claimed, {"code": "failed", "message": "broken"}, {})
        assert accepted == self.stands(claimed)
        if accepted:
            self.end(claimed.job_id, "failed")

    @rule(claimed=held)
    def give_back(self, claimed):
        with self.bench.database.write() as tx:
            accepted = parts.give_back(tx, claimed)
        assert accepted == self.stands(claimed)
        if accepted:
            self.release(claimed)

    @rule(claimed=held)
    def worker_dies(self, claimed):
        with self.bench.database.write() as tx:
            expire = update(part_table).where(
                part_table.c.id == claimed.part_id, part_table.c.state == "running"
            )
            tx.execute(expire.values(lease_until=LONG_AGO))
            taken = losses.take_back(tx, losses.silent(MAX_ATTEMPTS))
            tx.execute(update(part_table).values(not_before=None))
        holder = self.holders.get(claimed.part_id)
        assert taken == (holder is not None)
        if holder:
            self.losses[claimed.part_id] = self.losses.get(claimed.part_id, 0) + 1
            self.release(holder)
            if self.losses[claimed.part_id] >= MAX_ATTEMPTS:
                self.end(claimed.job_id, "failed")

    @rule(pick=st.integers(0, 100))
    def cancel(self, pick):
        if not self.parts_of:
            return
        job_id = list(self.parts_of)[pick % len(self.parts_of)]
        before = self.ended.get(job_id)
        refused = before in ("succeeded", "failed")
        with pytest.raises(Conflict) if refused else contextlib.nullcontext():
            self.bench.service.cancel(job_id)
        if before is None:
            self.end(job_id, "cancelled")

    @rule()
    def finish_everything(self):
        """From any state on, one diligent worker brings every job to its end."""
        while (claimed := self.claim_quietly()) is not None:
            self.commit(claimed)

    def claim_quietly(self):
        with self.bench.database.write() as tx:
            claimed = parts.claim(tx, "batch", Holder("9" * 36, "test", "cpu"), 60.0)
        if claimed is not None:
            self.holders[claimed.part_id] = claimed
        return claimed

    def stands(self, claimed):
        return self.holders.get(claimed.part_id) is claimed

    def release(self, claimed):
        self.holders.pop(claimed.part_id, None)

    def end(self, job_id, state):
        self.ended[job_id] = state
        for claimed in [each for each in self.holders.values() if each.job_id == job_id]:
            self.release(claimed)

    @invariant()
    def states_agree(self):
        for job_id, count in self.parts_of.items():
            job = self.bench.service.job(job_id)
            rows = self.bench.service.parts(job_id)
            assert len(rows) == count + 1
            assert job["state"] == self.ended.get(job_id, job["state"])
            assert (job["state"] in ENDED) == (job_id in self.ended)
            done = [row for row in rows if row["state"] == "succeeded"]
            assert {row["id"] for row in done} == {row["id"] for row in rows if row["id"] in self.committed}
            assert all(self.committed[row["id"]] == row["attempt"] for row in done)
            running = {row["id"] for row in rows if row["state"] == "running"}
            assert running == {each.part_id for each in self.holders.values() if each.job_id == job_id}
            merge = rows[-1]
            others_done = len([row for row in done if not row["merge"]]) == count
            if job["state"] not in ENDED:
                assert (merge["state"] == "waiting") == (not others_done)
            assert 0 <= job["progress"]["done"] <= job["progress"]["total"] == 2 * count
            assert job["parts"]["succeeded"] + merge["state"].count("succeeded") == len(done)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_jobs_whatever_happens(kind):
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/x.sqlite" if kind == "sqlite" else create_database()
        bench = Workbench(url, Path(folder) / "data")
        machine = type("JobsHere", (Jobs,), {"bench": bench})
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=12,
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            bench.close()
            if kind == "postgresql":
                drop_database(url)
