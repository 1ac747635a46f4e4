"""The history: pages that cost the same however many jobs there are, and everything about one job."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, or_, select, tuple_

from blindspots.errors import InvalidInput
from blindspots.store.database import now
from blindspots.store.job_query import JobQuery
from blindspots.store.jobs import missing
from blindspots.store.progress import progress_of, step_count, step_fraction
from blindspots.store.tables import PART_STATES, job_dependencies, jobs, models, parts, steps

GROUPED = ("kind", "state")
TIMED = {
    "-created_at": ("created_at", True),
    "created_at": ("created_at", False),
    "-finished_at": ("finished_at", True),
}


def page(tx: Connection, query: JobQuery) -> tuple[Sequence[Row[Any]], str | None]:
    """Job rows in order, and the cursor of the next page, or None at the end.

    `-finished_at` lists ended jobs only. `kind` and `state` order by that column, newest first within each.
    """
    conditions = _conditions(query)
    after = _read_cursor(query)
    if query.sort in GROUPED:
        rows = _grouped_page(tx, query, conditions, after)
    else:
        rows = _timed_page(tx, query, conditions, after)
    if len(rows) <= query.limit:
        return rows, None
    return rows[: query.limit], _cursor(query.sort, rows[query.limit - 1])


def _selected() -> Any:
    """Jobs with their model's name, the job that each is a step of, and the present time."""
    parents = jobs.alias("parents")
    columns = (
        models.c.name.label("model_name"), steps.c.name.label("step"), parents.c.id.label("parent_id"),
        parents.c.kind.label("parent_kind"), parents.c.title.label("parent_title"), step_count,
        now().label("now"),
    )  # fmt: skip
    return (
        select(jobs, *columns)
        .outerjoin(models, models.c.id == jobs.c.model_id)
        .outerjoin(steps, steps.c.job_id == jobs.c.id)
        .outerjoin(parents, parents.c.id == steps.c.parent_id)
    )


def _timed_page(
    tx: Connection, query: JobQuery, conditions: list[ColumnElement[bool]], after: list[str] | None
) -> list[Row[Any]]:
    name, descending = TIMED[query.sort]
    column = jobs.c[name]
    if name == "finished_at":
        conditions = [*conditions, column.is_not(None)]
    if after:
        here, there = tuple_(column, jobs.c.id), tuple_(_moment(after[0]), after[1])
        conditions = [*conditions, here < there if descending else here > there]
    order = (column.desc(), jobs.c.id.desc()) if descending else (column, jobs.c.id)
    return list(tx.execute(_selected().where(*conditions).order_by(*order).limit(query.limit + 1)))


def _grouped_page(
    tx: Connection, query: JobQuery, conditions: list[ColumnElement[bool]], after: list[str] | None
) -> list[Row[Any]]:
    """One value of the column after the other: each is a range of an index."""
    column = jobs.c[query.sort]
    rows: list[Row[Any]] = []
    group = after[0] if after else tx.execute(select(func.min(column)).where(*conditions)).scalar()
    while group is not None and len(rows) <= query.limit:
        within = [*conditions, column == group]
        if after:
            within.append(tuple_(jobs.c.created_at, jobs.c.id) < tuple_(_moment(after[1]), after[2]))
            after = None
        ordered = _selected().where(*within).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
        rows.extend(tx.execute(ordered.limit(query.limit + 1 - len(rows))))
        group = tx.execute(select(func.min(column)).where(*conditions, column > group)).scalar()
    return rows


def _conditions(query: JobQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [jobs.c.project_id == query.project_id]
    if query.parent is not None:
        conditions.append(jobs.c.id.in_(select(steps.c.job_id).where(steps.c.parent_id == query.parent)))
    elif query.lane is None:
        conditions.append(jobs.c.kept.is_(True))
    for column in ("kind", "state", "owner", "dataset", "lane"):
        if (value := getattr(query, column)) is not None:
            conditions.append(jobs.c[column] == value)
    if query.model is not None:
        named = select(models.c.id).where(
            models.c.name == query.model, models.c.project_id == query.project_id
        )
        conditions.append(or_(jobs.c.model_id == query.model, jobs.c.model_id.in_(named)))
    for word in (query.search or "").lower().split():
        conditions.append(jobs.c.search_text.contains(word, autoescape=True))
    return conditions


def _cursor(sort: str, row: Row[Any]) -> str:
    if sort in GROUPED:
        place = [getattr(row, sort), row.created_at.isoformat(), row.id]
    else:
        place = [getattr(row, TIMED[sort][0]).isoformat(), row.id]
    return base64.urlsafe_b64encode(json.dumps([sort, *place]).encode()).decode().rstrip("=")


def _read_cursor(query: JobQuery) -> list[str] | None:
    if query.sort not in GROUPED and query.sort not in TIMED:
        raise InvalidInput(f"Sort by one of {', '.join([*TIMED, *GROUPED])}.", field="sort")
    if query.cursor is None:
        return None
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        sort, *place = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        if sort != query.sort or len(place) != (3 if sort in GROUPED else 2):
            raise ValueError("made for another order")
        if not all(isinstance(value, str) and "\x00" not in value for value in place):
            raise ValueError("not a cursor of ours")
        datetime.fromisoformat(place[-2]).astimezone()
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            "This is not a cursor of this list. Start again without one.", field="cursor"
        ) from error
    return [str(value) for value in place]


