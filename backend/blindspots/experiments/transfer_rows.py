"""The rows of the matrix in their order, and the images that each of them is about.

Rows are told by the Spec alone. The images of a row are made by numpy from the unchanged and the attacked
ones, in a running part and again, with the same pixels, where one of them is shown.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from blindspots.experiments.parameters import Array
from blindspots.science import transfer as science

if TYPE_CHECKING:
    from blindspots.experiments.transfer import Transfer

RowKind = Literal["clean", "attack", "direction", "amplified", "noise"]
DIRECTION_STREAM = 1000  # of source 0; the noise of sigma number i has stream i
EQUAL_L2 = "equal_l2"  # the fourth change of a source's images: no row, but a number in its cells


@dataclass(frozen=True)
class MatrixRow:
    """One row: whose images, and how they were changed."""

    kind: RowKind
    variant: str  # what the arrays of the parts are called by
    source: int | None = None  # place among the sources
    t: float | None = None
    sigma: float | None = None
    clip: bool = False
    stream: int = 0  # of its random numbers

    def label(self, source_name: str | None) -> str:
        """What the row is called: "softmax1", "softmax1, amplified to 0.1", "noise 0.3"."""
        match self.kind:
            case "clean":
                return "unchanged images"
            case "attack":
                return str(source_name)
            case "direction":
                return f"{source_name}, random direction"
            case "amplified":
                return f"{source_name}, amplified to {self.t:g}"
            case "noise":
                return f"noise {self.sigma:g}"


def matrix_rows(spec: "Transfer") -> list[MatrixRow]:
    """All rows: unchanged, attacked, in random directions, amplified (value by value), noisy."""
    sources = range(len(spec.sources))
    rows = [MatrixRow("clean", "clean")]
    rows += [MatrixRow("attack", "attack", source=number) for number in sources]
    if spec.directions:
        rows += [
            MatrixRow("direction", "direction", source=number, stream=DIRECTION_STREAM + number)
            for number in sources
        ]
    rows += [
        MatrixRow("amplified", f"amplified_{place}", source=number, t=t, clip=spec.amplify.clip)
        for place, t in enumerate(spec.amplify.distortions)
        for number in sources
    ]
    rows += [
        MatrixRow("noise", f"noise_{place}", sigma=sigma, clip=spec.noise.clip, stream=place)
        for place, sigma in enumerate(spec.noise.sigmas)
    ]
    return rows


def rows_of(spec: "Transfer", source: int | None) -> list[MatrixRow]:
    """The rows that a part of that source measures, or a part of the unchanged and noisy images."""
    return [row for row in matrix_rows(spec) if row.source == source]


def changed_images(
    spec: "Transfer", row: MatrixRow, original: Array, adversarial: Array | None, index: Array
) -> Array:
    """The images of a row, (n, c, h, w) float32.

    original, adversarial: (n, c, h, w) float32; adversarial is None for rows without a source. index: (n,)
    absolute numbers of the images.
    """
    if row.kind == "clean":
        return original
    if row.sigma is not None:
        return science.add_noise(
            original, sigma=row.sigma, clip=row.clip, seed=spec.seed, stream=row.stream, index=index
        )
    assert adversarial is not None
    if row.kind == "direction":
        norms = science.l2_norms(original, adversarial)
        return science.random_directions(original, norms, seed=spec.seed, stream=row.stream, index=index)
    if row.t is not None:
        return science.amplify(
            original, adversarial, distortion=row.t, clip=row.clip, at_least_own=spec.amplify.at_least_own
        )
    return adversarial
