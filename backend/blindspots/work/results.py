"""Looking at what a finished job found: figures, examples, exports. Results are read lazily."""

import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

import numpy as np
import orjson
from PIL import Image

from blindspots.errors import NotFound
from blindspots.experiments.examples import Example, ExampleQuery
from blindspots.experiments.parameters import Arrays, Theme
from blindspots.work.cache import Recent
from blindspots.work.foundation import Json
from blindspots.work.outcomes import StoredOutcome
from blindspots.work.submissions import Submissions

FIGURE_BYTES = 64 << 20  # of figure JSON kept in memory
CHUNK_ROWS = 2000


class Results(Submissions):
    """What finished jobs found."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._figures: Recent[bytes] = Recent(FIGURE_BYTES, len)
        self._outcomes: Recent[StoredOutcome] = Recent(64)

    def outcome(self, job_id: str) -> StoredOutcome:
        """Raises NotFound, and Conflict before the job has succeeded."""
        self._row(job_id)  # whoever asks must be allowed to, also where it is still in memory
        return self._outcomes.get(job_id, lambda: StoredOutcome(self, job_id))

    def figure(self, job_id: str, name: str, theme: Theme) -> bytes:
        """JSON document {figure: {data, layout}, title, reading, formula, source}."""
        outcome = self.outcome(job_id)
        figure = outcome.spec.figures.get(name)
        if figure is None:
            known = ", ".join(outcome.spec.figures) or "none"
            raise NotFound(f"This job has no figure {name!r}. It has: {known}.")

        def draw() -> bytes:
            drawing = figure.draw(outcome, theme).to_plotly_json()
            texts = {key: getattr(figure, key) for key in ("title", "reading", "formula", "source")}
            return _plotly_json({"figure": drawing, **texts})

        return self._figures.get((job_id, name, theme), draw)

    def examples(self, job_id: str, query: ExampleQuery) -> Json:
        """A page of the per-image results: total, matching, rows."""
        outcome = self.outcome(job_id)
        page = outcome.spec.examples(outcome, query)
        return {"total": page.total, "matching": page.matching, "rows": page.rows}

    def _example(self, job_id: str, index: int, column: int | None) -> Example:
        outcome = self.outcome(job_id)
        example = outcome.spec.example(outcome, index, column)
        if example is None:
            raise NotFound(f"This job has no example {index}.")
        return example

    def example(self, job_id: str, index: int, column: int | None = None) -> Json:
        """One image's full record: {facts}. NotFound where there is no such row. `column` chooses the
        evaluated model, for kinds that have several.
        """
        return {"facts": dict(self._example(job_id, index, column).facts)}

    def example_figure(self, job_id: str, index: int, theme: Theme, column: int | None = None) -> bytes:
        """JSON {data, layout} of the zoomable triptych; `null` where the image was not kept."""
        from blindspots.experiments.triptych import triptych_figure

        example = self._example(job_id, index, column)
        if example.adversarial is None:
            return b"null"
        return _plotly_json(triptych_figure(example, theme).to_plotly_json())

    def triptych(
        self, job_id: str, index: int, magnification: float | Literal["auto"] = "auto", scale: int = 1
    ) -> bytes:
        """PNG of original, perturbation and adversarial image. NotFound where the image was not kept."""
        from blindspots.experiments.triptych import triptych_png

        example = self._example(job_id, index, None)
        if example.adversarial is None:
            raise NotFound("Only the numbers of this image were kept, not its pixels.")
        amount = None if magnification == "auto" else magnification
        return _enlarged(triptych_png(example.original, example.adversarial, amount), scale)

    def panel(self, job_id: str, count: int, magnification: float, scale: int) -> bytes:
        """PNG of the first images that an attack changed, each with its magnified change. NotFound where
        there are none."""
        from blindspots.experiments.panel import panel_examples, panel_png

        outcome = self.outcome(job_id)
        examples = panel_examples(outcome, count)
        if not examples:
            raise NotFound("This job has no image that it changed as wanted and whose pixels it kept.")
        return _enlarged(panel_png(examples, magnification), scale)

    def export(
        self, job_id: str, form: Literal["csv", "json", "npz", "html"]
    ) -> tuple[str, str, Iterator[bytes]]:
        """File name, media type and content."""
        outcome = self.outcome(job_id)
        name = f"blindspots-{outcome.spec.model_dump()['kind']}-{job_id[:8]}.{form}"
        if form == "npz":
            return name, "application/zip", _npz(outcome.spec.export_arrays(outcome))
        if form == "html":
            if not outcome.spec.has_report:
                raise NotFound("There are no reports of jobs of this kind; take CSV, JSON or NPZ.")
            return name, "text/html; charset=utf-8", iter([outcome.spec.report(outcome).encode()])
        table = outcome.spec.table(outcome)
        if form == "csv":
            return name, "text/csv; charset=utf-8", _csv(table)
        return name, "application/json", _json_rows(self.job(job_id), table)


def _plotly_json(document: Mapping[str, Any]) -> bytes:
    """With arrays as plotly.js reads them fastest; NaN becomes null."""
    from plotly.utils import PlotlyJSONEncoder

    try:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # arrays that are not contiguous, dates: the slower encoder knows them all
        text: str = json.dumps(document, cls=PlotlyJSONEncoder, allow_nan=False)
        return text.encode()


def _enlarged(png: bytes, scale: int) -> bytes:
    if scale == 1:
        return png
    picture = Image.open(io.BytesIO(png))
    size = (picture.width * scale, picture.height * scale)
    stream = io.BytesIO()
    picture.resize(size, Image.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()


def _csv(table: Arrays) -> Iterator[bytes]:
    names = list(table)
    yield (",".join(names) + "\r\n").encode()
    length = len(table[names[0]]) if names else 0
    for start in range(0, length, CHUNK_ROWS):
        columns = [table[name][start : start + CHUNK_ROWS].tolist() for name in names]
        lines = (",".join(_cell(value) for value in row) for row in zip(*columns, strict=True))
        yield ("\r\n".join(lines) + "\r\n").encode()


def _cell(value: Any) -> str:
    """A text that a spreadsheet would run as a formula is quoted with an apostrophe."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    text = f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text


def _json_rows(job: Json, table: Arrays) -> Iterator[bytes]:
    head = {name: job[name] for name in ("id", "kind", "title", "spec", "versions", "summary", "created_at")}
    yield b'{"job":' + orjson.dumps(head) + b',"rows":['
    names = list(table)
    length = len(table[names[0]]) if names else 0
    for start in range(0, length, CHUNK_ROWS):
        columns = [table[name][start : start + CHUNK_ROWS].tolist() for name in names]
        rows = [orjson.dumps(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
        yield (b"," if start else b"") + b",".join(rows)
    yield b"]}"


class _Chunks:
    """A stream that cannot be rewound: what was written is taken away at once."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken


def _npz(arrays: Arrays) -> Iterator[bytes]:
    """Array by array, so that memory holds one at a time."""
    stream = _Chunks()
    with zipfile.ZipFile(cast(Any, stream), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            yield stream.take()
    yield stream.take()
