"""The ways of training that adversarial training is compared with, and what the paper says of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from blindspots.science.adversarial_mixture import Arm

ArmName = Literal["decay", "dropout", "input", "layer1", "layer2", "all", "noise", "pgd"]
PAPER_IMAGES = 10_000  # test images behind the printed errors


@dataclass(frozen=True)
class ArmFacts:
    """One way of training."""

    title: str
    short: str  # for axes
    cost: int  # about how many times an epoch on clean images alone
    paper: float | None = None  # printed test error, a share in 0..1


ARMS: dict[ArmName, ArmFacts] = {
    "decay": ArmFacts("Weight decay only", "decay only", 3, 0.016),
    "dropout": ArmFacts("Dropout", "dropout", 5, 0.013),
    "input": ArmFacts("Pool of changed images", "images", 7),
    "layer1": ArmFacts("Pool of layer 1", "layer 1", 4),
    "layer2": ArmFacts("Pool of layer 2", "layer 2", 4),
    "all": ArmFacts("Pools of all layers", "all layers", 10, 0.012),
    "noise": ArmFacts("Noise of the same norm at all layers", "noise", 12),
    "pgd": ArmFacts("Projected gradient steps (L2)", "PGD", 15),
}
BASE: ArmName = "decay"
ALL: tuple[ArmName, ...] = tuple(ARMS)


def least_hidden(name: ArmName) -> int:
    """Hidden layers that a network needs for the arm to make sense."""
    return 2 if name == "layer2" else 1


def built(name: ArmName, hidden: int) -> "Arm":
    """What the arm does in a network of so many hidden layers."""
    from blindspots.science.adversarial_mixture import Arm

    every = tuple(range(hidden + 1))
    match name:
        case "decay":
            return Arm()
        case "dropout":
            return Arm(dropout=True)
        case "input":
            return Arm(layers=(0,))
        case "layer1":
            return Arm(layers=(1,))
        case "layer2":
            return Arm(layers=(2,))
        case "all":
            return Arm(layers=every)
        case "noise":
            return Arm(layers=every, noise=True)
        case "pgd":
            return Arm(pgd=True)
