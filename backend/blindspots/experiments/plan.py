"""The plan: jobs of any kind with what each needs, submitted together."""

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from blindspots.experiments.base import Catalog, Context, Part, Result, Spec, Step
from blindspots.experiments.parameters import Parameters
from blindspots.experiments.steps import MOST_STEPS, in_order


class PlannedJob(Parameters):
    """One job of a plan."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f@][^\x00-\x1f\x7f]*$")
    """What the other steps call it."""

    spec: dict[str, JsonValue]
    """The job's parameters, with its kind. "@name" in place of a model stands for the model that the step of
    that name trains."""

    needs: list[str] = Field([], max_length=MOST_STEPS)
    """Steps that must have succeeded before, beside those named by "@name"."""


class Plan(Spec):
    """Several jobs, of which some need others: train a network, attack it, show what was found to others.

    Nothing is submitted unless every step could be; a re-run goes on from what has succeeded.
    """

    kind: Literal["plan"] = "plan"

    jobs: list[PlannedJob] = Field(min_length=1, max_length=MOST_STEPS)
    """The jobs, in any order."""

    reusable: ClassVar[bool] = False  # it computes nothing itself
    heading: ClassVar[str] = "Plan"

    steps_field: ClassVar[str] = "jobs"

    def steps(self, catalog: Catalog) -> list[Step]:  # noqa: ARG002
        """The jobs as they were given."""
        return self._steps()

    def _steps(self) -> list[Step]:
        return [Step(job.name, job.spec, tuple(job.needs)) for job in self.jobs]

    def plan(self, catalog: Catalog) -> list[Part]:  # noqa: ARG002
        """None: the steps do it all."""
        return []

    def merge(self, context: Context) -> Result:
        """What each step found."""
        found: list[JsonValue] = []
        for step in in_order(self._steps(), field=self.steps_field):
            outcome = context.step(step.name)
            found.append(
                {
                    "step": step.name,
                    "kind": str(step.spec["kind"]),
                    "job_id": outcome.record.job_id,
                    "model_id": outcome.result.summary.get("model_id"),
                    "model_name": outcome.result.summary.get("model_name"),
                }
            )
        return Result(summary={"steps": found})
