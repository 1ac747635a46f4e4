"""Pictures that an image set can be made of: uploaded archives, and folders below the allowed roots."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from blindspots.errors import ArtifactCorrupt, InvalidInput
from blindspots.experiments.facts import PicturePlace, Pictures
from blindspots.settings import Settings
from blindspots.store.artifacts import ArtifactStore
from blindspots.work.cache import Recent

MOST_FILES = 100_000
LARGEST_TABLE = 16 << 20
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
KEPT_LISTINGS = 8
LARGEST_LISTING = 256 << 20


class PictureSources:
    """Looks them up. `archive` is the id of an upload: the hash of its listing, which names the archive."""

    def __init__(self, settings: Settings, artifacts: ArtifactStore) -> None:
        self._settings, self._artifacts = settings, artifacts
        self._listings: Recent[Any] = Recent(KEPT_LISTINGS)

    def find(self, place: PicturePlace, reference: str, *, field: str) -> Pictures:
        """Raises InvalidInput naming the field where there is nothing."""
        if place == "upload":
            return self._archive(reference, field=field)
        return self._folder(reference, field=field)

    def limits(self) -> dict[str, int]:
        """Of archives and of one picture."""
        settings = self._settings
        return {"entries": MOST_FILES, "bytes": settings.max_image_bytes, "pixels": settings.max_image_pixels}

    def _archive(self, reference: str, *, field: str) -> Pictures:
        try:
            listing = self._listings.get(reference, lambda: self._listing(reference))
            path = self._artifacts.verified_path(listing["sha256"])
        except (ArtifactCorrupt, OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                "This archive is not here, or no longer: an upload is kept for a day. Upload it again.",
                field=field,
            ) from error
        return Pictures(
            listing["sha256"], path, True, tuple(listing["images"]), listing["broken"],
            listing["tables"], listing["unread"], self.limits(),
        )  # fmt: skip

    def _listing(self, reference: str) -> Any:
        """Raises ValueError and OSError where no listing has that hash."""
        if self._artifacts.path(reference).stat().st_size > LARGEST_LISTING:
            raise ValueError("this is no listing")
        return orjson.loads(self._artifacts.read(reference))

    def _folder(self, folder: str, *, field: str) -> Pictures:
        path = self._resolved(folder, field=field)
        digest = hashlib.sha256()
        images: list[str] = []
        tables: dict[str, str] = {}
        unread: dict[str, str] = {}
        for name, status in sorted(_walk(path, field=field)):
            ending = os.path.splitext(name)[1].lower()
            if ending not in (*ENDINGS, ".csv"):
                continue
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
            if ending == ".csv":
                _read_table(path / name, name, tables, unread)
            else:
                images.append(name)
        if not images:
            raise InvalidInput(f"There are no PNG, JPEG or WebP pictures in {folder}.", field=field)
        return Pictures(digest.hexdigest(), path, False, tuple(images), {}, tables, unread, self.limits())

    def _resolved(self, folder: str, *, field: str) -> Path:
        """The folder below the first root that has it. No link is followed."""
        parts = [] if folder == "." else folder.split("/")
        if any(part in ("", ".", "..") or part.startswith(".") for part in parts):
            raise InvalidInput("Name a folder below an allowed root, like photos/cats.", field=field)
        for root in self._settings.image_roots:
            path = root.joinpath(*parts)
            below = [root.joinpath(*parts[: depth + 1]) for depth in range(len(parts))]
            try:
                if not any(each.is_symlink() for each in below) and path.is_dir():
                    return path
            except OSError:
                continue
        if not self._settings.image_roots:
            raise InvalidInput(
                "This installation lets no folder be read. Upload an archive, or set BLINDSPOTS_IMAGE_ROOTS.",
                field=field,
            )
        raise InvalidInput(f"There is no folder {folder[:200]} below the allowed roots.", field=field)

    def offered(self) -> list[dict[str, str]]:
        """The roots and the folders directly below them: folder as a job names it, and where it lies."""
        found: dict[str, str] = {}
        for root in self._settings.image_roots:
            try:
                inner = sorted(each.name for each in os.scandir(root) if each.is_dir(follow_symlinks=False))
            except OSError:
                continue  # not there, or not ours to read
            found.setdefault(".", str(root))
            for name in inner:
                if not name.startswith("."):
                    found.setdefault(name, str(root / name))
        return [{"folder": folder, "path": path} for folder, path in found.items()]


def _walk(folder: Path, *, field: str, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Every plain file with its path below the folder. Raises InvalidInput for links and for too many."""
    count = 0
    waiting = [below]
    while waiting:
        inner = waiting.pop()
        try:
            entries = sorted(os.scandir(folder / inner), key=lambda each: each.name)
        except OSError as error:
            raise InvalidInput(f"{inner or '.'} cannot be read: {error.strerror}.", field=field) from error
        for entry in entries:
            name = f"{inner}/{entry.name}" if inner else entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                raise InvalidInput(f"{name} is a link. Put the file itself there.", field=field)
            if entry.is_dir():
                waiting.append(name)
            elif entry.is_file():
                count += 1
                yield name, entry.stat()
            if count > MOST_FILES:
                raise InvalidInput(
                    f"There are more than {MOST_FILES:,} files. Make several sets.", field=field
                )


def _read_table(path: Path, name: str, tables: dict[str, str], unread: dict[str, str]) -> None:
    """The text of a table, or why there is none."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            data = stream.read(LARGEST_TABLE + 1) if regular else b""
        if len(data) > LARGEST_TABLE:
            unread[name] = f"{name} has more than {LARGEST_TABLE:,} bytes."
        else:
            tables[name] = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        unread[name] = f"Row {row} of {name} is not UTF-8. Save the table as UTF-8."
    except OSError as error:
        unread[name] = f"{name} cannot be read: {error.strerror}."
