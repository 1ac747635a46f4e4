"""Archives that are refused: what each is called, how it is made, the status, and words of the reason."""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from photographs import archive, picture, two_classes

GOOD = picture()
JPEG = picture(form="JPEG")
NAMES = {
    "../../etc/passwd": "leads out", "..\\..\\x.png": "holds one of", "/etc/x.png": "absolute",
    "C:\\x.png": "absolute", "C:x.png": "absolute", "%2e%2e%2fx.png": "leads out",
    "%252e%252e%252fx.png": "leads out", "%2fetc%2fx.png": "leads out", "....//x.png": "leads out",
    "a/../b.png": "leads out", "./a.png": "leads out", "a//b.png": "leads out", "a/%2e%2e/b.png": "leads out",
    "..": "leads out", "a\0b.png": "characters", "a\r\nb.png": "characters", "a\x1b[31m.png": "characters",
    "a" * 5000 + ".png": "longer than", "CON": "reserved", "aux.png": "reserved", "x/NUL/y.png": "reserved",
    "x.png.": "ends in a dot", "x.png ": "ends in a dot", "filename*=UTF-8''x.png": "holds one of",
    "a%5cb.png": "hides signs",
}  # fmt: skip


@dataclass(frozen=True)
class BadArchive:
    """One that must be refused."""

    title: str
    make: Callable[[], bytes]
    status: int
    words: str


def named(name: str) -> bytes:
    """A good picture under any name at all."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        entry = zipfile.ZipInfo("placeholder")
        entry.filename = name
        packed.writestr(entry, GOOD)
    return stream.getvalue()


def with_mode(mode: int) -> bytes:
    """An entry that says it is something else than a file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("good.png", GOOD)
        entry = zipfile.ZipInfo("odd.png")
        entry.create_system, entry.external_attr = 3, mode << 16
        packed.writestr(entry, b"/etc/passwd")
    return stream.getvalue()


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    """The archive with some bytes exchanged; they must be there."""
    assert old in content
    assert len(old) == len(new)
    return content.replace(old, new)


def in_directory(offset: int, value: bytes, *, local: int | None = None) -> bytes:
    """An archive of one stored picture, with a field of its central entry (and its local one) changed."""
    content = bytearray(archive({"x.png": GOOD}, compression=zipfile.ZIP_STORED))
    central = content.index(b"PK\1\2")
    content[central + offset : central + offset + len(value)] = value
    if local is not None:
        content[local : local + len(value)] = value
    return bytes(content)


def twice() -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as packed:
        warnings.simplefilter("ignore")
        packed.writestr("x.png", GOOD)
        packed.writestr("x.png", GOOD)
    return stream.getvalue()


def closing(entries: int, size: int, start: int) -> bytes:
    """The end of an archive: so many entries, in a directory of that size and start."""
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, entries, entries, size, start, 0)


def overlapping(entries: int = 2) -> bytes:
    """Several entries of the directory that mean the same bytes, as in a bomb of Fifield's kind."""
    content = archive({"x.png": GOOD}, compression=zipfile.ZIP_STORED)
    start = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    record = content[start:end]
    records = b"".join(record.replace(b"x.png", f"{number:05}".encode()) for number in range(entries))
    closing = struct.pack(
        "<4s4H2IH", b"PK\5\6", 0, 0, entries & 0xFFFF, entries & 0xFFFF, len(records), start, 0
    )
    return content[:start] + records + closing


