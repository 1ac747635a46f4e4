"""Requests that must change nothing: every kind of bad input that the service can meet."""

import io
import json
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

ATTACK: dict[str, Any] = {
    "kind": "attack",
    "model": "digits-softmax",
    "images": {"source": "dataset", "dataset": "digits", "split": "test", "selection": "first", "count": 4},
    "method": {"name": "gaussian_noise", "sigma": 0.1},
}


def attack(**changes: Any) -> dict[str, Any]:
    """A good Spec with some top-level fields changed."""
    return {**ATTACK, **changes}


def images(**changes: Any) -> dict[str, Any]:
    """A good Spec with a bad selection of images."""
    return attack(images={**ATTACK["images"], **changes})


def method(**changes: Any) -> dict[str, Any]:
    """A good Spec with a bad method."""
    return attack(method={**ATTACK["method"], **changes})


@dataclass(frozen=True)
class Bad:
    """One request, and the answer that is due."""

    name: str
    body: Any
    status: int
    blamed: str | None = None
    content_type: str = "application/json"
    path: str = "/api/v1/jobs"
    verb: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """What goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


UNITS: dict[str, Any] = {"kind": "units", "model": "digits-softmax", "images": ATTACK["images"], "k": 2}

GOOD = json.dumps(ATTACK)
MODEL_MISSING = {name: value for name, value in ATTACK.items() if name != "model"}

JSON_BODIES = [
    Bad("not JSON", "count=3", 400),
    Bad("cut off", GOOD[:-1], 400),
    Bad("empty", "", 400),
    Bad("byte order mark", b"\xef\xbb\xbf" + GOOD.encode(), 400),
    Bad("UTF-16", GOOD.encode("utf-16"), 400),
    Bad("invalid UTF-8", GOOD.encode().replace(b"digits-softmax", b"\xff\xfe"), 400),
    Bad("plain text", GOOD, 415, content_type="text/plain"),
    Bad("a form", "kind=attack", 415, content_type="application/x-www-form-urlencoded"),
    Bad("no content type", GOOD, 415, content_type=""),
    Bad("duplicate key", '{"seed":1,"seed":9,' + GOOD[1:], 400, "seed"),
    Bad("nested 100,000 deep", "[" * 100_000, 400),
    Bad("nested 70 deep", '{"a":' * 70 + "1" + "}" * 70, 400),
    Bad("1e400", GOOD.replace("0.1", "1e400"), 422),
    Bad("NaN", GOOD.replace("0.1", "NaN"), 422),
    Bad("Infinity", GOOD.replace("0.1", "-Infinity"), 422),
    Bad("NaN as text", method(sigma="NaN"), 422, "method.sigma"),
    Bad("beyond 64 bits", GOOD.replace('"count": 4', '"count": 99999999999999999999'), 422),
    Bad("beyond any integer", GOOD.replace('"count": 4', '"count": 1' + "0" * 9000), 422),
    Bad("NUL", attack(title="a\x00b"), 422, "title"),
    Bad("half a surrogate pair", GOOD.replace("digits-softmax", "\\ud800"), 422, "model"),
    Bad("a list", "[1]", 422),
    Bad("larger than the cap", b" " * ((1 << 20) + 1), 413),
]

SPECS = [
    Bad("unknown kind", attack(kind="atack"), 422, "kind"),
    Bad("no kind", {"model": "digits-softmax"}, 422, "kind"),
    Bad("unknown field", attack(owner_id="root"), 422, "owner_id"),
    Bad("a state of one's own", attack(state="succeeded"), 422, "state"),
    Bad("no model", MODEL_MISSING, 422, "model"),
    Bad("missing model", attack(model="nobody"), 422, "model"),
    Bad("SQL for a model", attack(model="'; DROP TABLE jobs; --"), 422, "model"),
    Bad("URL for a model", attack(model="http://169.254.169.254/"), 422, "model"),
    Bad("path for a data set", images(dataset="../../etc"), 422, "images.dataset"),
    Bad("missing data set", images(dataset="nowhere"), 422, "images.dataset"),
    Bad("no images", images(count=0), 422, "images.count"),
    Bad("negative images", images(count=-1), 422, "images.count"),
    Bad("half an image", images(count=1.5), 422, "images.count"),
    Bad("images as text", images(count="4"), 422, "images.count"),
    Bad("images as truth", images(count=True), 422, "images.count"),
    Bad("10^9 images", images(count=10**9), 422, "images.count"),
    Bad("unknown split", images(split="holdout"), 422, "images.split"),
    Bad("class out of range", images(classes=[99]), 422, "images.classes"),
    Bad("unknown source", images(source="url"), 422, "images.source"),
    Bad("unknown method", attack(method={"name": "fgsm;rm"}), 422, "method.name"),
    Bad("method as text", attack(method="gaussian_noise"), 422, "method"),
    Bad("sigma out of range", method(sigma=-0.1), 422, "method.sigma"),
    Bad("unknown parameter", method(sgima=0.1), 422, "method.sgima"),
    Bad("truth as text", method(clip="yes"), 422, "method.clip"),
    Bad("unknown layer", {**UNITS, "layer": "hidden 9"}, 422, "layer"),
    Bad("rows longer than the selection", {**UNITS, "k": 5}, 422, "k"),
    Bad("unknown arm", {**UNITS, "arms": ["natural", "spatial"]}, 422, "arms"),
    Bad("unknown device", attack(device="tpu"), 422, "device"),
    Bad("negative seed", attack(seed=-1), 422, "seed"),
    Bad("long title", attack(title="x" * 201), 422, "title"),
    Bad("control character", attack(title="a\x1bb"), 422, "title"),
    Bad(
        "index out of range",
        attack(images={"source": "indices", "dataset": "digits", "split": "test", "indices": [0, 10**6]}),
        422,
        "images.indices",
    ),
    Bad(
        "target without a class",
        attack(method={"name": "minimum_distortion", "target": "given"}),
        422,
        "method.target_class",
    ),
    Bad(
        "unknown image",
        attack(images={"source": "upload", "image": "0" * 64, "label": None}),
        422,
        "images.image",
    ),
]

ANYWHERE = "00000000-0000-7000-8000-000000000000"
ADDRESSES = [
    Bad("unknown query parameter", GOOD, 422, "lanes", path="/api/v1/jobs?lanes=batch"),
    Bad("repeated query parameter", GOOD, 422, "lane", path="/api/v1/jobs?lane=batch&lane=batch"),
    Bad("unknown lane", GOOD, 422, "lane", path="/api/v1/jobs?lane=express"),
    Bad("long idempotency key", GOOD, 422, "idempotency-key", headers={"Idempotency-Key": "k" * 10_000}),
    Bad("limit 0", "", 422, "limit", path="/api/v1/jobs?limit=0", verb="GET"),
    Bad("limit 10^9", "", 422, "limit", path="/api/v1/jobs?limit=1000000000", verb="GET"),
    Bad("cursor of another", "", 422, "cursor", path="/api/v1/jobs?cursor=AAAA", verb="GET"),
    Bad("hidden column", "", 422, "sort", path="/api/v1/jobs?sort=owner__password", verb="GET"),
    Bad("NUL in a filter", "", 422, "search", path="/api/v1/jobs?search=%00", verb="GET"),
    Bad("no UUID", "", 422, "job_id", path="/api/v1/jobs/1", verb="GET"),
    Bad("nobody's job", "", 404, path=f"/api/v1/jobs/{ANYWHERE}", verb="GET"),
    Bad("nobody's job to cancel", "", 404, path=f"/api/v1/jobs/{ANYWHERE}/cancel"),
    Bad("row beyond 64 bits", "", 422, "row", path=f"/api/v1/jobs/{ANYWHERE}/examples/{2**70}", verb="GET"),
    Bad("other export", "", 422, "form", path=f"/api/v1/jobs/{ANYWHERE}/export/xlsx", verb="GET"),
    Bad("unknown model", "", 404, path="/api/v1/models/nobody", verb="GET"),
    Bad("unknown data set", "", 404, path="/api/v1/datasets/nobody", verb="GET"),
    Bad("image out of range", "", 404, path="/api/v1/datasets/digits/test/images/99999.png", verb="GET"),
    Bad("no such address", "", 404, path="/api/v1/nothing", verb="GET"),
    Bad("wrong method", "", 405, path="/api/v1/catalog", verb="PUT"),
    Bad("TRACE", "", 405, verb="TRACE"),
]


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The file that Pillow writes."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises that size, with next to no data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


GREY = Image.linear_gradient("L")
PNG = encoded(GREY, "PNG")
FRAMES = [Image.new("L", (8, 8), level) for level in (0, 255)]


def upload(name: str, body: bytes, status: int, content_type: str = "image/png") -> Bad:
    """A bad picture."""
    blamed = "image" if status in (413, 422) else None
    return Bad(name, body, status, blamed, content_type=content_type, path="/api/v1/images")


UPLOADS = [
    upload("no picture", b"", 422),
    upload("one byte", b"\x89", 415),
    upload("cut off", PNG[:100], 422),
    upload("only the magic", PNG[:8], 422),
    upload("broken checksum", PNG[:60] + bytes([PNG[60] ^ 255]) + PNG[61:], 422),
    upload("not a picture", b"hello " * 100, 415),
    upload("PNG named JPEG", PNG, 422, "image/jpeg"),
    upload("50,000 pixels wide", png_claiming(50_000, 50_000), 422),
    upload("width 0", png_claiming(0, 8), 422),
    upload("animated", encoded(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]), 422),
    upload("16 bits", encoded(Image.new("I;16", (8, 8)), "PNG"), 422),
    upload("larger than the cap", PNG + b"\0" * (10 << 20), 413),
    upload("GIF", encoded(GREY, "GIF"), 415, "image/gif"),
    upload("GIF named PNG", encoded(GREY, "GIF"), 415),
    upload("TIFF", encoded(GREY, "TIFF"), 415, "image/tiff"),
    upload("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415, "image/svg+xml"),
    upload("HTML named PNG", b"<!doctype html><script>alert(1)</script>", 415),
    upload("PDF", b"%PDF-1.7", 415, "application/pdf"),
    upload("pickle", b"\x80\x04\x95\x1c\x00\x00\x00cposix\nsystem\n", 415, "application/octet-stream"),
    upload("pickle named PNG", b"\x80\x02cposix\nsystem\n", 415),
    upload("PyTorch", b"PK\x03\x04archive/data.pkl", 415, "application/octet-stream"),
    upload("Keras", b"\x89HDF\r\n\x1a\n", 415, "application/octet-stream"),
    upload("NumPy", b"\x93NUMPY\x01\x00", 415, "application/octet-stream"),
]

EVERY = [*JSON_BODIES, *SPECS, *ADDRESSES, *UPLOADS]
