"""What users bring as data: archives that are uploaded, and sets that are deleted."""

import shutil
import uuid

import orjson

from blindspots.errors import Conflict, InvalidInput, NotFound, Unavailable
from blindspots.experiments.image_set_labels import folders_of
from blindspots.store import files, jobs
from blindspots.store.artifacts import Arriving
from blindspots.work.foundation import Json
from blindspots.work.shelves import Shelves
from blindspots.zoo.halves import HalfDataset

RESERVE_BYTES = 1 << 30  # of the disk, which an upload leaves free
LISTED = 50  # folders and tables in the answer to an upload


class PictureArchives(Shelves):
    """Image sets and what they are made of."""

    def check_room(self, size: int) -> None:
        """Raises Unavailable where the disk of the results has no room for so many bytes."""
        try:
            free = shutil.disk_usage(self.artifacts.folder).free
        except OSError as error:
            raise Unavailable(f"The folder of results cannot be read: {error.strerror}.") from error
        if free < size + RESERVE_BYTES:
            raise Unavailable("The disk of the results is nearly full. Free some space, then try again.")

    def receive_archive(self) -> Arriving:
        """A file that is about to come in pieces. Raises Unavailable."""
        self._require_member()
        try:
            return self.artifacts.receive()
        except OSError as error:
            raise Unavailable(f"The archive cannot be stored: {error.strerror}.") from error

    def take_piece(self, arriving: Arriving, piece: bytes) -> None:
        """Write the next piece of it. Raises Unavailable where the disk is full."""
        self.check_room(len(piece))
        try:
            arriving.write(piece)
            arriving.flush()
        except OSError as error:
            raise Unavailable(f"The archive cannot be stored: {error.strerror}.") from error

    def keep_archive(self, arriving: Arriving, listing: Json) -> Json:
        """Keep a checked archive and what it holds, for a day: id, sha256, bytes, images ...

        The id is that of the listing, so that the archive itself is never opened outside its own process.
        """
        try:
            archive = arriving.keep("application/zip")
            listed = self.artifacts.write(
                orjson.dumps({"sha256": archive.sha256, **listing}), "application/json"
            )
        except OSError as error:
            raise Unavailable(f"The archive cannot be stored: {error.strerror}.") from error
        with self.database.write() as tx:
            files.enter(tx, archive)
            files.enter(tx, listed)
            self._note(tx, "archive_upload", listed.sha256, self.actor.project_id, bytes=archive.bytes)
        return self.archive(listed.sha256)

    def archive(self, archive_id: str) -> Json:
        """What is known of an uploaded archive. NotFound where it is not here, or no longer."""
        try:
            pictures = self.sources.find("upload", archive_id, field="archive")
        except InvalidInput as error:
            raise NotFound(error.message) from error
        folders = folders_of(pictures.images)
        return {
            "id": archive_id, "sha256": pictures.sha256, "bytes": pictures.path.stat().st_size,
            "images": len(pictures.images), "broken": len(pictures.broken),
            "folders": folders[:LISTED], "folder_count": len(folders),
            "tables": [
                {"name": name, "columns": _columns(text)}
                for name, text in sorted(pictures.tables.items())[:LISTED]
            ],
        }  # fmt: skip

    def delete_dataset(self, name: str) -> None:
        """Delete an image set that was made here. Conflict while a job refers to it, and for other sets."""
        self.actor.require_service_admin()  # sets are everybody's
        dataset = self.folders.named(name)
        if dataset.source != "imported" or isinstance(dataset, HalfDataset):
            raise Conflict(f"{dataset.title} was not made here from pictures, so it cannot be deleted here.")
        with self.database.write() as tx:
            count = jobs.count_naming(tx, name, but_of_kind="image_set")
            if count:
                noun = "job refers" if count == 1 else "jobs refer"
                raise Conflict(
                    f"{count} {noun} to {name}. Delete the jobs first; their pages show its images."
                )
            self._note(tx, "dataset_delete", name, None)
            folder = self.settings.downloads / name
            removed = folder.parent / f".{name}-{uuid.uuid4().hex}"
            try:
                folder.rename(removed)
            except FileNotFoundError as error:
                raise NotFound(f"There is no data set {name!r}.") from error
            except OSError as error:
                raise Unavailable(f"The set cannot be deleted: {error.strerror}.") from error
        shutil.rmtree(removed, ignore_errors=True)
        self.folders.look_again()

    def dataset_version(self, name: str) -> tuple[str, bool]:
        """Hash of the set, and whether another one may take its name."""
        dataset = self.folders.available(name)
        return dataset.facts().sha256, dataset.source == "imported"


def _columns(text: str) -> list[str]:
    """The heading of a table."""
    heading = text.split("\n", 1)[0].strip()
    delimiter = ";" if ";" in heading and "," not in heading else ","
    return [cell.strip().strip('"')[:200] for cell in heading.split(delimiter)][:LISTED]
