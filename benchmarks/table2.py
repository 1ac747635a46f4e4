"""Table 2 of Szegedy et al. 2013 without AE400-10: each network's errors on examples made against another.

    python benchmarks/table2.py

256 training images, random targets, in mode paper (coarse c) and tight (bisected c). Compared with the paper
over the 25 cells, and over the 20 off the diagonal, where 100 % is not there by construction: mean absolute
difference in points, and Spearman's rank correlation.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import get_args

import networks
import numpy as np
import torch
from measuring import pin_to_one_processor
from scipy.stats import spearmanr
from torch import Tensor

from blindspots.science import measures
from blindspots.science.attacks.minimum_distortion import Mode, minimum_distortion

NAMES = ("softmax1", "softmax2", "softmax3", "N100", "N200")
# Rows: attacked network. Columns: error in percent of the evaluated network, last the mean distortion.
PAPER = np.array(
    [
        [100, 11.7, 22.7, 2, 3.9, 0.062],
        [87.1, 100, 35.2, 35.9, 27.3, 0.1],
        [71.9, 76.2, 100, 48.1, 47, 0.14],
        [28.9, 13.7, 21.1, 100, 6.6, 0.058],
        [38.2, 14, 23.8, 20.3, 100, 0.065],
    ]
)
OFF_DIAGONAL = ~np.eye(len(NAMES), dtype=bool)


def matrix(mode: Mode, images: Tensor, labels: Tensor, *, seed: int) -> np.ndarray:
    """Errors in percent (5, 5) and mean distortions (5,), as a (5, 6) table like the paper's."""
    trained = [networks.load(name) for name in NAMES]
    seeds = np.arange(len(images), dtype=np.uint64) + np.uint64(seed)
    rows = []
    for source in trained:
        found = minimum_distortion(source, images, labels, mode=mode, target_rule="random", seeds=seeds)
        wrong = [measures.predictions(other, found.adversarial) != labels for other in trained]
        errors = [100 * float(each.double().mean()) for each in wrong]
        rows.append([*errors, float(measures.distortion(images, found.adversarial).mean())])
    return np.array(rows)


def compare(ours: np.ndarray, cells: np.ndarray) -> tuple[float, float]:
    """Mean absolute difference in points and Spearman's correlation over some of the cells."""
    mine, paper = ours[:, :5][cells], PAPER[:, :5][cells]
    return float(np.abs(mine - paper).mean()), float(spearmanr(mine, paper).statistic)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / ".cache" / "table2.json")
    options = parser.parse_args()
    pin_to_one_processor()
    images, labels = networks.mnist("train")
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(options.seed))
    chosen = chosen[: options.images]
    answer = {}
    for mode in [mode for mode in get_args(Mode) if mode != "nearest"]:
        ours = matrix(mode, images[chosen], labels[chosen], seed=options.seed)
        figures = {"25 cells": np.ones_like(OFF_DIAGONAL), "20 off the diagonal": OFF_DIAGONAL}
        compared = {words: compare(ours, cells) for words, cells in figures.items()}
        answer[mode] = {"table": ours.tolist(), "compared": compared}
        print(f"\n### mode {mode}\n")
        for words, (difference, correlation) in compared.items():
            print(f"- {words}: mean absolute difference {difference:.2f} points, Spearman {correlation:.3f}")
        print()
        print(f"| source | distortion (paper) | {' | '.join(NAMES)} |\n|---|---|{'---|' * len(NAMES)}")
        for name, row, paper in zip(NAMES, ours, PAPER, strict=True):
            cells = [f"{mine:.1f} ({printed:g})" for mine, printed in zip(row[:5], paper[:5], strict=True)]
            print(f"| {name} | {row[5]:.3f} ({paper[5]:g}) | {' | '.join(cells)} |", flush=True)
    options.json.write_text(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
