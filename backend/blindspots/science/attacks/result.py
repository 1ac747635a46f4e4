"""What an attack gives back: images, facts about each of them, and a sentence for each that was not found."""

from dataclasses import dataclass, fields
from enum import IntEnum

import torch
from torch import Tensor


class Reason(IntEnum):
    """Why the search of one image ended. The code is stored; `sentence` is for the user."""

    FOUND = 0
    ALREADY_THERE = 1
    NO_WEIGHT_SUFFICED = 2
    OUT_OF_TICKS = 3
    NOT_FINITE = 4
    LOST_ON_STORING = 5
    NOT_FOOLED = 6

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.FOUND: "An adversarial image was found.",
    Reason.ALREADY_THERE: "The model already gives the wanted answer, so the image was not changed.",
    Reason.NO_WEIGHT_SUFFICED: "No weight on the norm, however small, made the model give the wanted answer.",
    Reason.OUT_OF_TICKS: "The search used up its passes through the model and found no adversarial image.",
    Reason.NOT_FINITE: "The model gave answers or gradients that are not finite numbers.",
    Reason.LOST_ON_STORING: "The model gave the wanted answer in the search but not for the stored image.",
    Reason.NOT_FOOLED: "The model still answers the label after the change.",
}


@dataclass(frozen=True, kw_only=True)
class AttackResult:
    """One row per image, in the order of the input, on the CPU.

    adversarial: (n, c, h, w) float32 in [0, 1]; the best attempt where `success` is false.
    target: (n,) int64, the class aimed at; -1 where any class but the label would do.
    success: (n,) bool, as the attack saw it; `measures.judge` decides on the stored image.
    reason: (n,) int8, codes of `Reason`.
    weight: (n,) float32, the final weight c of the norm term (0 where none was used).
    forwards, backwards: (n,) int32, passes through the model spent on this image.
    already_wrong: (n,) bool, the clean prediction was not the label.
    trace_weight, trace_distortion, trace_loss: (n, T) float32, NaN-padded: one entry per weight tried.
    trace_success: (n, T) int8, 1 or 0, -1-padded.
    """

    adversarial: Tensor
    target: Tensor
    success: Tensor
    reason: Tensor
    weight: Tensor
    forwards: Tensor
    backwards: Tensor
    already_wrong: Tensor
    trace_weight: Tensor
    trace_distortion: Tensor
    trace_loss: Tensor
    trace_success: Tensor

    def __len__(self) -> int:
        return len(self.adversarial)


def join(results: list[AttackResult]) -> AttackResult:
    """The rows of several results one after another; shorter traces are padded."""
    longest = max(result.trace_weight.shape[1] for result in results)
    joined: dict[str, Tensor] = {}
    for field in fields(AttackResult):
        columns: list[Tensor] = [getattr(result, field.name) for result in results]
        if field.name.startswith("trace_"):
            padding = -1 if field.name == "trace_success" else float("nan")
            columns = [_pad(column, longest, padding) for column in columns]
        joined[field.name] = torch.cat(columns)
    return AttackResult(**joined)


def trace_columns(entries: Tensor) -> dict[str, Tensor]:
    """The four trace columns from (n, T, 4) entries of weight, distortion, loss and success, NaN-padded.

    Columns that no row uses are dropped.
    """
    used = entries[..., 0].isfinite()
    longest = int(used.sum(dim=1).max()) if used.numel() else 0
    weight, distortion, loss, success = entries[:, :longest].float().cpu().unbind(dim=2)
    flags = torch.where(success.isfinite(), success, -1.0).to(torch.int8)
    columns = {"trace_weight": weight, "trace_distortion": distortion, "trace_loss": loss}
    return {name: column.contiguous() for name, column in (columns | {"trace_success": flags}).items()}


def without_search(
    adversarial: Tensor, *, target: Tensor, success: Tensor, already_wrong: Tensor, passes: int
) -> AttackResult:
    """The result of an attack that has no weight to search: noise, closed forms."""
    n = len(adversarial)
    reason = torch.where(success, int(Reason.FOUND), int(Reason.NOT_FOOLED)).to(torch.int8)
    empty = torch.empty(n, 0)
    return AttackResult(
        adversarial=adversarial.cpu(),
        target=target.cpu(),
        success=success.cpu(),
        reason=reason.cpu(),
        weight=torch.zeros(n),
        forwards=torch.full((n,), passes, dtype=torch.int32),
        backwards=torch.zeros(n, dtype=torch.int32),
        already_wrong=already_wrong.cpu(),
        trace_weight=empty,
        trace_distortion=empty,
        trace_loss=empty,
        trace_success=empty.to(torch.int8),
    )


def _pad(column: Tensor, length: int, value: float) -> Tensor:
    missing = length - column.shape[1]
    return torch.nn.functional.pad(column, (0, missing), value=value) if missing else column
