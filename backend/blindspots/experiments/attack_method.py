"""What every attack method offers beside its parameters, and the words of their forms."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from blindspots.errors import InvalidInput
from blindspots.experiments.facts import ModelFacts
from blindspots.experiments.parameters import Array, Parameters

if TYPE_CHECKING:
    from torch import Tensor, nn

    from blindspots.science.attacks.result import AttackResult

Progress = Callable[[int, int], None]
ADVANCED: dict[str, Any] = {"x-group": "advanced"}
TARGET_CLASS: dict[str, Any] = {"x-widget": "class", "x-when": {"target": ["given"]}}


class AttackMethod(Parameters):
    """What every method offers beside its parameters."""

    heading: ClassVar[str] = ""
    """Human name."""

    paper: ClassVar[str] = ""
    """Where it is described."""

    def check(self, model: ModelFacts) -> None:
        """Raise InvalidInput naming the field of the method that does not suit the model."""

    def given_target(self) -> int | None:
        """The one class that every image shall be turned into, where the user named one."""
        return None

    def any_wrong_answer(self) -> bool:
        """Whether every class but the label will do: the exact optimum is then the nearest of all."""
        return True

    def passes(self) -> int:
        """About how many forward and backward passes one image takes; sizes the parts."""
        return 1

    def trace_length(self) -> int:
        """About how many values of c are recorded per image; sizes what is kept."""
        return 0

    def attack(
        self, network: "nn.Module", images: "Tensor", labels: "Tensor", *, seeds: Array, progress: Progress
    ) -> "AttackResult":
        """Attack (n, c, h, w) float32 images in [0, 1] with labels (n,) int64; seeds (n,) uint64, one per
        image."""
        raise NotImplementedError


def check_target(target: str, target_class: int | None, model: ModelFacts) -> None:
    """A target class is named exactly when the target is given, and is a class of the model."""
    classes = len(model.class_names)
    if target == "given" and target_class is None:
        raise InvalidInput(
            f"The target is given, so name a target class from 0 to {classes - 1}.",
            field="method.target_class",
        )
    if target != "given" and target_class is not None:
        raise InvalidInput(
            f"A target class is used only when the target is given; here it is {target}. Leave it empty.",
            field="method.target_class",
        )
    if target_class is not None and target_class >= classes:
        raise InvalidInput(
            f"The model {model.name} knows classes 0 to {classes - 1}; {target_class} is none of them.",
            field="method.target_class",
        )
