"""Trained networks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, update

from blindspots.errors import Conflict, NotFound
from blindspots.store import files
from blindspots.store.artifacts import Artifact
from blindspots.store.database import new_id, now
from blindspots.store.tables import MAIN_PROJECT, jobs, models


@dataclass(frozen=True)
class NewModelRow:
    """A trained network whose weights are already stored."""

    name: str
    network: str
    parameters: Mapping[str, Any]
    weights: Artifact
    input_shape: Sequence[int]
    class_names: Sequence[str]
    dataset: str
    metrics: Mapping[str, Any]
    multiply_adds: int
    linear: bool
    smooth: bool


def enter_all(
    tx: Connection, new: Sequence[NewModelRow], job_id: str, summary: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Enter the networks of a result into its job's project; answers its summary with what they are called.

    A network of the same name and the same weights is the same network. A name that another one has gets a
    number.
    """
    project_id = tx.execute(select(jobs.c.project_id).where(jobs.c.id == job_id)).scalar_one()
    entered = [_enter(tx, model, job_id, project_id) for model in new]
    if not entered:
        return summary
    first = entered[0]
    return {**summary, "model_id": first["id"], "model_name": first["name"], "models": entered}


def _enter(tx: Connection, new: NewModelRow, job_id: str, project_id: str) -> dict[str, str]:
    files.enter(tx, new.weights)
    same = select(models).where(
        models.c.project_id == project_id,
        models.c.weights_sha256 == new.weights.sha256,
        models.c.dataset == new.dataset,
    )
    for row in tx.execute(same):
        if row.name == new.name or row.name.startswith(f"{new.name}-"):
            return {"id": row.id, "name": row.name}
    model_id, name = new_id(), _free_name(tx, new.name, project_id)
    tx.execute(
        insert(models).values(
            id=model_id, project_id=project_id, name=name, network=new.network,
            parameters=dict(new.parameters), weights_sha256=new.weights.sha256,
            input_shape=list(new.input_shape),
            class_names=list(new.class_names), dataset=new.dataset, metrics=dict(new.metrics),
            multiply_adds=new.multiply_adds, linear=new.linear, smooth=new.smooth, job_id=job_id,
            created_at=now(),
        )
    )  # fmt: skip
    return {"id": model_id, "name": name}


def _named(project_id: str, name: str) -> ColumnElement[bool]:
    return (models.c.project_id == project_id) & (models.c.name == name)


def _free_name(tx: Connection, wanted: str, project_id: str) -> str:
    name, number = wanted, 1
    while tx.execute(select(models.c.id).where(_named(project_id, name))).scalar() is not None:
        number += 1
        name = f"{wanted}-{number}"
    return name


def find(tx: Connection, reference: str, project_id: str) -> Row[Any] | None:
    """By id, or by its name in that project."""
    wanted = or_(models.c.id == reference, _named(project_id, reference))
    found = tx.execute(select(models).where(wanted)).all()
    return next((row for row in found if row.id == reference), found[0] if found else None)


def missing() -> NotFound:
    """What is said of a model that is not there."""
    return NotFound(
        "There is no such model. It may have been deleted or renamed; look at the list of models."
    )


def require(tx: Connection, reference: str, project_id: str = MAIN_PROJECT) -> Row[Any]:
    """By id, or by its name in that project. Raises NotFound."""
    row = find(tx, reference, project_id)
    if row is None:
        raise missing()
    return row


def every(tx: Connection, project_id: str) -> Sequence[Row[Any]]:
    """Those of a project, newest first."""
    mine = select(models).where(models.c.project_id == project_id)
    return tx.execute(mine.order_by(models.c.created_at.desc(), models.c.id.desc())).all()


def trained_by(tx: Connection, row: Row[Any]) -> str | None:
    """The owner of the job that trained it; None where that job is gone."""
    return tx.execute(select(jobs.c.owner).where(jobs.c.id == row.job_id)).scalar()


def rename(tx: Connection, row: Row[Any], name: str) -> None:
    """Raises Conflict when another model of the project has that name."""
    named = _named(row.project_id, name)
    other = tx.execute(select(models.c.id).where(named, models.c.id != row.id)).scalar()
    if other is not None:
        raise Conflict(f"Another model is already called {name}. Choose another name.", field="name")
    tx.execute(update(models).where(models.c.id == row.id).values(name=name))


def remove(tx: Connection, row: Row[Any]) -> None:
    """Raises Conflict while a job other than the one that trained it refers to it."""
    others = (
        (jobs.c.model_id == row.id) & (jobs.c.id != func.coalesce(row.job_id, "")) & (jobs.c.kind != "train")
    )
    count = tx.execute(select(func.count()).select_from(jobs).where(others)).scalar_one()
    if count:
        noun = "job refers" if count == 1 else "jobs refer"
        raise Conflict(f"{count} {noun} to {row.name}. Delete the jobs first; their figures need the model.")
    tx.execute(delete(models).where(models.c.id == row.id))
