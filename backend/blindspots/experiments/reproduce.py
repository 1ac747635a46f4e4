"""Reproduce: the paper's tables and figure 7, made by jobs of the other kinds and held against the print."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from blindspots.errors import InvalidInput
from blindspots.experiments import reproduce_steps
from blindspots.experiments.base import Catalog, Context, Outcome, Part, Result, Spec, Step
from blindspots.experiments.facts import DatasetFacts
from blindspots.experiments.parameters import Arrays
from blindspots.experiments.reproduce_figures import FIGURES
from blindspots.experiments.reproduce_presets import SIZES, Experiment, Preset, Sizes, half

TABLES: Mapping[Experiment, tuple[str, ...]] = {
    "table1": ("table1",),
    "table2": ("table2",),
    "table3": ("table3",),
    "table4": ("table4",),
    "tables": ("table1", "table2", "table3", "table4"),
}
CHOICE: dict[str, Any] = {"x-group": "experiment"}


class Reproduce(Spec):
    """Make a table of the paper anew and lay it beside the printed one, cell by cell.

    Szegedy et al. 2013, tables 1 to 4 and figure 7. The job consists of trainings, attacks and transfers;
    what was computed before is found again.
    """

    kind: Literal["reproduce"] = "reproduce"

    experiment: Experiment = Field("tables", json_schema_extra=CHOICE)
    """What of the paper: a table, figure 7, all of these in one plan, or adversarial training."""

    preset: Preset = Field("quick", json_schema_extra=CHOICE)
    """How thoroughly. quick: the bundled digits, a minute, not comparable with the print. paper: MNIST, 256
    images. full: MNIST, all images."""

    heading: ClassVar[str] = "Reproduce"
    figures = FIGURES
    has_report: ClassVar[bool] = True

    @property
    def sizes(self) -> Sizes:
        """What the preset sets."""
        return SIZES[self.preset]

    def resolve(self, catalog: Catalog) -> Self:
        """Check that the data set is here. Raises InvalidInput naming the field."""
        self._dataset(catalog)
        return self

    def _dataset(self, catalog: Catalog) -> DatasetFacts:
        try:
            return catalog.dataset(self.sizes.dataset, field="preset")
        except InvalidInput as error:
            raise InvalidInput(
                f"{error.message} The preset quick needs no download.", field="preset"
            ) from error

    def steps(self, catalog: Catalog) -> list[Step]:
        """Trainings, transfers with both searches for c, controls."""
        dataset = self._dataset(catalog)
        halves = {
            letter: catalog.dataset(half(self.sizes, letter, self.seed), field="preset").sizes["train"]
            for letter in ("P1", "P2")
        }
        found = reproduce_steps.steps(self.experiment, self.sizes, self.seed, {**dataset.sizes, **halves})
        return [replace(step, spec={**step.spec, "device": self.device}) for step in found]

    def plan(self, catalog: Catalog) -> list[Part]:  # noqa: ARG002
        """None of its own: the steps compute, the merge compares."""
        return []

    def merge(self, context: Context) -> Result:
        """The tables, from what the steps found."""
        from blindspots.experiments.reproduce_merge import merge

        return merge(self, context)

    def report(self, outcome: Outcome) -> str:
        """One HTML file without script and without anything from outside."""
        from blindspots.experiments.reproduce_report import report

        return report(self, outcome)

    @classmethod
    def headline(cls, summary: Mapping[str, Any]) -> dict[str, Any]:
        """How near each table came, without its cells."""
        tables = [{"name": table["name"], "figures": table["figures"]} for table in summary.get("tables", [])]
        return {**super().headline(summary), "tables": tables}

    def table(self, outcome: Outcome) -> Arrays:
        """One line for each cell."""
        from blindspots.experiments.reproduce_merge import cell_columns

        return cell_columns(outcome.result.summary)

    def export_arrays(self, outcome: Outcome) -> Arrays:
        """The cells, and the pictures of figure 7."""
        names = sorted(outcome.result.names)
        return {**self.table(outcome), **{name: outcome.result.array(name) for name in names}}
