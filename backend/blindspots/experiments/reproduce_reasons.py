"""What is known of the paper's text and numbers that bears on a comparison: notes and reasons.

Nothing here is fitted to a result: each sentence stands on the printed text, or on a measurement that
docs/science.md tells how to repeat. Szegedy et al. 2013, arXiv 1312.6199, first edition.
"""

from collections.abc import Mapping

from blindspots.experiments.reproduce_cells import Cell
from blindspots.zoo.papers import TABLE_1

UNEXPLAINED = "unexplained"

SAMPLE = (
    "How many images the paper attacked is not said; the text speaks of the whole training set, the "
    "percentages of 256 images. All six errors off the diagonal in the upper block of table 4 are "
    "multiples of 1/256 after rounding (6.25 % = 16/256 is even printed to two decimals), and so are 27 "
    "of the 30 in table 2 and, with rounding or truncation, all 12 of its noise rows; a random number "
    "with one decimal would be one with a chance of 0.27. 512 images fit as well. The intervals on the "
    "paper's errors assume 256."
)
DECAY = (
    "Weight decay: the printed formula, λ Σ w² / k with k units, does not give the printed errors (15.6 "
    "% where the paper has 21.2 %). Mean cross-entropy + λ/2 (‖W‖² + ‖b‖²) gives all six numbers of the "
    "linear networks to 0.22 points, and is used here."
)
UNSAID_TRAINING = (
    "Starting weights, the end of training and the number of repetitions are not printed. Here: weights "
    "N(0, 1/fan-in), biases 0, at most 600 iterations of L-BFGS, one seed."
)
MINIMUM_C = (
    "“The minimum c > 0” (section 4.1) is backwards: a larger c can only shrink the change, so the "
    "nearest adversarial image is at the largest c that still succeeds. Which class is aimed for, how c "
    "is searched and where the search starts are not printed; a random wrong class and a coarse search "
    "fit the printed distortions best. Both searches are shown: the bisected one as measured, the "
    "coarse one beside it."
)
ROOT = (
    "Distortion is sqrt(Σ (x'ᵢ - xᵢ)² / n), the root mean square per pixel. The paper also calls it "
    "“stddev”, although the mean of the change is not removed. Its average is taken as the mean over "
    "images."
)
AUTOENCODER = (
    "AE400-10: the sparsity target and its weight, the weight decay of encoder and decoder, and whether "
    "they share weights are not printed. Ours is another autoencoder of the same shape."
)
SMOOTH = (
    "Contested: that such examples “cannot occur with smooth classifiers by definition”. The linear "
    "networks of table 1 have them. Goodfellow et al. 2015 explain them by linearity, Tanay & Griffin "
    "2016 by the tilt of the boundary under weak regularisation."
)
NOISE_IN_BOX = (
    "Noise is not clipped to [0, 1]: at 0.3, softmax1 then errs on 17 % (paper 15.6 %), with clipping "
    "on 45 %. Unclipped noise leaves the box in which the attack must stay; the transfer's page has a "
    "control inside it, random directions of each image's own length."
)
NOISE_SIZE = (
    "Contested: that noise of 0.1 “is greater than the adversarial noise for all but one model”. By "
    "table 1 it equals that of softmax2 (0.1) and is smaller than that of softmax3 (0.14)."
)
LENGTH_MATTERS = (
    "A row with a larger distortion looks more transferable simply because the change is larger. The "
    "transfer's page shows the error at a common length, and without what a network gets wrong anyway."
)
POCKETS = (
    "Contested: that adversarial images lie in low-probability pockets, “dense like the rationals”. "
    "Later work found contiguous regions of many dimensions (Goodfellow et al. 2015; Tramèr et al. "
    "2017) and a quantitative tie to ordinary errors under noise (Gilmer et al. 2018; Ford et al. "
    "2019)."
)
SPLIT = (
    "How the training set was halved is not printed: first and second half, at random, or by class. "
    "Here a seeded random permutation is cut in the middle."
)
M1_PRIME = "The weight decay of M1' (784-123-456-10) is not printed; that of M1 is used."
CAPTION = "The caption speaks of the last row as noise; there are two noise rows, one to each block."
NOISE_ROWS = (
    "The noise rows of table 4 are not multiples of 1/256: they are taken to be of all 10,000 test "
    "images, and are measured on all of them."
)
AMPLIFICATION = (
    "Amplification as printed, x + 0.1 (x' - x) / ‖x' - x‖₂, would shrink the change 17-fold: a factor "
    "√n is missing, and x + 0.1 √n (x' - x) / ‖x' - x‖₂ is used, without clipping. “Magnifies by 40 %” "
    "disagrees too: 0.06 to 0.1 is +67 %."
)
FIGURE_7 = (
    "Figure 7 gives 0.06 for “a linear softmax” without its λ (table 1: 0.062 for softmax1), and 0.063 "
    "for N200-200-10, where table 1 has 0.065: another sample. The network under noise is not named; of "
    "ours, only sigmoid networks on unclipped noise come near 51 %. Displayed pixels are clipped to [0, "
    "1], the network's input is not."
)
SMALL_GAIN = (
    "On 10,000 test images a 95 % interval at 1.2 % is ±0.21 points wide, at 1.3 % ±0.22: one seed "
    "cannot tell 1.2 from 1.3 %. The first edition does not say whether weight decay and dropout go "
    "along; the later one says decay yes, dropout no, and that only training on every layer helps."
)

