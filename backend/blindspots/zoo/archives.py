"""A zip archive of pictures, looked into without unpacking anything to the disk.

Runs in a process of its own (`picture_process`).
"""

import re
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Callable
from typing import IO, Any
from urllib.parse import unquote

from blindspots.zoo.picture_files import NotTaken, Unfit, check_kind, open_picture, quoted

LARGEST_RATIO = 10  # of all entries unpacked to the archive: pictures are compressed already
SMALLEST_BOMB = 64 << 20
LARGEST_TABLE = 16 << 20
LONGEST_NAME = 400
LITTER = re.compile(r"(?:^|/)(?:__MACOSX(?:/|$)|\.[^/]+(?:/|$)|Thumbs\.db$|desktop\.ini$)")
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
PATH_SIGNS = re.compile(r"[/\\\x00-\x1f]")


def check_name(raw: str) -> None:
    """Raises NotTaken for a name that could mean a place outside the archive, or another thing elsewhere."""
    name = raw.removesuffix("/")
    decoded = name
    for _ in range(3):
        decoded = unquote(decoded)
    if len(name) > LONGEST_NAME:
        problem = f"is longer than {LONGEST_NAME} characters"
    elif not name or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in raw):
        problem = "holds characters that no file name has"
    elif name.startswith("/") or re.match("[A-Za-z]:", name):
        problem = "is an absolute path"
    elif any(sign in '<>:"|?*\\' for sign in name):
        problem = 'holds one of < > : " | ? * \\, which not every system has in file names'
    elif any(not part.strip(".") for part in re.split(r"[/\\]", decoded)):
        problem = "leads out of its folder"
    elif len(PATH_SIGNS.findall(decoded)) > len(PATH_SIGNS.findall(name)):
        problem = "hides signs of a path"
    elif any(part != part.rstrip(". ") or RESERVED.fullmatch(part) for part in name.split("/")):
        problem = "ends in a dot or a space, or is reserved on some systems"
    else:
        return
    raise NotTaken(422, f"The entry {quoted(raw)} {problem}. Rename it and make the archive again.")


def true_name(entry: zipfile.ZipInfo) -> str:
    """The name as UTF-8, though many programs forget to say so. Raises NotTaken."""
    name = entry.orig_filename
    if entry.flag_bits & 0x800 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        raise NotTaken(
            422, f"The name of the entry {quoted(name)} is not UTF-8. Make the archive again with such names."
        ) from None


def check_entry(entry: zipfile.ZipInfo, name: str) -> None:
    """Raises NotTaken for what is not a plain, readable file or a folder."""
    check_name(name)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a link" if kind == stat.S_IFLNK else "a special file"
        raise NotTaken(422, f"The entry {quoted(name)} is {what}. Put the file itself into the archive.")
    if entry.flag_bits & 0x2041:
        raise NotTaken(422, f"The entry {quoted(name)} is encrypted. Make the archive without a password.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotTaken(
            422, f"The entry {quoted(name)} is packed by a method that is not read. Use deflate or none."
        )


def check_layout(entries: list[zipfile.ZipInfo], start: int, limits: dict[str, int]) -> None:
    """Raises NotTaken for too much, and for entries that share bytes or leave room for another file."""
    if len(entries) > limits["entries"]:
        raise NotTaken(413, f"The archive has more than {limits['entries']:,} entries. Make several of it.")
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(SMALLEST_BOMB, LARGEST_RATIO * packed):
        raise NotTaken(
            413,
            f"The archive promises {unpacked:,} bytes from {packed:,}; pictures do not shrink so much. At "
            f"most {LARGEST_RATIO} times as much is unpacked.",
        )
    end = 0
    for entry in sorted(entries, key=lambda each: each.header_offset):
        if entry.header_offset < end:
            raise NotTaken(422, f"The entry {quoted(entry.filename)} shares its bytes with another one.")
        end = entry.header_offset + 30 + len(entry.orig_filename.encode()) // 2 + entry.compress_size
    if end > start or (entries and min(each.header_offset for each in entries) != 0):
        raise NotTaken(422, "Something else stands before the archive's first entry or after its last one.")


def content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, most: int) -> bytes:
    """The whole entry, its checksum verified. Raises NotTaken."""
    if entry.file_size > most:
        raise NotTaken(
            413, f"The entry {quoted(name)} has {entry.file_size:,} bytes; at most {most:,} are read."
        )
    try:
        with archive.open(entry) as stream:
            data = stream.read(most + 1)
    except MemoryError:
        raise
    except Exception as error:  # many kinds, by zlib and zipfile; each means the same
        reason = "has a wrong checksum" if "CRC" in str(error) else "is damaged"
        raise NotTaken(422, f"The entry {quoted(name)} {reason}. Make the archive again.") from error
    if len(data) != entry.file_size:
        raise NotTaken(422, f"The entry {quoted(name)} does not have the length that the archive promises.")
    return data


def directory(stream: IO[bytes]) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """The archive, and its entries by their names. Raises NotTaken where it cannot be read, or a name stands
    twice.
    """
    try:
        archive = zipfile.ZipFile(stream)
    except UnicodeDecodeError:
        raise NotTaken(422, "A name in the archive is not UTF-8, though it says so.") from None
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OSError, IndexError) as error:
        raise NotTaken(422, "This is not a zip archive, or it is damaged or cut off.") from error
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = unicodedata.normalize("NFC", true_name(entry))
        if name in found:
            raise NotTaken(422, f"The entry {quoted(name)} is there twice. Which one is meant?")
        found[name] = entry
    return archive, found


def check(stream: IO[bytes], limits: dict[str, int], before_each: Callable[[], None]) -> dict[str, Any]:
    """What the archive holds. Every entry is read to its end. Raises NotTaken."""
    images: list[str] = []
    broken: dict[str, str] = {}
    tables: dict[str, str] = {}
    unread: dict[str, str] = {}
    archive, entries = directory(stream)
    check_layout(list(entries.values()), archive.start_dir, limits)
    for name, entry in entries.items():
        check_entry(entry, name)
    for name, entry in sorted(entries.items()):
        if name.endswith("/") or LITTER.search(name):
            continue
        before_each()
        if name.lower().endswith(".csv"):
            table(name, content(archive, entry, name, LARGEST_TABLE), tables, unread)
            continue
        data = content(archive, entry, name, limits["bytes"])
        check_kind(name, data)
        images.append(name)
        try:
            open_picture(data, limits["pixels"]).close()
        except Unfit as error:
            raise NotTaken(error.status, f"The entry {quoted(name)} {error}.") from error
        except ValueError as error:
            broken[name] = str(error)
    if not images:
        raise NotTaken(422, "There are no pictures in the archive. Put PNG, JPEG or WebP files into it.")
    return {"images": images, "broken": broken, "tables": tables, "unread": unread}


def table(name: str, data: bytes, tables: dict[str, str], unread: dict[str, str]) -> None:
    """Note the text of a table, or in which row it is none."""
    try:
        tables[name] = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        unread[name] = f"Row {row} of {quoted(name)} is not UTF-8. Save the table as UTF-8."
