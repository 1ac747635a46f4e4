"""One block of a transfer: make the images of every row, show them to the models, keep what each answered.

Imports torch: import it in `run`.
"""

import math
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from blindspots.experiments.attack_examples import adversarial_rows
from blindspots.experiments.base import Context, Outcome, Part, Result
from blindspots.experiments.parameters import Array
from blindspots.experiments.selection import DatasetImages, IndexedImages, Selected
from blindspots.experiments.transfer import Transfer, step_name
from blindspots.experiments.transfer_rows import EQUAL_L2, changed_images, rows_of
from blindspots.science import transfer as science
from blindspots.zoo import architectures

TILE = 128  # images per forward pass; parts are a multiple of it
ATTACK_COLUMNS = ("prediction", "confidence_before", "target", "success", "reason")  # of the source's attack


def evaluate_block(spec: Transfer, part: Part, context: Context) -> Result:
    """Answers of the evaluated models, and of the source, on every row's images of one block.

    Arrays: `index`, `label` (n,); of every variant of the images `<variant>_reached` (n, m) int32 with
    `_confidence` of that answer and `_confidence_true` of the label, (n, m) float32, `_probabilities`
    (n, m, K) where the part keeps them, `_rms` and `_l2` (n,) float64. The m columns are the evaluated
    models, and in parts of a source the source itself as the last one.
    """
    started = time.perf_counter()
    source, start, stop = (part.parameters[name] for name in ("source", "start", "stop"))
    assert source is None or isinstance(source, int)
    assert isinstance(start, int)
    assert isinstance(stop, int)
    block = _Block(spec, context, source, slice(start, stop), keep=bool(part.parameters["probabilities"]))
    arrays = block.control_arrays() if source is None else block.source_arrays(str(part.parameters["step"]))
    return Result(
        arrays={"index": block.selected.index, "label": block.selected.label, **arrays},
        summary={
            "source": source, "start": start, "stop": stop, "seconds": time.perf_counter() - started,
        },
    )  # fmt: skip


class _Block:
    """The images of one part, and the models that they are shown to."""

    def __init__(
        self, spec: Transfer, context: Context, source: int | None, rows: slice, *, keep: bool
    ) -> None:
        self.spec, self.context, self.source, self.rows, self.keep = spec, context, source, rows, keep
        references = list(spec.evaluated)
        self.columns = list(range(len(references)))
        if source is not None:
            reference = spec.sources[source]
            if reference not in references:
                references.append(reference)
            self.columns.append(references.index(reference))
        loaded = [context.model(reference) for reference in references]
        self.networks: list[nn.Module] = [
            architectures.load(facts, weights).to(context.device).eval() for facts, weights in loaded
        ]
        self.selected = self._select(loaded[0][0].input_shape)
        self.original = self.selected.images.astype(np.float32) / 255
        self.made = 0

    def _select(self, shape: tuple[int, int, int]) -> Selected:
        images = self.spec.images
        whole = self.source is None and self.spec.noise.whole_split
        if whole and isinstance(images, DatasetImages | IndexedImages):
            pixels, labels = self.context.dataset(images.dataset, images.split)
            index = np.arange(len(labels), dtype=np.int64)[self.rows]
            return Selected(index, np.asarray(pixels[self.rows]), np.asarray(labels[self.rows], np.int64))
        return images.load(self.context, self.rows, seed=self.spec.seed, shape=shape)

    def control_arrays(self) -> dict[str, Array]:
        """The unchanged and the noisy images."""
        arrays: dict[str, Array] = {}
        for row in rows_of(self.spec, None):
            images = changed_images(self.spec, row, self.original, None, self.selected.index)
            arrays |= self._answers(row.variant, images)
        return arrays

    def source_arrays(self, step: str) -> dict[str, Array]:
        """A source's own images and what was made of them."""
        attack = self.context.step(step)
        adversarial = adversarial_rows(attack, self.rows)
        assert np.array_equal(attack.result.array("index", self.rows), self.selected.index)
        arrays = {name: attack.result.array(name, self.rows) for name in ATTACK_COLUMNS}
        for row in rows_of(self.spec, self.source):
            images = changed_images(self.spec, row, self.original, adversarial, self.selected.index)
            arrays |= self._answers(row.variant, images)
        norm = equal_norm(self.spec, self.context)
        if norm is not None:
            arrays |= self._answers(EQUAL_L2, science.rescale(self.original, adversarial, l2=norm))
        return arrays | {"cosine": self._cosines(adversarial)}

    def _answers(self, variant: str, images: Array) -> dict[str, Array]:
        total = len(rows_of(self.spec, self.source)) + (self.source is not None)
        found = answers(self.networks, images, self.selected.label, device=self.context.device)
        l2 = science.l2_norms(self.original, images)
        self.made += 1
        self.context.progress(self.made, total, f"{self.made} of {total} kinds of images shown")
        probabilities = found.pop("probabilities")[:, self.columns]
        arrays = {f"{variant}_{name}": values[:, self.columns] for name, values in found.items()}
        arrays |= {f"{variant}_l2": l2, f"{variant}_rms": l2 / math.sqrt(self.original[0].size)}
        return arrays | ({f"{variant}_probabilities": probabilities} if self.keep else {})

    def _cosines(self, adversarial: Array) -> Array:
        """(n, evaluated) float32 cosine with the change that each evaluated model's own attack made of the
        same image; NaN where there is none."""
        found = np.full((len(adversarial), len(self.spec.evaluated)), np.nan, dtype=np.float32)
        for column, reference in enumerate(self.spec.evaluated):
            if reference in self.spec.sources:
                facts, _ = self.context.model(reference)
                other = adversarial_rows(self.context.step(step_name(facts)), self.rows)
                found[:, column] = science.cosines(self.original, adversarial, other)
        return found


@torch.no_grad()
def answers(networks: Sequence[nn.Module], images: Array, label: Array, *, device: str) -> dict[str, Array]:
    """What each network says of (n, c, h, w) float32 images with labels (n,).

    Returns reached (n, m) int32, -1 where a logit is not finite; confidence of that answer and
    confidence_true of the label, (n, m) float32; probabilities (n, m, K) float32.
    """
    rows: list[Tensor] = []
    for start in range(0, len(images), TILE):
        tile = torch.from_numpy(images[start : start + TILE]).to(device)
        rows.append(torch.stack([network(tile).float() for network in networks], dim=1).cpu())
    logits = torch.cat(rows)
    probabilities = logits.softmax(dim=2).numpy()
    finite = logits.isfinite().all(dim=2).numpy()
    true = np.broadcast_to(label[:, None, None], (*finite.shape, 1))
    return {
        "reached": np.where(finite, logits.argmax(dim=2).numpy(), -1).astype(np.int32),
        "confidence": probabilities.max(axis=2),
        "confidence_true": np.take_along_axis(probabilities, true, axis=2)[:, :, 0],
        "probabilities": probabilities,
    }


def equal_norm(spec: Transfer, context: Context) -> float | None:
    """The common L2 norm: the one given, or the least mean L2 norm among the sources. None without a source,
    or where an attack changed nothing at all."""
    if not spec.sources:
        return None
    if spec.equal_l2 is not None:
        return spec.equal_l2
    facts = [context.model(reference)[0] for reference in spec.sources]
    pixels = math.prod(facts[0].input_shape)
    means = [_mean_distortion(context.step(step_name(model))) for model in facts]
    return min(means) * math.sqrt(pixels) or None


def _mean_distortion(attack: Outcome) -> float:
    return float(str(attack.result.summary["mean_distortion"]))