def _moment(text: str) -> Any:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise InvalidInput("This is not a cursor of this list. Start again without one.", field="cursor")
    return bindparam(None, value, type_=jobs.c.created_at.type)


def find(tx: Connection, job_id: str) -> Row[Any]:
    """The job's row with its model's name and the present time. Raises NotFound."""
    row = tx.execute(_selected().where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise missing()
    found: Row[Any] = row
    return found


def count_parts(tx: Connection, job_id: str) -> dict[str, int]:
    """Parts, without the merge, by state, and how many were reused."""
    rows = tx.execute(
        select(parts.c.state, func.count(), func.count(parts.c.reused_from))
        .where(parts.c.job_id == job_id, parts.c.merge.is_(False))
        .group_by(parts.c.state)
    ).all()
    counts = dict.fromkeys(("total", *PART_STATES, "reused"), 0)
    for state, number, reused in rows:
        counts[state] = number
        counts["total"] += number
        counts["reused"] += reused
    return counts


def waits_for_jobs(tx: Connection, job_id: str) -> bool:
    """Whether a job that this one depends on has not succeeded yet."""
    needed = select(job_dependencies.c.depends_on).join(jobs, jobs.c.id == job_dependencies.c.depends_on)
    unmet = needed.where(job_dependencies.c.job_id == job_id, jobs.c.state != "succeeded")
    return tx.execute(unmet.limit(1)).scalar() is not None


def part_rows(tx: Connection, job_id: str) -> Sequence[Row[Any]]:
    """All parts in order, the merge last. Raises NotFound."""
    find(tx, job_id)
    return tx.execute(select(parts).where(parts.c.job_id == job_id).order_by(parts.c.position)).all()


def part_row(tx: Connection, job_id: str, index: int) -> Row[Any] | None:
    """One part."""
    return tx.execute(
        select(parts).where(and_(parts.c.job_id == job_id, parts.c.position == index))
    ).one_or_none()


def job_view(tx: Connection, row: Row[Any]) -> dict[str, Any]:
    """A job as lists show it, ready for JSON; `waiting_for` is for the caller to fill."""
    return {
        "id": row.id,
        "kind": row.kind,
        "title": row.title,
        "state": row.state,
        "lane": row.lane,
        "kept": row.kept,
        "owner": row.owner,
        "project_id": row.project_id,
        "model": {"id": row.model_id, "name": row.model_name} if row.model_id else None,
        "dataset": row.dataset,
        "created_at": stamp(row.created_at),
        "started_at": stamp(row.started_at),
        "finished_at": stamp(row.finished_at),
        "seed": row.seed,
        "device": row.device,
        "progress": progress_of(tx, row),
        "waiting_for": None,
        "error": row.error,
        "summary": row.summary,
        "cancel_requested": row.cancel_requested_at is not None,
        "parent": _parent(row),
        "step_count": row.step_count,
    }


def _parent(row: Row[Any]) -> dict[str, str] | None:
    if row.parent_id is None:
        return None
    return {"id": row.parent_id, "kind": row.parent_kind, "title": row.parent_title, "step": row.step}


def step_view(tx: Connection, row: Row[Any]) -> dict[str, Any]:
    """A step with what became of it, ready for JSON."""
    ended = row.finished_at or row.now
    return {
        "name": row.name,
        "needs": row.needs,
        "kind": row.kind,
        "title": row.title,
        "state": row.state or "planned",
        "job_id": row.job_id,
        "fraction": step_fraction(tx, row),
        "seconds": (ended - row.started_at).total_seconds() if row.started_at else None,
        "error": row.error,
    }


def part_view(row: Row[Any]) -> dict[str, Any]:
    """A part, ready for JSON."""
    return {
        "id": row.id,
        "index": row.position,
        "label": row.label,
        "merge": row.merge,
        "state": row.state,
        "attempt": row.attempt,
        "units": row.units,
        "progress": row.progress,
        "worker": row.worker_name,
        "device": row.device,
        "started_at": stamp(row.started_at),
        "finished_at": stamp(row.finished_at),
        "seconds": row.seconds,
        "reused": row.reused_from is not None,
        "error": {name: row.error.get(name) for name in ("code", "message", "field")} if row.error else None,
    }


def stamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
