"""Rows of a finished job that the team pinned, each with a caption."""

from blindspots.errors import Conflict, NotFound
from blindspots.store import history, pins
from blindspots.store.jobs import missing
from blindspots.work.blind_tests import BlindTests
from blindspots.work.foundation import Json

MOST_PINS = 200  # of one job


class Pinning(BlindTests):
    """The paper's figures show chosen rows with a caption; so may a team, and says who chose."""

    def pins(self, job_id: str) -> list[Json]:
        """row, caption, owner, created_at and the row's record, in the order of the rows."""
        with self.database.read() as tx:
            self._found(tx, job_id)
            found = pins.of_job(tx, job_id)
        return [
            {
                "row": pin.job_row,
                "caption": pin.caption,
                "owner": pin.owner,
                "created_at": history.stamp(pin.created_at),
                "facts": self.example(job_id, pin.job_row)["facts"],
            }
            for pin in found
        ]

    def pin(self, job_id: str, row: int, caption: str) -> list[Json]:
        """Pin a row, or change its caption. NotFound where the job has no such row."""
        self._require_writer(job_id)
        self.example(job_id, row)
        with self.database.write() as tx:
            if pins.count(tx, job_id) >= MOST_PINS:
                raise Conflict(f"{MOST_PINS} rows of this job are pinned, the most there may be.")
            pins.put(tx, job_id, row, caption=caption, owner=self.actor.name)
        return self.pins(job_id)

    def unpin(self, job_id: str, row: int) -> None:
        """NotFound where the row is not pinned."""
        self._require_writer(job_id)
        with self.database.write() as tx:
            if not pins.remove(tx, job_id, row):
                raise NotFound("This row is not pinned.")

    def _require_writer(self, job_id: str) -> None:
        with self.database.read() as tx:
            self.actor.require(self._found(tx, job_id).project_id, "member", missing())
