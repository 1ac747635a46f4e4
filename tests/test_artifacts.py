"""Files that are named by their content: what was written is read, or nothing is."""

import os
import time

import numpy as np
import pytest
from sqlalchemy import text

from blindspots.errors import ArtifactCorrupt, Conflict
from blindspots.store import files, history, images, jobs
from blindspots.store.artifacts import ArtifactStore
from claims import claim, commit, submit
from stub_kind import Stub
from workbench import Workbench


@pytest.fixture
def bench(database_url, tmp_path):
    made = Workbench(database_url, tmp_path / "data")
    yield made
    made.close()


class TestArtifacts:
    """Files that are named by their content."""

    @pytest.fixture
    def store(self, tmp_path):
        return ArtifactStore(tmp_path / "artifacts")

    def test_what_was_written_is_read(self, store):
        arrays = {
            "a": np.arange(12, dtype=np.float32).reshape(4, 3).T,
            "b": np.array([True, False]),
            "e": np.zeros((0, 2)),
        }
        artifact = store.write_arrays(arrays)
        assert store.write_arrays(arrays) == artifact
        opened = store.open_arrays(artifact.sha256)
        assert opened.names == {"a", "b", "e"}
        for name, array in arrays.items():
            np.testing.assert_array_equal(opened.array(name), array)
            assert opened.array(name).dtype == array.dtype
        np.testing.assert_array_equal(opened.array("a", slice(1, 3)), arrays["a"][1:3])
        np.testing.assert_array_equal(opened.array("a", slice(0, 0)), arrays["a"][0:0])
        np.testing.assert_array_equal(opened.array("a", slice(2, 99)), arrays["a"][2:])
        with pytest.raises(KeyError):
            opened.array("c")

    def test_a_flipped_bit_is_never_served(self, store):
        artifact = store.write_arrays({"a": np.arange(1000.0)})
        path = store.path(artifact.sha256)
        content = bytearray(path.read_bytes())
        content[-5] ^= 1
        path.write_bytes(content)
        for read in (store.read, store.read_arrays, store.open_arrays):
            with pytest.raises(ArtifactCorrupt):
                read(artifact.sha256)
        path.unlink()
        for read in (store.read, store.open_arrays):
            with pytest.raises(ArtifactCorrupt):
                read(artifact.sha256)

    def test_a_damaged_file_is_replaced_by_writing_again(self, store):
        artifact = store.write(b"hello", "text/plain")
        store.path(artifact.sha256).write_bytes(b"hel")
        store.write(b"hello", "text/plain")
        assert store.read(artifact.sha256) == b"hello"

    def test_names_cannot_leave_the_folder(self, store):
        for name in ("../../etc/passwd", "a" * 63, "A" * 64, "", "/" * 64):
            with pytest.raises(ValueError, match="SHA-256"):
                store.path(name)

    def test_orphans_go_and_what_is_referred_to_stays(self, bench):
        store = bench.artifacts
        kept, orphan = store.write(b"kept", "image/png"), store.write(b"orphan", "image/png")
        with bench.database.write() as tx:
            images.enter(tx, kept, (1, 1, 1))
            files.enter(tx, orphan)
        leftover = store.folder / "unfinished" / "x"
        leftover.write_bytes(b"half")
        assert files.sweep(bench.database, store) == 0  # both are young
        old = time.time() - 2 * files.ORPHAN_SECONDS
        for path in (store.path(kept.sha256), store.path(orphan.sha256), leftover):
            os.utime(path, (old, old))
        with bench.database.write() as tx:
            tx.execute(text("UPDATE artifacts SET created_at = '2020-01-01 00:00:00.000000+00:00'"))
        assert files.sweep(bench.database, store) == 1
        assert store.read(kept.sha256) == b"kept"
        assert not store.path(orphan.sha256).exists()
        assert not leftover.exists()


def test_deleting_a_job_leaves_what_others_use(bench):
    job_id = submit(bench, part_count=1)
    with pytest.raises(Conflict):
        bench.service.delete(job_id)
    commit(bench, claim(bench))
    commit(bench, claim(bench))
    again = bench.service.submit(Stub(part_count=1), owner="grace")["id"]
    assert bench.service.job(again)["parts"]["reused"] == 1
    bench.service.delete(job_id)
    commit(bench, claim(bench))
    with bench.database.read() as tx:
        row = history.part_row(tx, again, 0)
        assert jobs.remembered(tx, "ada", "nothing") is None
    assert bench.artifacts.open_arrays(row.artifact_sha256).names == {"drawn"}