def many_entries(count: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for number in range(count):
            packed.writestr(zipfile.ZipInfo(f"{number}.png"), b"")
    return stream.getvalue()


def bomb(entries: int, size: int) -> bytes:
    """Entries of zeros that unpack to so much each."""
    content = b"\x89PNG\r\n\x1a\n" + bytes(size)
    return archive({f"{number}.png": content for number in range(entries)})


def wide_claim() -> bytes:
    """A zip64 field that promises an exabyte."""
    extra, check, unknown = struct.pack("<HHQQ", 1, 16, 1 << 60, len(GOOD)), zlib.crc32(GOOD), 0xFFFFFFFF
    sizes = struct.pack("<3I2H", check, unknown, unknown, 5, len(extra))
    head = struct.pack("<4s5H", b"PK\3\4", 45, 0, 0, 0, 33) + sizes + b"x.png" + extra
    record = struct.pack("<4s6H", b"PK\1\2", 45, 45, 0, 0, 0, 33) + sizes + bytes(14) + b"x.png" + extra
    return head + GOOD + record + closing(1, len(record), len(head + GOOD))


def image(form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(noise).save(stream, form, **options)
    return stream.getvalue()


def animation(form: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, form, save_all=True, append_images=frames[1:], duration=10)
    return stream.getvalue()


def one_colour(side: int, rows: int | None = None) -> bytes:
    """A black PNG of so many pixels on each side, in few bytes; of `rows` only, where that is given."""
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((side // 8 + 1) * (side if rows is None else rows)), 1)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def comment(text: bytes) -> bytes:
    """A JPEG with a comment."""
    return JPEG[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + JPEG[2:]


CONTENTS: dict[str, tuple[bytes, int, str]] = {
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415, "SVG"),
    "drawing.png": (b"\xef\xbb\xbf  <?xml version='1.0'?><svg/>", 415, "SVG"),
    "page.png": (b"<!doctype html><script>alert(1)</script>", 415, "HTML"),
    "paper.png": (b"%PDF-1.7\n", 415, "PDF"),
    "still.png": (image("GIF"), 415, "GIF"),
    "moving.gif": (animation("GIF"), 415, "GIF"),
    "moving.png": (animation("PNG"), 422, "animation"),
    "moving.webp": (animation("WEBP"), 422, "animation"),
    "huge.png": (one_colour(50_000, rows=1), 413, "50000 × 50000"),
    "old.bmp": (image("BMP"), 415, "BMP"),
    "scan.tiff": (image("TIFF"), 415, "TIFF"),
    "weights.pt": (archive({"data.pkl": b"\x80\x02."}), 415, "archive within"),
    "inner.zip": (archive({"x.png": GOOD}), 415, "archive within"),
    "inner.tar.gz": (b"\x1f\x8b\x08" + bytes(20), 415, "archive within"),
    "model.pkl": (b"\x80\x04K\x01.", 415, "pickle"),
    "model.h5": (b"\x89HDF\r\n\x1a\n", 415, "HDF5"),
    "array.png": (b"\x93NUMPY\x01\0", 415, "NumPy"),
    "run.png": (b"#!/bin/sh\nid\n", 415, "a program"),
    "program.jpg": (b"\x7fELF" + bytes(60), 415, "a program"),
    "notes.txt": (b"hello", 415, "not a picture"),
    "empty.png": (b"", 415, "not a picture"),
    "png-and-zip.png": (GOOD + archive({"x": b"y"}), 415, "archive at once"),
    "jpeg-and-zip.jpg": (JPEG + archive({"x": b"y"}), 415, "archive at once"),
    "jpeg-and-page.jpg": (comment(b"<script>alert(1)</script>"), 415, "document at once"),
    "png-and-page.png": (GOOD + b"<html><body onload=alert(1)>", 415, "document at once"),
    "jpeg-and-pdf.jpg": (comment(b"%PDF-1.4 "), 415, "document at once"),
    "jpeg-and-php.jpg": (comment(b"<?php system($_GET[0]);"), 415, "document at once"),
}


def every() -> Iterator[BadArchive]:
    """The whole corpus."""
    for name, words in NAMES.items():
        yield BadArchive(f"name {name[:30]!r}", lambda name=name: named(name), 422, words)
    for name, (content, status, words) in CONTENTS.items():
        files = {**two_classes(1), name: content}
        yield BadArchive(f"holds {name}", lambda files=files: archive(files), status, words)
    non_ascii = named("wörd.png").replace("wörd".encode(), b"w\xff\xferd")
    without_flag = named("abcde.png").replace(b"abcde", b"w\xff\xfed_")
    whole = archive(two_classes())
    stored = archive({"x.png": GOOD}, compression=zipfile.ZIP_STORED)
    litter = {".DS_Store": b"x", "__MACOSX/a.png": b"", "Thumbs.db": b"x"}
    yield from field_lies()
    made: list[tuple[str, Callable[[], bytes], int, str]] = [
        ("a name that says UTF-8 and is not", lambda: non_ascii, 422, "UTF-8"),
        ("a name of another encoding", lambda: without_flag, 422, "UTF-8"),
        ("no archive", lambda: b"hello, world", 422, "not a zip"),
        ("a picture", lambda: GOOD, 422, "not a zip"),
        ("nothing", lambda: b"", 422, "empty"),
        ("an archive of nothing", lambda: archive({}), 422, "no pictures"),
        ("an archive of litter", lambda: archive(litter), 422, "no pictures"),
        ("cut off", lambda: whole[: len(whole) // 2], 422, "not a zip"),
        ("cut off at its end", lambda: whole[:-5], 422, "not a zip"),
        ("something before it", lambda: b"MZ" + bytes(100) + whole, 422, "before"),
        ("a link", lambda: with_mode(0o120777), 422, "a link"),
        ("a pipe", lambda: with_mode(0o010644), 422, "special"),
        ("a device", lambda: with_mode(0o020644), 422, "special"),
        ("a socket", lambda: with_mode(0o140644), 422, "special"),
        ("bzip2", lambda: archive(two_classes(1), compression=zipfile.ZIP_BZIP2), 422, "method"),
        ("lzma", lambda: archive(two_classes(1), compression=zipfile.ZIP_LZMA), 422, "method"),
        ("one name twice", twice, 422, "twice"),
        ("overlapping entries", overlapping, 422, "shares"),
        ("a thousand overlapping entries", lambda: overlapping(1000), 422, "shares"),
        ("changed bytes", lambda: patched(stored, b"IHDR", b"IHDX"), 422, "checksum"),
        ("a local name that differs", lambda: patched(stored, b"PK\3\4", b"PK\3\5"), 422, "damaged"),
        ("a zip64 lie", wide_claim, 413, "promises"),
        ("one entry that is too large", lambda: bomb(1, 11 << 20), 413, "at most"),
        ("a bomb", lambda: bomb(20, 9 << 20), 413, "promises"),
        ("too many entries", lambda: many_entries(100_001), 413, "100,000"),
    ]  # fmt: skip
    yield from (BadArchive(*each) for each in made)


def field_lies() -> Iterator[BadArchive]:
    """Fields of an entry that are not true: where in the central record, where in the local one, and what."""
    fewer, more, far = (struct.pack("<I", size) for size in (20, len(GOOD) + 9, 1 << 30))
    lies: list[tuple[str, int, int | None, bytes, str]] = [
        ("encrypted", 8, 6, b"\1\0", "encrypted"),
        ("a wrong checksum", 16, 14, bytes(4), "checksum"),
        ("a promise of too few bytes", 24, 22, fewer, "damaged|checksum|length"),
        ("a promise of too many bytes", 24, 22, more, "damaged|checksum|length"),
        ("a packed size beyond the end", 20, 18, far, "after its last|damaged"),
        ("an offset beyond the end", 42, None, far, "before|after"),
    ]
    for title, offset, local, value, words in lies:
        content = in_directory(offset, value, local=local)
        yield BadArchive(title, lambda content=content: content, 422, words)


EVERY = list(every())
