"""What every job kind and every method promises: one body of tests for the whole list."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from blindspots import experiments
from blindspots.errors import InvalidInput
from blindspots.experiments.attack_method import AttackMethod
from blindspots.experiments.base import Result, Spec
from blindspots.experiments.examples import ExampleQuery
from blindspots.experiments.methods import Method
from blindspots.experiments.units_arms import ARMS
from blindspots.zoo import datasets
from in_memory import Finished, Laboratory, MemoryResult, summary_without_time, train_on_digits
from photographs import archive, pictures_of, two_classes

KINDS = tuple(experiments.KINDS.values())
METHODS: tuple[type[AttackMethod], ...] = get_args(get_args(Method)[0])
DIGITS = {"source": "dataset", "dataset": "digits", "split": "test", "count": 24}
SMALL_METHODS: dict[str, list[dict[str, Any]]] = {
    "minimum_distortion": [{"mode": mode} for mode in ("paper", "tight", "nearest")]
    + [{"target": target} for target in ("nearest", "second", "least_likely", "untargeted")]
    + [{"target": "given", "target_class": 3}, {"norm": "l2"}, {"norm": "l1"}, {"polish": True}],
    "gaussian_noise": [{}, {"clip": True, "sigma": 0.3}],
    "exact_linear": [{}, {"target": "random"}, {"target": "given", "target_class": 3}],
}
SMALL_TRAININGS: list[dict[str, Any]] = [
    {"network": {"name": "softmax"}, "optimiser": {"name": "lbfgs", "max_iterations": 20}},
    {"network": {"name": "mlp", "widths": [16]}, "optimiser": {"name": "adam", "epochs": 1}},
]
SMALL_COMPARISON: dict[str, Any] = {
    "kind": "adversarial_training", "dataset": "digits", "train_count": 200, "rounds": 3, "seeds": 2,
    "network": {"name": "mlp", "widths": [8, 8]}, "arms": ["decay", "all", "noise"],
    "pools": {"size": 30}, "evaluation": {"images": 10},
}  # fmt: skip
BROUGHT = "b" * 64  # a file of weights
RUN_ELSEWHERE = [
    {"kind": "fetch_dataset", "dataset": "mnist"},  # needs a server to download from
    {"kind": "reproduce", "experiment": "table1"},  # in test_reproduce
]


PETS = {"source": "upload", "archive": "a" * 64}


def small_specs() -> Iterator[dict[str, Any]]:
    """One small job or more of every kind and every method."""
    for name, choices in SMALL_METHODS.items():
        for choice in choices:
            yield {
                "kind": "attack", "model": "digits-softmax", "images": DIGITS,
                "method": {"name": name, **choice}, "seed": 3,
            }  # fmt: skip
    for choice in SMALL_TRAININGS:
        yield {"kind": "train", "dataset": "digits", **choice}
    yield SMALL_COMPARISON
    model = ["digits-softmax"]
    yield {"kind": "transfer", "sources": model, "evaluated": model, "images": DIGITS}
    for measured in ("weights", "gain", "attack"):
        yield {"kind": "spectral", "model": "digits-softmax", "measured": measured, "images": DIGITS}
    yield {"kind": "units", "model": "digits-softmax", "images": DIGITS, "k": 4, "arms": list(ARMS)}
    yield {"kind": "image_set", "name": "pets", "source": PETS, "height": 8, "width": 8, "train_share": 0.5}
    yield {
        "kind": "import_model", "weights": BROUGHT, "network": {"name": "softmax"}, "dataset": "digits",
        "count": 50,
    }  # fmt: skip
    network = {"kind": "train", "dataset": "digits", **SMALL_TRAININGS[0]}
    attack = {"kind": "attack", "model": "@network", "images": DIGITS}
    yield {"kind": "plan", "jobs": [{"name": "network", "spec": network}, {"name": "it", "spec": attack}]}


def label(spec: dict[str, Any]) -> str:
    """For the test's name."""
    words = spec.get("method", {}) | spec.get("network", {}) | {"measured": spec.get("measured", "")}
    return " ".join([spec["kind"], *(str(value) for value in words.values() if value != "")])


