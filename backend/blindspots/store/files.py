"""The rows of stored files, and which files nothing refers to any more."""

from sqlalchemy import ColumnElement, Connection, delete, exists, func, or_, select

from blindspots.store.artifacts import Artifact, ArtifactStore
from blindspots.store.database import Database, now
from blindspots.store.tables import artifacts, images, jobs, models, parts, weight_files
from blindspots.store.upserts import upsert

ORPHAN_SECONDS = 24 * 3600.0


def enter(tx: Connection, artifact: Artifact) -> None:
    """Note a file that is already safe on the disk."""
    values = {"bytes": artifact.bytes, "media_type": artifact.media_type, "created_at": now()}
    upsert(tx, artifacts, {"sha256": artifact.sha256}, values)


def total_bytes(tx: Connection) -> int:
    """Size of all stored files."""
    return int(tx.execute(select(func.coalesce(func.sum(artifacts.c.bytes), 0))).scalar_one())


def sweep(database: Database, store: ArtifactStore, older_than: float = ORPHAN_SECONDS) -> int:
    """Remove what nothing refers to and is older than that; answers how many files went.

    The row goes first, in its own transaction, and the file after it: a crash between leaves an orphan again.
    """
    with database.write() as tx:
        tx.execute(delete(artifacts).where(artifacts.c.created_at < now(-older_than), ~_referred()))
    removed = 0
    for sha256 in store.files_older_than(older_than):
        with database.write() as tx:  # no row can appear while the file goes
            if tx.execute(select(artifacts.c.sha256).where(artifacts.c.sha256 == sha256)).scalar() is None:
                store.remove(sha256)
                removed += 1
    return removed


def _referred() -> ColumnElement[bool]:
    sha256 = artifacts.c.sha256
    references = (
        parts.c.artifact_sha256, parts.c.checkpoint_sha256, jobs.c.result_sha256,
        models.c.weights_sha256, images.c.sha256, weight_files.c.sha256,
    )  # fmt: skip
    return or_(*(exists().where(column == sha256) for column in references))
