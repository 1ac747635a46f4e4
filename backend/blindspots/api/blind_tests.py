"""Blind tests of the rows of a units job."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from blindspots.api.bodies import JsonBody
from blindspots.api.replies import png, reply
from blindspots.api.wiring import ServiceHere
from blindspots.experiments.blind_test import MOST_ROWS

router = APIRouter(prefix="/api/v1", tags=["blind tests"])

UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
JobId = Annotated[str, Path(pattern=UUID, description="A finished units job.")]
TestId = Annotated[str, Path(pattern=UUID, description="The test's id.")]
Position = Annotated[int, Path(ge=0, lt=2 * MOST_ROWS, description="Row of the test, from 0.")]
Place = Annotated[int, Path(ge=0, lt=50, description="Image of the row, from 0.")]
PlainText = r"^[^\x00-\x1f\x7f]*$"


class Begin(BaseModel):
    """Which rows to look at, and who looks."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"count": 10}]})

    viewer: str = Field("", max_length=100, pattern=PlainText)
    arms: list[str] = Field(["natural", "random"], min_length=2, max_length=2)
    count: int = Field(10, ge=1, le=MOST_ROWS)


class Answer(BaseModel):
    """What a viewer says of a row."""

    model_config = ConfigDict(extra="forbid", strict=True)

    shares: Literal["yes", "no", "unsure"]
    concept: str = Field("", max_length=200, pattern=PlainText)
    guess: str = Field(min_length=1, max_length=64)
    seconds: float = Field(0.0, ge=0, le=86_400)


class BlindTest(BaseModel):
    """Where a viewer stands; rows and their arms only when all are answered."""

    id: str
    job_id: str
    viewer: str
    arms: list[str]
    total: int
    answered: int
    finished: bool
    next: dict[str, int] | None
    rows: list[dict[str, str | int | float]]


@router.post("/jobs/{job_id}/blind-tests", status_code=201, response_model=BlindTest)
def begin(service: ServiceHere, job_id: JobId, body: Annotated[Begin, Depends(JsonBody(Begin))]) -> Response:
    """Begin a test: rows of two arms in an order that only the server knows."""
    first, second = body.arms
    begun = service.begin_blind_test(
        job_id, viewer=body.viewer.strip(), arms=(first, second), count=body.count
    )
    return reply(begun, status=201)


@router.get("/jobs/{job_id}/blind-tests")
def results(service: ServiceHere, job_id: JobId) -> Response:
    """Who took part, and what all answers say."""
    return reply(service.blind_test_results(job_id))


@router.get("/blind-tests/{test_id}", response_model=BlindTest)
def standing(service: ServiceHere, test_id: TestId) -> Response:
    """Where the viewer stands."""
    return reply(service.blind_test(test_id))


@router.post("/blind-tests/{test_id}/rows/{position}", response_model=BlindTest)
def answer(
    service: ServiceHere,
    test_id: TestId,
    position: Position,
    body: Annotated[Answer, Depends(JsonBody(Answer))],
) -> Response:
    """Answer the next row."""
    return reply(service.answer_blind_test(test_id, position, body.model_dump()))


@router.get("/blind-tests/{test_id}/rows/{position}/{place}.png", response_class=Response)
def image(
    request: Request, service: ServiceHere, test_id: TestId, position: Position, place: Place
) -> Response:
    """One image of a row that has been reached."""
    return png(request, service.blind_test_image(test_id, position, place))