RUN_HERE = [pytest.param(spec, id=label(spec)) for spec in small_specs()]
ALL = [*RUN_HERE, *(pytest.param(spec, id=label(spec)) for spec in RUN_ELSEWHERE)]
ADAPTER: TypeAdapter[Spec] = TypeAdapter(experiments.Experiment)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """The bundled digits, a softmax network trained on them, and an archive of pictures."""
    laboratory = Laboratory(datasets.find())
    pets = pictures_of(archive(two_classes()), tmp_path_factory.mktemp("pets"))
    laboratory.archives["upload", PETS["archive"]] = pets
    trained = train_on_digits(laboratory, "softmax")
    laboratory.bring(laboratory.weights[trained.id], BROUGHT)
    return laboratory


@pytest.fixture(scope="module")
def finished(laboratory: Laboratory) -> dict[str, Finished]:
    """Every small job, run once."""
    return {json.dumps(spec): laboratory.run(parse(spec)) for spec in small_specs()}


def parse(spec: dict[str, Any]) -> Spec:
    return ADAPTER.validate_json(json.dumps(spec))


def test_every_kind_and_method_is_tried() -> None:
    tried = {spec["kind"] for spec in (*small_specs(), *RUN_ELSEWHERE)}
    assert tried == {kind.model_fields["kind"].default for kind in KINDS}
    assert SMALL_METHODS.keys() == {method.model_fields["name"].default for method in METHODS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_kind_describes_itself(kind: type[Spec]) -> None:
    assert kind.heading
    assert kind.__doc__
    assert kind.code_version >= 1
    for name, figure in kind.figures.items():
        assert name == name.lower()
        for words in (figure.title, figure.reading, figure.formula, figure.source):
            assert words.strip()
        assert figure.reading.endswith(".")
    schema = kind.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["description"]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.__name__))
def test_a_method_describes_itself(method: type[AttackMethod]) -> None:
    assert method.heading
    assert method.paper
    assert method.__doc__
    for name, field in method.model_fields.items():
        assert name == "name" or field.description, name
    numbers = [
        p for p in method.model_json_schema()["properties"].values() if p.get("type") in ("integer", "number")
    ]
    for number in numbers:
        assert number.keys() & {"minimum", "exclusiveMinimum"}, number
        assert number.keys() & {"maximum", "exclusiveMaximum"}, number


def test_a_methods_defaults_are_those_of_the_science() -> None:
    from dataclasses import asdict

    from blindspots.experiments.methods import MinimumDistortion
    from blindspots.science.attacks.minimum_distortion import Search

    chosen = MinimumDistortion().model_dump()
    assert {name: chosen[name] for name in asdict(Search())} == asdict(Search())


@pytest.mark.parametrize("spec", ALL)
def test_a_spec_survives_json(spec: dict[str, Any]) -> None:
    parsed = parse(spec)
    assert ADAPTER.validate_json(parsed.model_dump_json()) == parsed
    assert ADAPTER.validate_python(json.loads(parsed.model_dump_json())) == parsed


@pytest.mark.parametrize("spec", ALL)
def test_an_unknown_field_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="colour"):
        parse({**spec, "colour": "red"})


@pytest.mark.parametrize("spec", ALL)
def test_resolve_and_plan_are_pure(spec: dict[str, Any], laboratory: Laboratory) -> None:
    first, second = parse(spec).resolve(laboratory), parse(spec).resolve(laboratory)
    assert first == second
    assert first.resolve(laboratory) == first, "resolving twice changes nothing"
    assert first.plan(laboratory) == second.plan(laboratory)
    assert first.inputs(laboratory) == second.inputs(laboratory)
    for part in first.plan(laboratory):
        assert part.label
        assert part.units >= 1
        assert part.bytes_kept >= 0
        assert json.loads(json.dumps(dict(part.parameters))) == part.parameters
    assert len({part.label for part in first.plan(laboratory)}) == len(first.plan(laboratory))


