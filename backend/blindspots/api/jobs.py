"""Jobs: submit, watch, look at, cancel, repeat, take away."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from blindspots.api.bodies import JsonBody
from blindspots.api.replies import IMMUTABLE, attachment, png, reply, tagged, tagged_json
from blindspots.api.schemas import (
    Estimate,
    ExampleAnswer,
    ExampleRows,
    FigureAnswer,
    Items,
    JobDetail,
    JobPage,
    JobState,
    Lane,
)
from blindspots.api.schemas import Job as JobAnswer
from blindspots.api.wiring import ServiceHere, UserHere
from blindspots.experiments import Experiment
from blindspots.experiments.examples import ExampleQuery
from blindspots.experiments.parameters import Theme
from blindspots.work.service import JobQuery

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Identifier = Annotated[str, Path(pattern=UUID, description="The job's id, a UUID.")]
Column = Annotated[
    int | None,
    Query(ge=0, lt=1000, description="Number of the evaluated model, where a job has several."),
]
Row = Annotated[int, Path(ge=0, lt=2**31, description="Row of the example within the job.")]
Name = Annotated[str, Path(pattern="^[a-z0-9_]{1,64}$")]
PlainText = r"^[^\x00-\x1f\x7f]*$"


class JobListQuery(BaseModel):
    """Which jobs to list, newest first unless sorted."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(None, max_length=64, pattern=PlainText)
    state: JobState | None = None
    search: str | None = Field(None, max_length=200, pattern=PlainText)
    owner: str | None = Field(None, max_length=100, pattern=PlainText)
    model: str | None = Field(None, max_length=200, pattern=PlainText)
    dataset: str | None = Field(None, max_length=100, pattern=PlainText)
    lane: Lane | None = None
    parent: str | None = Field(None, pattern=UUID, description="The job whose steps are listed.")
    sort: Literal["-created_at", "created_at", "-finished_at", "kind", "state"] = "-created_at"
    cursor: str | None = Field(None, max_length=500, pattern="^[A-Za-z0-9_=-]+$")
    limit: int = Field(50, ge=1, le=200)


class ExampleListQuery(ExampleQuery):
    """Which examples to show; lax, because everything in a URL is text."""

    model_config = ConfigDict(strict=False)


class Rerun(BaseModel):
    """What a re-run changes of the job's parameters; the rest stays as it was."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"changes": {"seed": 1}}]}
    )

    changes: dict[str, Any] = Field(default_factory=dict)


class Rename(BaseModel):
    """A new title."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(max_length=200, pattern=PlainText)


SpecBody = Annotated[Experiment, Depends(JsonBody(Experiment))]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


def accepted(job: dict[str, Any]) -> Response:
    """202 with the address of the job."""
    return reply(job, status=202, headers={"Location": f"/api/v1/jobs/{job['id']}"})


@router.get("", response_model=JobPage)
def list_jobs(service: ServiceHere, query: Annotated[JobListQuery, Query()]) -> Response:
    """One page of the history. Pass `next_cursor` as `cursor` for the next.

    A page costs the same however many jobs there are.
    """
    return reply(service.jobs(JobQuery(**query.model_dump())))


