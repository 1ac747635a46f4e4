"""From the blocks of a transfer to its matrix: counts, intervals, distances.

What is kept of single images stays in the parts; memory holds the clean answers, the distances, and one part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import JsonValue

from blindspots.experiments.base import Context, Result, StoredResult
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array
from blindspots.experiments.transfer_cells import cell, row_distances
from blindspots.experiments.transfer_paper import printed_row
from blindspots.experiments.transfer_rows import EQUAL_L2, MatrixRow, matrix_rows, rows_of
from blindspots.science.transfer import count_cells
from blindspots.zoo.papers import identify

if TYPE_CHECKING:
    from blindspots.experiments.transfer import Transfer


@dataclass
class Tally:
    """What has been counted of one row so far; the counts are (evaluated,) each."""

    images: int = 0
    successes: int = 0
    unchanged: int = 0
    counts: dict[str, Array] = field(default_factory=dict)
    rms: list[Array] = field(default_factory=list)

    def add(self, counts: Mapping[str, Array]) -> None:
        """One more block."""
        for name, value in counts.items():
            self.counts[name] = self.counts[name] + value if name in self.counts else value


def merge_blocks(spec: "Transfer", context: Context) -> Result:
    """The summary, and which part holds which images: `part_source` (-1: unchanged and noisy), `part_start`,
    `part_stop`, (parts,) int64."""
    tallies = {row: Tally() for row in matrix_rows(spec)}
    places, clean = _find_parts(context)
    for number, (source, start, stop) in enumerate(places.T.tolist()):
        part = context.part(number)
        answered = clean[part.array("index")] if spec.noise.whole_split else clean[start:stop]
        for row in rows_of(spec, None if source < 0 else source):
            _count(tallies[row], row, part, answered)
        context.progress(number + 1, places.shape[1], "counting")
    return Result(
        arrays=dict(zip(("part_source", "part_start", "part_stop"), places, strict=True)),
        summary=_summary(spec, context, tallies, controls=len(clean)),
    )


def _find_parts(context: Context) -> tuple[Array, Array]:
    """(3, parts) source, start and stop; and what the evaluated models answer on the unchanged images,
    (images, evaluated), in the order of the job or of the split."""
    places, clean = [], []
    for number in range(context.part_count()):
        part = context.part(number)
        source = part.summary["source"]
        places.append([-1 if source is None else source, part.summary["start"], part.summary["stop"]])
        if source is None:
            clean.append(part.array("clean_reached"))
    return np.array(places, dtype=np.int64).T.copy(), np.concatenate(clean)


def _count(tally: Tally, row: MatrixRow, part: StoredResult, clean: Array) -> None:
    """Add the images of one part to a row."""
    label, reached = part.array("label"), part.array(f"{row.variant}_reached")
    evaluated = clean.shape[1]
    nobody = np.full(len(label), -2)  # the answer of no source
    counts = count_cells(
        label=label,
        clean=clean,
        reached=reached[:, :evaluated],
        source_clean=nobody if row.source is None else part.array("prediction"),
        source_reached=nobody if row.source is None else reached[:, evaluated],
    )
    tally.images += len(label)
    tally.rms.append(part.array(f"{row.variant}_rms"))
    if row.source is not None:
        tally.unchanged += int((part.array("attack_l2") == 0).sum())
    if row.kind == "attack":
        tally.successes += int(part.array("success").sum())
        cosine = part.array("cosine").astype(np.float64)
        counts |= {"cosine": np.nansum(cosine, axis=0), "cosines": np.isfinite(cosine).sum(axis=0)}
        if f"{EQUAL_L2}_reached" in part.names:
            equal = part.array(f"{EQUAL_L2}_reached")[:, :evaluated]
            counts["equal_l2_wrong"] = (equal != label[:, None]).sum(axis=0)
    tally.add(counts)


def _summary(
    spec: "Transfer", context: Context, tallies: Mapping[MatrixRow, Tally], *, controls: int
) -> dict[str, JsonValue]:
    from blindspots.experiments.transfer_run import equal_norm

    models = [context.model(reference)[0] for reference in spec.evaluated]
    sources = [context.model(reference)[0] for reference in spec.sources]
    return {
        "images": spec.images.count_rows(),
        "split_images": controls,
        "classes": len(models[0].class_names),
        "equal_l2_norm": equal_norm(spec, context),
        "models": [_facts(model) for model in models],
        "sources": [_facts(model) for model in sources],
        "rows": [
            _row(spec, row, tally, models, None if row.source is None else sources[row.source])
            for row, tally in tallies.items()
        ],
    }


def _row(
    spec: "Transfer", row: MatrixRow, tally: Tally, models: Sequence[ModelFacts], source: ModelFacts | None
) -> dict[str, JsonValue]:
    printed = printed_row(spec, row, None if source is None else identify(source))
    cells: list[JsonValue] = [
        cell(row, tally.images, {name: values[place] for name, values in tally.counts.items()})
        | {"paper": None if printed is None else printed.cell(identify(model))}
        for place, model in enumerate(models)
    ]
    return {
        "kind": row.kind,
        "source": row.source,
        "label": row.label(None if source is None else source.name),
        "t": row.t,
        "sigma": row.sigma,
        "clip": row.clip,
        "images": tally.images,
        "success_rate": tally.successes / tally.images if row.kind == "attack" else None,
        "unchanged": tally.unchanged,
        "paper_distortion": None if printed is None else printed.row.distortion,
        **row_distances(np.concatenate(tally.rms), seed=spec.seed),
        "cells": cells,
    }


def _facts(model: ModelFacts) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "network": model.network,
        "parameters": dict(model.parameters),
        "dataset": model.dataset,
        "metrics": dict(model.metrics),
        "linear": model.linear,
        "paper": identify(model),
    }
