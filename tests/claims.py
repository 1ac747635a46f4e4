"""What a worker does to the store, step by step, for tests that need no worker."""

import numpy as np

from blindspots.store import parts
from blindspots.store.parts import Finished, Holder
from stub_kind import Stub

HOLDER = Holder("w" * 36, "a test", "cpu")


def claim(bench, lane="batch", lease=60.0, holder=HOLDER):
    with bench.database.write() as tx:
        return parts.claim(tx, lane, holder, lease)


def commit(bench, claimed, **summary):
    artifact = bench.artifacts.write_arrays({"drawn": np.arange(3.0)})
    with bench.database.write() as tx:
        return parts.commit(tx, claimed, Finished(artifact, summary, 0.1, {}, "cpu"))


def states(bench, job_id):
    return [part["state"] for part in bench.service.parts(job_id)]


def submit(bench, owner="ada", **values):
    return bench.service.submit(Stub(**values), owner=owner)["id"]