UNSAID_POOLS = (
    "The size of the pools, how often and by which attack they are refreshed, their weight in the loss, "
    "the optimiser and the length of the training are not printed."
)

NOTES: Mapping[str, tuple[str, ...]] = {
    "table1": (SAMPLE, DECAY, UNSAID_TRAINING, MINIMUM_C, ROOT, AUTOENCODER, SMOOTH),
    "table2": (SAMPLE, MINIMUM_C, NOISE_IN_BOX, NOISE_SIZE, LENGTH_MATTERS, AUTOENCODER, POCKETS),
    "table3": (SPLIT, M1_PRIME, UNSAID_TRAINING, DECAY, MINIMUM_C),
    "table4": (SAMPLE, NOISE_ROWS, AMPLIFICATION, CAPTION, M1_PRIME, SPLIT, POCKETS),
    "figure7": (FIGURE_7,),
    "adversarial_training": (SMALL_GAIN, UNSAID_POOLS),
}

SHRUNK = (
    "Images whose own change is larger than 0.1 are shrunk by the formula, and some are then no longer "
    "misclassified; how the paper comes to 100 % is not said."
)
COARSE_AGREES = (
    "The coarse search agrees with the paper: the paper's search for c is not printed, and is coarse by "
    "its distortions."
)
BETWEEN = "The paper lies between our two searches for c; its own search is not printed."
EASY_SAMPLE = (
    "In the paper this network errs less often on noisy images than on its whole training set without "
    "noise (table 1): the images that were used here were easier than most."
)
FAILED = "The attack did not succeed on every image; the step tells on which, and why."
SHORTER = (
    "Both our searches find shorter changes. A printed distortion is what the paper's own search "
    "reached, an upper bound of the minimum, and how far it searched is not said."
)
NOT_PRINTED_DECAY = "The weight decay of M1' is not printed, and ours need not be the paper's."


def reason(table: str, row: str, column: str, cell: Cell) -> str | None:
    """Why a cell differs from the paper, as far as it is known; None where it does not differ.

    row, column: the labels of the printed table.
    """
    if cell.verdict != "differs":
        return None
    if table == "adversarial_training":
        return UNSAID_POOLS
    if "AE400-10" in (row, column):
        return AUTOENCODER
    source = row.partition(",")[0]
    if cell.given:
        return FAILED
    if "amplified" in row and source == column:
        return SHRUNK
    if (search := _search(cell)) is not None:
        return search
    if table == "table2" and _easier_than_average(row, column, cell):
        return EASY_SAMPLE
    if table in ("table3", "table4") and "M1'" in (source, column):
        return NOT_PRINTED_DECAY
    return UNEXPLAINED


def _easier_than_average(row: str, column: str, cell: Cell) -> bool:
    """Whether a printed error under noise is below the printed error of all training images."""
    whole = {model.name: model.train_error for model in TABLE_1}
    return row.startswith("noise") and cell.printed is not None and cell.printed.value < whole[column]


def _search(cell: Cell) -> str | None:
    """Whether the coarseness of the search explains it."""
    if cell.coarse is None or cell.printed is None:
        return None
    if cell.coarse_verdict == "consistent":
        return COARSE_AGREES
    low, high = sorted((cell.measured.value, cell.coarse.value))
    if low <= cell.printed.value <= high:
        return BETWEEN
    return SHORTER if cell.unit == "distortion" and high < cell.printed.value else None
