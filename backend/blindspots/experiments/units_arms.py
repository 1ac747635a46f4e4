"""The kinds of directions that a units job compares."""

from dataclasses import dataclass
from typing import Literal

ArmName = Literal["natural", "random", "pca", "ica", "untrained", "random_images"]
WIDEST_ROTATION = 1024  # units: a rotation is taken apart by a Schur decomposition, d^3
ROTATION = "rotation"  # arms between natural and random: "rotation 0.25"


@dataclass(frozen=True)
class Arm:
    """One way to choose directions."""

    title: str
    row: str  # what one row is called
    untrained: bool = False
    passes: bool = True  # whether its images are found by a forward pass


ARMS: dict[ArmName, Arm] = {
    "natural": Arm("Single units", "unit"),
    "random": Arm("Random directions", "random direction"),
    "pca": Arm("Principal directions", "principal direction"),
    "ica": Arm("Independent components", "component"),
    "untrained": Arm("Units of an untrained copy", "untrained unit", untrained=True),
    "random_images": Arm("Random images", "random set", passes=False),
}


def arm_title(name: str) -> str:
    """For the user; also of the stops of a rotation."""
    if name.startswith(ROTATION):
        return f"{100 * float(name.removeprefix(ROTATION)):.0f} % of the rotation"
    return next(arm.title for key, arm in ARMS.items() if key == name)


def row_name(name: str) -> str:
    """What one row of an arm is called."""
    return next((arm.row for key, arm in ARMS.items() if key == name), "turned unit")


def rotation_stops(steps: int) -> list[tuple[str, float]]:
    """Names and shares of the stops between 0 and 1."""
    shares = [place / (steps + 1) for place in range(1, steps + 1)]
    return [(f"{ROTATION} {share:.3f}", share) for share in shares]
