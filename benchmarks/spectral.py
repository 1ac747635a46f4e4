"""What the exact spectra of AlexNet's convolutions cost, beside numpy's transform and decomposition.

    python benchmarks/spectral.py [--layers fc1 fc2 fc3]

Random weights in the shapes of table 5 of Szegedy et al. 2013, one thread, 16 x 16 frequencies. Each side
runs in a process of its own, so that its peak memory is its own. Ours also finds proven bounds of each norm
between the frequencies; the peer (fft2 of the padded kernels, aliases stacked for the stride, complex128 SVD
of every frequency in batches, as Sedghi, Gupta and Long 2019 do for stride 1) sees only its grid.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

CACHE = Path(__file__).parent / ".cache"
GRID = 16
BATCH = 8  # frequencies that the peer decomposes at a time
LAYERS = {
    "conv1": (96, 3, 11, 4),
    "conv2": (256, 96, 5, 1),
    "conv3": (384, 256, 3, 1),
    "conv4": (384, 384, 3, 1),
    "conv5": (256, 384, 3, 1),
}


DENSE = {"fc1": (4096, 9216), "fc2": (4096, 4096), "fc3": (1000, 4096)}


def matrix(name: str) -> np.ndarray:
    """Random weights of variance 1 / fan-in, (outputs, inputs) float32 as a trained network has them."""
    outputs, inputs = DENSE[name]
    generator = np.random.default_rng(10 + list(DENSE).index(name))
    return generator.standard_normal((outputs, inputs), np.float32) / np.float32(math.sqrt(inputs))


def weights(name: str) -> np.ndarray:
    """Random weights of variance 1 / fan-in, (filters, channels, k, k)."""
    filters, channels, kernel, _ = LAYERS[name]
    generator = np.random.default_rng(list(LAYERS).index(name))
    return generator.standard_normal((filters, channels, kernel, kernel)) / math.sqrt(channels * kernel**2)


def ours(names: list[str]) -> list[dict[str, Any]]:
    """All singular values on the grid, and the proven bounds of the norm."""
    from measuring import pin_to_one_processor

    from blindspots.science.spectrum.norm_interval import norm_interval
    from blindspots.science.spectrum.singular_values import spectrum
    from blindspots.science.spectrum.symbol import convolution, dense

    pin_to_one_processor()
    norm_interval(convolution(np.ones((2, 2, 3, 3))), spectrum(convolution(np.ones((2, 2, 3, 3)))))
    found = []
    for name in names:
        weight = matrix(name) if name in DENSE else weights(name)
        stride = 1 if name in DENSE else LAYERS[name][3]
        started = time.process_time()
        symbol = dense(weight) if name in DENSE else convolution(weight, stride=(stride, stride))
        values = spectrum(symbol, (1, 1) if name in DENSE else (GRID, GRID))
        middle = time.process_time()
        interval = norm_interval(symbol, values)
        found.append(
            {
                "grid_seconds": middle - started,
                "bound_seconds": time.process_time() - middle,
                "largest": float(values.values.max()),
                "smallest": float(values.values.min()),
                "lower": interval.lower,
                "upper": interval.upper,
            }
        )
    return found


def peer(names: list[str]) -> list[dict[str, Any]]:
    """The same grid by numpy alone."""
    from measuring import pin_to_one_processor

    pin_to_one_processor()
    found = []
    for name in names:
        if name in DENSE:
            found.append(peer_dense(name))
            continue
        weight, stride = weights(name), LAYERS[name][3]
        started = time.process_time()
        size = GRID * stride
        transform = np.fft.fft2(weight, (size, size))
        aliases = [
            transform[:, :, i * GRID : (i + 1) * GRID, j * GRID : (j + 1) * GRID]
            for i in range(stride)
            for j in range(stride)
        ]
        matrices = np.concatenate(aliases, axis=1).transpose(2, 3, 0, 1)
        matrices = matrices.reshape(GRID**2, len(weight), -1) / stride
        batches = [matrices[start : start + BATCH] for start in range(0, GRID**2, BATCH)]
        values = np.concatenate([np.linalg.svd(batch, compute_uv=False) for batch in batches])
        found.append(
            {
                "grid_seconds": time.process_time() - started,
                "largest": float(values.max()),
                "smallest": float(values.min()),
            }
        )
    return found


def peer_dense(name: str) -> dict[str, Any]:
    """One matrix by numpy."""
    weight = matrix(name).astype(np.float64)
    started = time.process_time()
    values = np.linalg.svd(weight, compute_uv=False)
    seconds = time.process_time() - started
    return {"grid_seconds": seconds, "largest": float(values.max()), "smallest": float(values.min())}


def side(name: str, names: list[str]) -> dict[str, Any]:
    """One side in this process, with its peak memory."""
    layers = ours(names) if name == "ours" else peer(names)
    return {"layers": layers, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10}


def table(names: list[str], mine: dict[str, Any], other: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        "| layer | ours: grid, s | proven bounds, s | numpy: grid, s | norm between | grid's largest (numpy) "
        "| smallest: ours, numpy |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one, two in zip(names, mine["layers"], other["layers"], strict=True):
        lines.append(
            f"| {name} | {one['grid_seconds']:.2f} | {one['bound_seconds']:.2f} | {two['grid_seconds']:.2f} "
            f"| {one['lower']:.5f}, {one['upper']:.5f} | {two['largest']:.5f} "
            f"| {one['smallest']:.4g}, {two['smallest']:.4g} |"
        )
    sums = [
        sum(layer.get(key, 0.0) for layer in found["layers"])
        for found, key in ((mine, "grid_seconds"), (mine, "bound_seconds"), (other, "grid_seconds"))
    ]
    lines.append(
        f"| all | {sums[0]:.2f} | {sums[1]:.2f} | {sums[2]:.2f} | peak {mine['peak_mib']:.0f} MiB "
        f"| peak {other['peak_mib']:.0f} MiB | |"
    )
    return "\n".join(lines)


def main() -> None:
    """Both sides after one another, the table, and the numbers in the cache."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", nargs="+", choices=[*LAYERS, *DENSE], default=list(LAYERS))
    names = parser.parse_args().layers
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        mine, other = (pool.apply(side, (name, names)) for name in ("ours", "peer"))
    print(table(names, mine, other))
    CACHE.mkdir(exist_ok=True)
    (CACHE / "spectral.json").write_text(json.dumps({"ours": mine, "numpy": other}, indent=1))


if __name__ == "__main__":
    main()
