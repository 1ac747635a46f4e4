"""The result of a reproduction: tables, figure 7, and where every number comes from."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from blindspots.experiments import reproduce_adversarial, reproduce_panels, reproduce_steps, reproduce_tables
from blindspots.experiments.base import Context, Outcome, Result
from blindspots.experiments.parameters import Arrays
from blindspots.experiments.record import Record
from blindspots.experiments.reproduce_conclusion import conclude, conclude_figure
from blindspots.experiments.reproduce_presets import half, networks
from blindspots.zoo.papers import FIRST_EDITION

if TYPE_CHECKING:
    from blindspots.experiments.reproduce import Reproduce

COLUMNS = ("paper", "paper_low", "paper_high", "paper_images", "measured", "low", "high", "images")
TRAINED = (
    "train_error", "test_error", "iterations", "stop_reason", "gradient_norm", "penalties", "train_images",
)  # fmt: skip
WORDS = ("unit", "verdict", "reason", "step")


def merge(spec: "Reproduce", context: Context) -> Result:
    """Read the steps' summaries, judge every cell."""
    from blindspots.experiments.reproduce import TABLES

    sizes = spec.sizes
    splits = _splits(spec, context)
    sources = reproduce_tables.Sources(
        summary=lambda name: context.step(name).result.summary, splits=splits, comparable=sizes.comparable
    )
    tables: list[Any] = [reproduce_tables.build(name, sources) for name in TABLES.get(spec.experiment, ())]
    if spec.experiment == "adversarial_training":
        found = sources.summary(reproduce_steps.ADVERSARIAL_STEP)
        tables.append(reproduce_adversarial.build(found, comparable=sizes.comparable))
    summary: dict[str, JsonValue] = {
        "experiment": spec.experiment,
        "preset": spec.preset,
        "dataset": sizes.dataset,
        "comparable": sizes.comparable,
        "edition": FIRST_EDITION,
        "conclusion": list(conclude(tables, comparable=sizes.comparable)),
        "tables": tables,
        "figure7": None,
    }
    arrays: Arrays = {}
    if spec.experiment in ("figure7", "tables"):
        arrays = reproduce_panels.pictures(context.step)
        figure: Any = reproduce_panels.facts(context.step)
        summary["figure7"] = figure
        if not tables:
            summary["conclusion"] = list(conclude_figure(figure["panels"], comparable=sizes.comparable))
    steps = step_names(spec, splits)
    summary["networks"] = [_model(name, context) for name in networks(spec.experiment)]
    done: list[Any] = [_step(name, context) for name in steps]
    summary |= {"steps": done, "seconds": sum(step["seconds"] for step in done)}
    return Result(arrays=arrays, summary=summary)


def _splits(spec: "Reproduce", context: Context) -> dict[str, int]:
    """Images of each split that a printed number is a share of."""
    name = spec.sizes.dataset
    sizes = {split: len(context.dataset(name, split)[1]) for split in ("train", "test")}
    for letter in ("P1", "P2"):
        sizes[letter] = len(context.dataset(half(spec.sizes, letter, spec.seed), "train")[1])
    return sizes


def step_names(spec: "Reproduce", splits: Mapping[str, int]) -> list[str]:
    """The steps of the job, in order."""
    return [step.name for step in reproduce_steps.steps(spec.experiment, spec.sizes, spec.seed, splits)]


def _model(name: str, context: Context) -> dict[str, JsonValue]:
    """A trained network: which weights, how they were trained, and how well."""
    step = context.step(f"train {name}")
    found = step.result.summary
    facts = step.model(str(found["model_id"]))
    return {
        "name": name,
        "model_id": facts.id,
        "model_name": facts.name,
        "network": facts.network,
        "dataset": facts.dataset,
        "weights_sha256": facts.weights_sha256,
        "seconds": step.record.seconds,
        **{key: found[key] for key in TRAINED if key in found},
    }


def _step(name: str, context: Context) -> dict[str, JsonValue]:
    """How a step came about."""
    outcome = context.step(name)
    records = list(_records(outcome))
    return {
        "name": name,
        "job_id": outcome.record.job_id,
        "seconds": round(sum(record.seconds for record in records), 3),
        "parts": sum(record.parts for record in records),
        "parts_reused": sum(record.parts_reused for record in records),
    }


def _records(outcome: Outcome) -> Iterator[Record]:
    """Of a step, and of the attacks that a transfer is made of."""
    yield outcome.record
    attacked: Any = outcome.result.summary.get("sources", [])
    for source in attacked:
        yield outcome.step(f"attack {source['name']}").record


def cell_columns(summary: Mapping[str, Any]) -> Arrays:
    """One entry for each cell of every table, by column; numbers that do not exist are NaN."""
    cells = [
        {**cell, "table": table["name"], "row": row["label"], "column": column}
        for table in summary["tables"]
        for row in table["rows"]
        for column, cell in zip(table["columns"], row["cells"], strict=True)
    ]
    texts = {
        name: np.array([str(cell[name] or "") for cell in cells], dtype=str)
        for name in ("table", "row", "column", *WORDS)
    }
    numbers = {name: np.array([_float(cell[name]) for cell in cells]) for name in COLUMNS}
    coarse = np.array([_float((cell["coarse"] or {}).get("measured")) for cell in cells])
    return {**texts, **numbers, "coarse": coarse}


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)
