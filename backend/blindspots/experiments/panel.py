"""Figure 5 of any attack: rows of an image, its change magnified about mid-grey, and the adversarial image.

Szegedy et al. 2013, figure 5: the left image is answered rightly, the right one is not, and between them
stands clip(128 + 10 * 255 (x' - x), 0, 255).
"""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from blindspots.experiments.base import Outcome, StoredResult
from blindspots.experiments.examples import Example
from blindspots.experiments.parameters import Array
from blindspots.experiments.triptych import colours

MAGNIFICATION = 10.0  # the paper's
MOST_PIXELS = 24_000_000  # of the whole panel
NEEDED = frozenset({"success", "already_wrong", "kept", "label", "target"})


def panel_rows(result: StoredResult, count: int) -> Array:
    """The first `count` rows of the job that were answered rightly, were changed as wanted and are kept.

    Images that already are of the class aimed at are passed over. Empty where the job attacked nothing.
    """
    if not result.names >= NEEDED:
        return np.zeros(0, dtype=np.int64)
    columns = {name: result.array(name) for name in NEEDED}
    shown = columns["success"] & ~columns["already_wrong"] & columns["kept"]
    return np.flatnonzero(shown & (columns["label"] != columns["target"]))[:count]


def panel_examples(outcome: Outcome, count: int) -> list[Example]:
    """The images of the panel, as many as fit on it."""
    found: list[Example] = []
    for row in panel_rows(outcome.result, count).tolist():
        example = outcome.spec.example(outcome, row)
        assert example is not None
        if found and 3 * (len(found) + 1) * example.original[0].size > MOST_PIXELS:
            break
        found.append(example)
    return found


def magnified(change: Array, magnification: float = MAGNIFICATION) -> Array:
    """(c, h, w) change of pixels in [0, 1] -> (h, w, 3) uint8, no change is 128; one channel becomes grey."""
    levels = np.clip(128 + magnification * 255 * change.astype(np.float64), 0, 255)
    if levels.shape[0] == 1:
        levels = np.repeat(levels, 3, axis=0)
    pixels: Array = np.rint(levels.transpose(1, 2, 0)).astype(np.uint8)
    return pixels


def panel_png(examples: Sequence[Example], magnification: float = MAGNIFICATION) -> bytes:
    """The rows in two blocks side by side, one below four rows; between them the ground shows through.

    Raises ValueError where there is no row.
    """
    if not examples:
        raise ValueError("expected at least one example, got none")
    _, height, width = examples[0].original.shape
    blocks = 2 if len(examples) >= 4 else 1
    rows = -(-len(examples) // blocks)
    gap, between = max(1, width // 40), max(4, width // 5)
    block = 3 * width + 2 * gap
    size = (rows * (height + gap) - gap, blocks * (block + between) - between, 4)
    canvas = np.zeros(size, dtype=np.uint8)
    for place, example in enumerate(examples):
        assert example.adversarial is not None, "only kept images are chosen"
        assert example.original.shape[0] in (1, 3)
        change = example.adversarial - example.original
        top = place % rows * (height + gap)
        left = place // rows * (block + between)
        pictures = (
            colours(example.original),
            magnified(change, magnification),
            colours(example.adversarial),
        )
        for picture in pictures:
            canvas[top : top + height, left : left + width, :3] = picture
            canvas[top : top + height, left : left + width, 3] = 255
            left += width + gap
    stream = io.BytesIO()
    Image.fromarray(canvas).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()
