"""Changes of images that are compared across models, and what is counted of the answers.

Szegedy et al. 2013, section 4.1, tables 2 and 4, and their controls. All in numpy: the same pixels can be
made again wherever an image is shown. Computed in float64, returned in float32 as a model reads them.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def l2_norms(original: Array, changed: Array) -> Array:
    """||x' - x||_2 of each image, (n,) float64. Both images: (n, ...) floats of one shape."""
    return np.linalg.norm(_change(original, changed), axis=1)


def amplify(
    original: Array, adversarial: Array, *, distortion: float, clip: bool = False, at_least_own: bool = False
) -> Array:
    """x + t sqrt(n) r / ||r||_2: every change brought to one distortion t. Szegedy et al. 2013, table 4.

    The paper prints 0.1 r / ||r||_2, a change 28 times smaller than the one it describes; sqrt(n) of n pixel
    values makes the distortion t. original, adversarial: (n, ...) in [0, 1]. at_least_own: changes that are
    larger already keep their size. An image with r = 0 has no direction and stays unchanged. Returns float32,
    outside [0, 1] unless `clip`. Raises ValueError for t <= 0.
    """
    if not distortion > 0:
        raise ValueError(f"expected a distortion above 0, got {distortion}")
    change = _change(original, adversarial)
    norms = np.linalg.norm(change, axis=1)
    wanted = np.full(len(change), distortion * np.sqrt(change.shape[1]))
    return _scaled(original, change, np.maximum(wanted, norms) if at_least_own else wanted, clip=clip)


def rescale(original: Array, adversarial: Array, *, l2: float) -> Array:
    """x + L r / ||r||_2, unclipped: the same direction at one L2 norm for every image and every source.

    original, adversarial: (n, ...) in [0, 1]. r = 0 stays unchanged. Returns float32. Raises ValueError for
    L <= 0.
    """
    if not l2 > 0:
        raise ValueError(f"expected an L2 norm above 0, got {l2}")
    return _scaled(original, _change(original, adversarial), np.full(len(original), l2), clip=False)


def random_directions(original: Array, norms: Array, *, seed: int, stream: int, index: Array) -> Array:
    """x + ||r||_2 g / ||g||_2 with g normal: the control that only the direction of a change is chance.

    original: (n, ...) in [0, 1]; norms: (n,) L2; index: (n,) absolute numbers of the images. The direction
    depends on (seed, stream, number of the image) alone. Returns float32, unclipped.
    """
    normal = standard_normal(original.shape, seed=seed, stream=stream, index=index)
    return _scaled(original, normal, np.asarray(norms, dtype=np.float64), clip=False)


def add_noise(original: Array, *, sigma: float, clip: bool, seed: int, stream: int, index: Array) -> Array:
    """x + sigma g with g normal for every pixel value. Szegedy et al. 2013, last rows of tables 2 and 4.

    original: (n, ...) in [0, 1]; index: (n,) absolute numbers of the images, on which, with seed and stream,
    the noise alone depends. Returns float32, outside [0, 1] unless `clip`.
    """
    normal = standard_normal(original.shape, seed=seed, stream=stream, index=index)
    noisy = original.astype(np.float64) + sigma * normal.reshape(original.shape)
    return (np.clip(noisy, 0, 1) if clip else noisy).astype(np.float32)


def standard_normal(shape: tuple[int, ...], *, seed: int, stream: int, index: Array) -> Array:
    """(n, values per image) float64 independent standard normal numbers, one generator per image."""
    assert len(index) == shape[0]
    drawn = np.empty((shape[0], int(np.prod(shape[1:]))))
    for row, number in enumerate(index.tolist()):
        np.random.default_rng((seed, stream, number)).standard_normal(out=drawn[row])
    return drawn


def cosines(original: Array, first: Array, second: Array) -> Array:
    """Cosine of two changes of the same image, (n,) float64; NaN where one of them is 0.

    original, first, second: (n, ...) floats of one shape.
    """
    one, two = _change(original, first), _change(original, second)
    scale = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    product = np.einsum("ij,ij->i", one, two)
    known = scale > 0
    return np.where(known, np.clip(product / np.where(known, scale, 1), -1, 1), np.nan)


def count_cells(
    *, label: Array, clean: Array, reached: Array, source_clean: Array, source_reached: Array
) -> dict[str, Array]:
    """What the cells of one row of the matrix are made of: numbers of images, (m,) int64 each, that add up
    over blocks of images.

    label, source_clean, source_reached: (n,) classes; clean, reached: (n, m), answers of the m evaluated
    models on the unchanged and on the changed images; -1, which is never right, where a logit is not finite.

    Returns `wrong`, of it `wrong_before` (wrong on the unchanged image too); `only_before` (right only now);
    `both_right` (source and evaluated model right on the unchanged image), of it `both_right_wrong`; and
    `same_wrong`, the wrong answers that are the source's own answer on the changed image.
    """
    truth = label[:, None]
    wrong, before = reached != truth, clean != truth
    both_right = ~before & (source_clean == label)[:, None]
    found = {
        "wrong": wrong,
        "wrong_before": wrong & before,
        "only_before": before & ~wrong,
        "both_right": both_right,
        "both_right_wrong": both_right & wrong,
        "same_wrong": wrong & (reached == source_reached[:, None]),
    }
    return {name: cases.sum(axis=0, dtype=np.int64) for name, cases in found.items()}


def _change(original: Array, changed: Array) -> Array:
    """x' - x, (n, values per image) float64."""
    if original.shape != changed.shape or original.ndim < 2:
        raise ValueError(f"expected two batches of one shape, got {original.shape} and {changed.shape}")
    difference = changed.astype(np.float64) - original.astype(np.float64)
    return difference.reshape(len(difference), -1)


def _scaled(original: Array, change: Array, wanted: Array, *, clip: bool) -> Array:
    """The images with each change brought to its wanted L2 norm; a change of 0 stays 0."""
    norms = np.linalg.norm(change, axis=1)
    factor = np.where(norms > 0, wanted / np.where(norms > 0, norms, 1), 0)
    moved = original.astype(np.float64) + (change * factor[:, None]).reshape(original.shape)
    return (np.clip(moved, 0, 1) if clip else moved).astype(np.float32)
