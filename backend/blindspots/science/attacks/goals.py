"""What counts as fooled, written once for targeted, untargeted and pairwise searches.

A goal names losers and winners among the classes: the margin max(logits of losers) - max(logits of winners)
must become negative. Targeted: the target beats all others. Untargeted: any class beats the label. Pair: one
chosen class beats the label. The cross-entropy of all three is softplus(LSE(losers) - LSE(winners)): for a
target it is the paper's loss(x + r, l); untargeted it is -log(1 - p(label)), which falls exactly when the
loss of the label grows but, unlike minus that loss, does not flatten where the model is sure.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot, softplus

ROUNDING = 2e-6  # relative, of float32 logits


@dataclass(frozen=True)
class Goals:
    """One goal per row. labels, targets: (n,) int64, targets -1 for any class but the label; `losers`,
    `winners`: (n, classes), 0 for the classes meant and -inf for the others."""

    labels: Tensor
    targets: Tensor
    losers: Tensor
    winners: Tensor

    def rows(self, index: Tensor) -> "Goals":
        """The goals of some rows, in that order."""
        return Goals(self.labels[index], self.targets[index], self.losers[index], self.winners[index])

    def margin(self, logits: Tensor) -> Tensor:
        """(n,) what must become negative."""
        return (logits + self.losers).amax(dim=1) - (logits + self.winners).amax(dim=1)

    def reached(self, logits: Tensor) -> Tensor:
        """(n,) bool, whether the model's answer is the wanted one by more than the rounding of its logits.

        The same image in another batch may have slightly other logits; what is kept must survive that.
        """
        index = torch.where(self.targets >= 0, self.targets, self.labels)[:, None]
        own = logits.gather(1, index)[:, 0]
        others = logits.scatter(1, index, float("-inf")).amax(dim=1)
        lead = torch.where(self.targets >= 0, own - others, others - own)
        return lead > ROUNDING * logits.abs().amax(dim=1)

    def shares(self, logits: Tensor, temperature: Tensor) -> Tensor:
        """(n, classes) gradient by the logits of the margin smoothed at `temperature` (n, 1) > 0."""
        losers, winners = (logits + self.losers) / temperature, (logits + self.winners) / temperature
        return losers.softmax(dim=1) - winners.softmax(dim=1)

    def cross_entropy(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """(n,) loss and its (n, classes) gradient by the logits."""
        losers, winners = logits + self.losers, logits + self.winners
        gap = losers.logsumexp(dim=1) - winners.logsumexp(dim=1)
        shares = losers.softmax(dim=1) - winners.softmax(dim=1)
        return softplus(gap), torch.sigmoid(gap)[:, None] * shares


def goals(labels: Tensor, targets: Tensor, *, classes: int, rivals: Tensor | None = None) -> Goals:
    """The goals for targets (n,), -1 for any class but the label; `rivals` (n,) makes an untargeted goal a
    pair."""
    is_label = one_hot(labels, classes).bool()
    aimed = rivals if rivals is not None else targets
    is_aim = one_hot(aimed.clamp(min=0), classes).bool() & (aimed >= 0)[:, None]
    targeted = (targets >= 0)[:, None]
    losers = torch.where(targeted, ~is_aim, is_label)
    winners = torch.where((aimed >= 0)[:, None], is_aim, ~is_label)
    return Goals(labels, targets, _meant(losers), _meant(winners))


def _meant(classes: Tensor) -> Tensor:
    return torch.zeros(classes.shape, device=classes.device).masked_fill(~classes, float("-inf"))
