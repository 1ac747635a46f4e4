"""Joining the blocks of a units job: the rows of every arm and their scores."""

from typing import TYPE_CHECKING, Any

import numpy as np

from blindspots.experiments.base import Context, Result, StoredResult
from blindspots.experiments.parameters import Array
from blindspots.experiments.units_judge import judged
from blindspots.experiments.units_summary import summarise
from blindspots.science import unit_scores

if TYPE_CHECKING:
    from blindspots.experiments.units import Units


def merge_parts(spec: "Units", context: Context) -> Result:
    """Arrays of one row per direction, arm after arm, and the summary."""
    parts = [context.part(number) for number in range(context.part_count())]
    facts, _ = context.model(spec.model)
    index, labels = _selection(parts)
    classes = len(facts.class_names) if labels[0] >= 0 else 1
    arms: dict[str, dict[str, Array]] = {}
    for untrained in (False, True):
        blocks = [part for part in parts if (list(_arm_names(part)) == ["untrained"]) == untrained]
        if blocks:
            arms |= _joined(blocks, spec.k)
    if "random_images" in spec.arms:
        arms["random_images"] = _random_images(spec, arms, len(index), classes)
    for columns in arms.values():
        columns["image_index"], columns["top_label"] = index[columns["row"]], labels[columns["row"]]
        columns.update(_scores(spec, context, columns))
        context.check_cancelled()
    judged(spec, context, arms)
    names = list(arms)
    joined = {key: np.concatenate([columns[key] for columns in arms.values()]) for key in arms[names[0]]}
    joined["arm"] = np.repeat(np.arange(len(names)), [len(columns["unit"]) for columns in arms.values()])
    layer = spec.find_layer(facts)
    summary = summarise(spec, names, joined, images=len(index), layer=layer, facts=facts)
    converged = [part.summary["ica_converged"] for part in parts if part.summary["ica_converged"] is not None]
    if converged:
        summary["ica_converged"] = all(converged)
    return Result(arrays=joined, summary=summary)


def _arm_names(part: StoredResult) -> list[str]:
    names = part.summary["arms"]
    assert isinstance(names, list)
    return [str(name) for name in names]


def _selection(parts: list[StoredResult]) -> tuple[Array, Array]:
    """Index in the split and label of every chosen image, from the blocks of one network."""
    kind = _arm_names(parts[0])
    blocks = [part for part in parts if _arm_names(part) == kind]
    index = np.concatenate([part.array("index") for part in blocks])
    return index, np.concatenate([part.array("label") for part in blocks])


def _joined(blocks: list[StoredResult], k: int) -> dict[str, dict[str, Array]]:
    """Arm -> its columns: top rows and scores of all blocks together, class means, spread."""
    score = np.concatenate([block.array("score") for block in blocks], axis=1)
    row = np.concatenate([block.array("row") for block in blocks], axis=1)
    order = np.lexsort((row, -score), axis=1)[:, :k]
    counts = np.sum([block.array("class_count") for block in blocks], axis=0)
    sums = np.sum([block.array("class_sum") for block in blocks], axis=0)
    squares = np.sum([block.array("square_sum") for block in blocks], axis=0)
    mean = sums.sum(axis=1) / counts.sum()
    columns = {
        "unit": blocks[0].array("unit").astype(np.int64),
        "row": np.take_along_axis(row, order, axis=1),
        "score": np.take_along_axis(score, order, axis=1),
        "class_mean": np.where(counts > 0, sums / np.maximum(counts, 1), np.nan),
        "mean": mean,
        "deviation": np.sqrt(np.maximum(squares / counts.sum() - mean**2, 0)),
        "least": np.min([block.array("least") for block in blocks], axis=0).astype(np.float64),
    }
    columns["constant"] = columns["score"][:, 0] <= columns["least"]
    ends = np.cumsum(blocks[0].array("arm_size"))[:-1]
    pieces = {name: np.split(column, ends) for name, column in columns.items()}
    return {
        arm: {name: pieces[name][place] for name in columns}
        for place, arm in enumerate(_arm_names(blocks[0]))
    }


def _random_images(
    spec: "Units", arms: dict[str, dict[str, Array]], images: int, classes: int
) -> dict[str, Array]:
    """As many sets of k images as the largest arm has rows, drawn by chance; they have no scores."""
    sets = max(len(columns["unit"]) for columns in arms.values())
    generator = np.random.default_rng([spec.seed, 3])
    rows = np.stack([generator.choice(images, spec.k, replace=False) for _ in range(sets)])
    nothing = np.full(sets, np.nan)
    return {
        "unit": np.arange(sets), "row": rows, "score": np.full(rows.shape, np.nan, np.float32),
        "class_mean": np.full((sets, classes), np.nan), "mean": nothing, "deviation": nothing,
        "least": nothing, "constant": np.zeros(sets, dtype=bool),
    }  # fmt: skip


def _scores(spec: "Units", context: Context, columns: dict[str, Array]) -> dict[str, Array]:
    """What the top images of each direction share."""
    classes = columns["class_mean"].shape[1]
    labelled = bool((columns["top_label"] >= 0).all())
    histogram = unit_scores.class_histogram(np.maximum(columns["top_label"], 0), classes)
    pixels, _ = context.dataset(spec.images.dataset, spec.images.split)
    coherence = [unit_scores.coherence(np.asarray(pixels[row])) for row in columns["image_index"]]
    mean = columns["class_mean"][:, ~np.isnan(columns["class_mean"]).all(axis=0)]
    selective = np.full(len(histogram), np.nan)
    if mean.shape[1] > 1 and (columns["least"] >= 0).all():
        selective = unit_scores.selectivity(mean)
    found: dict[str, Any] = {
        "top_classes": histogram,
        "purity": unit_scores.purity(histogram) if labelled else np.full(len(histogram), np.nan),
        "entropy": unit_scores.entropy(histogram) if labelled else np.full(len(histogram), np.nan),
        "coherence": np.array(coherence),
        "selectivity": selective,
    }
    return found