@pytest.mark.parametrize("spec", RUN_HERE)
def test_the_same_part_gives_the_same_bytes(
    spec: dict[str, Any], laboratory: Laboratory, finished: dict[str, Finished]
) -> None:
    before = finished[json.dumps(spec)]
    again = [
        before.spec.run(part, laboratory.context(seed=index, steps=before.steps))
        for index, part in enumerate(before.spec.plan(laboratory))
    ]
    repeated = [MemoryResult(without_time(result)) for result in again]
    assert [part.bytes for part in repeated] == [without_time_again(part).bytes for part in before.parts]
    assert [summary_without_time(part.summary) for part in repeated] == [
        summary_without_time(part.summary) for part in before.parts
    ]


def without_time(result: Result) -> Result:
    """The result without the columns that are measured seconds, which no seed determines."""
    arrays = {name: array for name, array in result.arrays.items() if "seconds" not in name}
    return Result(arrays=arrays, summary=result.summary)


def without_time_again(stored: MemoryResult) -> MemoryResult:
    arrays = {name: stored.array(name) for name in sorted(stored.names)}
    return MemoryResult(without_time(Result(arrays=arrays, summary=stored.summary)))


@pytest.mark.parametrize("spec", RUN_HERE)
def test_summaries_are_json_without_nan(spec: dict[str, Any], finished: dict[str, Finished]) -> None:
    outcome = finished[json.dumps(spec)]
    assert json.dumps(dict(outcome.result.summary), allow_nan=False) != "{}"
    for part in outcome.parts:
        json.dumps(dict(part.summary), allow_nan=False)


@pytest.mark.parametrize("spec", RUN_HERE)
def test_a_list_shows_a_few_words_of_a_result(spec: dict[str, Any], finished: dict[str, Finished]) -> None:
    outcome = finished[json.dumps(spec)]
    shown = outcome.spec.headline(json.loads(json.dumps(dict(outcome.result.summary))))
    assert len(json.dumps(shown)) < 2000
    for name, value in shown.items():
        assert isinstance(value, list) or value == outcome.result.summary[name]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("spec", RUN_HERE)
def test_every_figure_draws(spec: dict[str, Any], theme: Any, finished: dict[str, Finished]) -> None:
    outcome = finished[json.dumps(spec)]
    assert outcome.spec.figures or outcome.spec.steps_field  # a plan draws nothing of its own
    for name, figure in outcome.spec.figures.items():
        text = figure.draw(outcome, theme).to_json()
        drawn = json.loads(text, parse_constant=refuse)
        assert drawn["data"] or drawn["layout"]["annotations"], name
        assert not {trace["type"] for trace in drawn["data"]} & {"scattergl", "heatmapgl"}, "WebGL is blocked"
        assert len(text) < 500_000, name


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@pytest.mark.parametrize("spec", RUN_HERE)
def test_examples_and_exports_agree(spec: dict[str, Any], finished: dict[str, Finished]) -> None:
    outcome = finished[json.dumps(spec)]
    page = outcome.spec.examples(outcome, ExampleQuery(limit=200))
    table = outcome.spec.table(outcome)
    assert len({len(column) for column in table.values()}) <= 1, "columns of one length"
    assert page.total == page.matching == len(page.rows)
    if "index" in table or not page.rows:  # a table of images; that of a transfer is one of cells
        assert page.total == len(table.get("index", []))
    json.dumps(page.rows, allow_nan=False)
    assert outcome.spec.example(outcome, 10**9) is None
    assert set(table) <= set(outcome.spec.export_arrays(outcome))


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if "model" in kind.model_fields], ids=lambda kind: str(kind.__name__)
)
def test_a_missing_model_is_named(kind: type[Spec], laboratory: Laboratory) -> None:
    spec = next(spec for spec in small_specs() if spec["kind"] == kind.model_fields["kind"].default)
    with pytest.raises(InvalidInput) as refusal:
        parse({**spec, "model": "nobody"}).resolve(laboratory)
    assert refusal.value.field == "model"


def test_forms_and_plans_need_no_torch() -> None:
    program = (
        "import sys, json; from pydantic import TypeAdapter; from blindspots import experiments; "
        "import blindspots.experiments.triptych; "
        "TypeAdapter(experiments.Experiment).json_schema(); "
        "sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == 0