@router.post("", response_model=JobAnswer, status_code=202)
def submit(
    *,
    service: ServiceHere,
    user: UserHere,
    spec: SpecBody,
    lane: Lane = "batch",
    fresh: bool = False,
    depends_on: Annotated[str | None, Query(pattern=UUID)] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Submit a job.

    With an `Idempotency-Key`, sending the same body again answers with the same job. `fresh` computes again
    what earlier jobs have finished. The job waits until that of `depends_on` has succeeded.
    """
    return accepted(
        service.submit(
            spec,
            owner=user,
            lane=lane,
            idempotency_key=idempotency_key,
            fresh=fresh,
            depends_on=[depends_on] if depends_on else [],
        )
    )


@router.post("/estimate", response_model=Estimate)
def estimate(service: ServiceHere, spec: SpecBody) -> Response:
    """What a job would cost, without submitting it."""
    return reply(service.estimate(spec))


@router.get("/{job_id}", response_model=JobDetail)
def show(request: Request, service: ServiceHere, job_id: Identifier) -> Response:
    """One job with everything about it."""
    return tagged_json(request, service.job(job_id))


@router.patch("/{job_id}", response_model=JobDetail)
def rename(
    service: ServiceHere, job_id: Identifier, body: Annotated[Rename, Depends(JsonBody(Rename))]
) -> Response:
    """Give the job another title."""
    return reply(service.rename(job_id, body.title))


@router.delete("/{job_id}", status_code=204)
def delete(service: ServiceHere, job_id: Identifier) -> Response:
    """Delete a finished job and what only it refers to."""
    service.delete(job_id)
    return Response(status_code=204)


@router.post("/{job_id}/cancel", response_model=JobDetail, status_code=202)
def cancel(service: ServiceHere, job_id: Identifier) -> Response:
    """Cancel a job. It stops within ten seconds, for good."""
    return accepted(service.cancel(job_id))


@router.post("/{job_id}/rerun", response_model=JobAnswer, status_code=202)
def rerun(
    service: ServiceHere, user: UserHere, job_id: Identifier, body: Annotated[Rerun, Depends(JsonBody(Rerun))]
) -> Response:
    """Submit the job again, with the same or changed parameters."""
    return accepted(service.rerun(job_id, body.changes, owner=user))


@router.post("/{job_id}/keep", response_model=JobDetail)
def keep(service: ServiceHere, job_id: Identifier) -> Response:
    """Keep an interactive job in the history."""
    return reply(service.keep(job_id))


@router.get("/{job_id}/parts", response_model=Items)
def parts(service: ServiceHere, job_id: Identifier) -> Response:
    """The pieces that workers run."""
    return reply({"items": service.parts(job_id)})


@router.get("/{job_id}/figures/{name}", response_model=FigureAnswer)
def figure(
    request: Request, service: ServiceHere, job_id: Identifier, name: Name, theme: Theme = "light"
) -> Response:
    """One figure of a finished job as Plotly JSON. Results do not change, so it is cached."""
    return tagged(request, service.figure(job_id, name, theme), cache=IMMUTABLE)


@router.get("/{job_id}/examples", response_model=ExampleRows)
def examples(
    service: ServiceHere, job_id: Identifier, query: Annotated[ExampleListQuery, Query()]
) -> Response:
    """A page of the per-image results."""
    return reply(service.examples(job_id, ExampleQuery(**query.model_dump())))


@router.get("/{job_id}/examples/{row}", response_model=ExampleAnswer)
def example(
    *,
    request: Request,
    service: ServiceHere,
    job_id: Identifier,
    row: Row,
    theme: Theme = "light",
    column: Column = None,
) -> Response:
    """One image's full record, and its zoomable triptych where the image was kept."""
    document = service.example(job_id, row, column)
    document["figure"] = orjson.Fragment(service.example_figure(job_id, row, theme, column))
    return tagged_json(request, document, cache=IMMUTABLE)


@router.get("/{job_id}/examples/{row}/triptych.png", response_class=Response)
def triptych(
    *,
    request: Request,
    service: ServiceHere,
    job_id: Identifier,
    row: Row,
    magnification: Literal["auto"] | Annotated[float, Query(gt=0, le=1e6, allow_inf_nan=False)] = "auto",
    scale: Annotated[int, Query(ge=1, le=16)] = 1,
) -> Response:
    """Original, perturbation (mid-grey is zero) and adversarial image side by side, one pixel apart."""
    return png(request, service.triptych(job_id, row, magnification, scale))


@router.get("/{job_id}/panel.png", response_class=Response)
def panel(
    *,
    request: Request,
    service: ServiceHere,
    job_id: Identifier,
    count: Annotated[int, Query(ge=1, le=20)] = 10,
    magnification: Annotated[float, Query(gt=0, le=1e6, allow_inf_nan=False)] = 10.0,
    scale: Annotated[int, Query(ge=1, le=8)] = 1,
) -> Response:
    """The first images that an attack changed: original, magnified change about mid-grey, adversarial."""
    return png(request, service.panel(job_id, count, magnification, scale))


@router.get("/{job_id}/export/{form}", response_class=Response)
def export(service: ServiceHere, job_id: Identifier, form: Literal["csv", "json", "npz", "html"]) -> Response:
    """The job's numbers as CSV or JSON, everything as NumPy arrays, or its report as HTML."""
    return attachment(*service.export(job_id, form))
