"""Jobs that are made of jobs: which step needs which, and what "@name" stands for."""

import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Step

REFERENCE = re.compile(r"@(?=\S).{1,100}")
LABELS = frozenset({"title", "model_name"})  # texts of the user's own, in which nothing is replaced
MOST_STEPS = 200


def references(document: JsonValue | Mapping[str, JsonValue]) -> Iterator[str]:
    """Names of the steps whose models a document mentions as "@name"."""
    if isinstance(document, str) and REFERENCE.fullmatch(document):
        yield document[1:]
    elif isinstance(document, Mapping):
        for name, value in document.items():
            if name not in LABELS:
                yield from references(value)
    elif isinstance(document, Sequence) and not isinstance(document, str):
        for value in document:
            yield from references(value)


def needs(step: Step) -> tuple[str, ...]:
    """Every step that must have succeeded before this one can be submitted, each once."""
    return tuple(dict.fromkeys([*step.needs, *references(dict(step.spec))]))


def with_models(document: Mapping[str, JsonValue], models: Mapping[str, str]) -> dict[str, JsonValue]:
    """The document with the model's id in place of every "@name" of `models`."""
    return {
        name: value if name in LABELS else _with_models(value, models) for name, value in document.items()
    }


def _with_models(value: JsonValue, models: Mapping[str, str]) -> JsonValue:
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        return models.get(value[1:], value)
    if isinstance(value, dict):
        return with_models(value, models)
    if isinstance(value, list):
        return [_with_models(each, models) for each in value]
    return value


def in_order(steps: Sequence[Step], *, field: str = "steps") -> list[Step]:
    """The steps, each after those that it needs.

    Raises InvalidInput naming the `name` or the `needs` of an entry of `field`: names that repeat, needs that
    no step fulfils, and steps that wait for each other in a circle.
    """
    if len(steps) > MOST_STEPS:
        raise InvalidInput(f"A job has at most {MOST_STEPS} steps; there are {len(steps)}.", field=field)
    places: dict[str, int] = {}
    for place, step in enumerate(steps):
        if step.name in places:
            raise InvalidInput(f"Two steps are called {step.name!r}.", field=f"{field}[{place}].name")
        places[step.name] = place
    for place, step in enumerate(steps):
        for other in needs(step):
            if other not in places:
                known = ", ".join(places)
                raise InvalidInput(
                    f"There is no step {other!r}; there are: {known}.", field=f"{field}[{place}].needs"
                )
    ordered: dict[str, Step] = {}
    while len(ordered) < len(steps):
        free = [
            step
            for step in steps
            if step.name not in ordered and all(other in ordered for other in needs(step))
        ]
        if not free:
            stuck = [step for step in steps if step.name not in ordered]
            path, first = _circle(stuck)
            raise InvalidInput(
                f"These steps wait for each other: {path}. Take one of the needs away.",
                field=f"{field}[{places[first]}].needs",
            )
        ordered.update((step.name, step) for step in free)
    return list(ordered.values())


def _circle(stuck: Sequence[Step]) -> tuple[str, str]:
    """Of steps that wait for each other: one circle in words, and its first step."""
    by_name = {step.name: step for step in stuck}
    path = [stuck[0].name]
    while path.count(path[-1]) < 2:
        path.append(next(other for other in needs(by_name[path[-1]]) if other in by_name))
    circle = path[path.index(path[-1]) :]
    return " needs ".join(circle), circle[0]
