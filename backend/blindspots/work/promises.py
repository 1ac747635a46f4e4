"""Steps before they can be submitted: what they need is promised, so that a plan is checked at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
from pydantic import JsonValue, ValidationError

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Catalog, Spec, Step
from blindspots.experiments.facts import (
    DatasetFacts,
    ImageFacts,
    ModelFacts,
    PicturePlace,
    Pictures,
    WeightFacts,
)
from blindspots.experiments.fieldpaths import field_path
from blindspots.experiments.parameters import Array
from blindspots.experiments.steps import in_order, with_models

DEEPEST = 4  # jobs of jobs of jobs of jobs


class PromisedCatalog:
    """A catalog that also knows models by the ids which their promises were given."""

    def __init__(self, catalog: Catalog, models: Mapping[str, ModelFacts]) -> None:
        self._catalog, self._models = catalog, models

    def model(self, reference: str, *, field: str) -> ModelFacts:
        """Raises InvalidInput, also for a step that trains no model."""
        if reference in self._models:
            return self._models[reference]
        if reference.startswith("@"):
            raise InvalidInput(f"The step {reference[1:]!r} trains no model.", field=field)
        return self._catalog.model(reference, field=field)

    def dataset(self, name: str, *, field: str) -> DatasetFacts:
        """As it is now."""
        return self._catalog.dataset(name, field=field)

    def labels(self, dataset: str, split: str) -> Array:
        """As they are now."""
        return self._catalog.labels(dataset, split)

    def image(self, reference: str, *, field: str) -> ImageFacts:
        """As it is now."""
        return self._catalog.image(reference, field=field)

    def pictures(self, place: PicturePlace, reference: str, *, field: str) -> Pictures:
        """As they are now."""
        return self._catalog.pictures(place, reference, field=field)

    def weight_file(self, reference: str, *, field: str) -> WeightFacts:
        """As it is now."""
        return self._catalog.weight_file(reference, field=field)


@dataclass(frozen=True)
class Foreseen:
    """A step as it will be submitted, and the catalog in which it can be planned."""

    step: Step
    spec: Spec
    catalog: Catalog


def parse_step(kinds: Mapping[str, type[Spec]], document: Mapping[str, JsonValue], path: str) -> Spec:
    """The Spec of a step's document. Raises InvalidInput naming the field below `path`."""
    kind = kinds.get(str(document.get("kind")))
    if kind is None:
        known = ", ".join(kinds)
        raise InvalidInput(
            f"There are no jobs of kind {document.get('kind')!r}; there are: {known}.", field=f"{path}.kind"
        )
    try:
        return kind.model_validate_json(orjson.dumps(document))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = field_path(kind.model_json_schema(), first["loc"], document)
        raise InvalidInput(first["msg"], field=f"{path}.{place}") from error


def foresee(
    kinds: Mapping[str, type[Spec]], spec: Spec, catalog: Catalog, depth: int = 1
) -> Iterator[Foreseen]:
    """The steps of a resolved Spec in order, each resolved against the promises of those before it.

    Raises InvalidInput; where the user wrote the steps, it names the field within them.
    """
    given: Sequence[Step] = spec.steps(catalog)
    if given and depth > DEEPEST:
        raise InvalidInput(f"Jobs can be made of jobs {DEEPEST} deep, not deeper.", field="steps")
    field = spec.steps_field or "steps"
    places = {step.name: place for place, step in enumerate(given)}
    promised: dict[str, ModelFacts] = {}
    for step in in_order(given, field=field):
        path = f"{field}[{places[step.name]}].spec"
        here = PromisedCatalog(catalog, {facts.id: facts for facts in promised.values()})
        ids = {name: facts.id for name, facts in promised.items()}
        child = parse_step(kinds, with_models(step.spec, ids), path)
        try:
            child = child.resolve(here)
        except InvalidInput as error:
            if spec.steps_field:
                raise InvalidInput(error.message, field=f"{path}.{error.field}") from error
            raise
        facts = child.promised_model(here)
        if facts is not None:
            promised[step.name] = replace(facts, id=f"promise {depth}: {step.name}")
        yield Foreseen(step, child, here)
        yield from foresee(kinds, child, here, depth + 1)


def check_steps(kinds: Mapping[str, type[Spec]], spec: Spec, catalog: Catalog) -> int:
    """How many units of work the steps have. Raises InvalidInput where a step could not be submitted even if
    all before it succeed.
    """
    found = foresee(kinds, spec, catalog)
    return sum(part.units for foreseen in found for part in foreseen.spec.plan(foreseen.catalog))
