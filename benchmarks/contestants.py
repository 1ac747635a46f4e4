"""Who takes part in `attack.py`: our attack in its modes, the exact optimum, scipy, and the peers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from peer_process import PeerProcess
from scipy_attack import scipy_attack
from torch import Tensor, nn

from blindspots.science.attacks.exact_linear import exact_linear
from blindspots.science.attacks.minimum_distortion import Mode, Search, minimum_distortion
from blindspots.science.attacks.targets import TargetRule

TICKS = (10, 20, 40, 100)
POLISH_TICKS = (5, 10, 20, 40)
CANDIDATE_TICKS = {  # candidates, ticks, restarts, by whether the network is convolutional
    False: ((9, 20, 0), (9, 40, 0)),
    True: ((5, 30, 0), (9, 30, 0), (9, 100, 0), (6, 30, 3), (9, 40, 4), (9, 40, 8)),
}
PEERS = {
    # name: most images it is given, and whether it also runs on the convolutional network
    "adv-lib DDN 100": (None, True),
    "adv-lib DDN 1000": (None, True),
    "adv-lib DeepFool": (None, True),
    "adv-lib SuperDeepFool": (None, True),
    "adv-lib ALMA 1000": (None, True),
    "adv-lib CW 9x1000": (64, False),
    "Foolbox DeepFool": (None, True),
    "Foolbox DDN 100": (None, True),
    "Foolbox FMN 100": (None, False),
    "Foolbox CW 9x1000": (64, False),
}


@dataclass(frozen=True)
class Case:
    """One network with its correctly classified images (n, c, h, w), labels (n,), random targets (n,)."""

    name: str
    network: nn.Module
    images: Tensor
    labels: Tensor
    targets: Tensor
    linear: tuple[Tensor, Tensor] | None  # weight (K, d) and bias (K,) of a linear network

    def first(self, count: int | None) -> Case:
        """The same case with only its first `count` images."""
        return Case(
            self.name,
            self.network,
            self.images[:count],
            self.labels[:count],
            self.targets[:count],
            self.linear,
        )


@dataclass(frozen=True)
class Contestant:
    """`run` gives adversarial images and processor seconds for a case; `limit` caps the case's images."""

    name: str
    side: str
    targeted: bool
    run: Callable[[Case], tuple[Tensor, float]]
    limit: int | None = None


def timed(attack: Callable[[Case], Tensor]) -> Callable[[Case], tuple[Tensor, float]]:
    """`attack` with the processor seconds that this process spent in it."""

    def run(case: Case) -> tuple[Tensor, float]:
        begun = time.process_time()
        found = attack(case)
        return found, time.process_time() - begun

    return run


def ours(
    mode: Mode,
    rule: TargetRule,
    ticks: int,
    *,
    polish: bool,
    candidates: int | None = None,
    restarts: int = 0,
) -> Contestant:
    """One mode of our attack. Rule "given" aims at the case's random targets."""
    search = Search(polish_ticks=ticks) if polish else Search(max_ticks=ticks)
    if candidates is not None:
        search = replace(search, candidates=candidates, restarts=restarts)

    def attack(case: Case) -> Tensor:
        return minimum_distortion(
            case.network,
            case.images,
            case.labels,
            mode=mode,
            target_rule=rule,
            given=case.targets if rule == "given" else None,
            polish=polish,
            search=search,
            seeds=np.arange(len(case.images), dtype=np.uint64),
        ).adversarial

    goal = {"given": "random target", "nearest": "nearest class", "untargeted": "untargeted"}[rule]
    choices = f"{', polish' if polish else ''}{f', {candidates} candidates' if candidates else ''}"
    again = f", {restarts} restarts" if restarts else ""
    name = f"ours {mode}, {goal}{choices}, {ticks} ticks{again}"
    return Contestant(name, "ours", rule == "given", timed(attack))


def our_modes(convolutional: bool) -> list[Contestant]:
    """Every minimum-norm mode, with several budgets of ticks (one forward and backward pass each)."""
    modes: list[tuple[Mode, TargetRule]] = [("tight", "given"), ("tight", "nearest"), ("nearest", "nearest")]
    usual = [
        ours(mode, rule, ticks, polish=polish)
        for mode, rule in modes
        for polish in (False, True)
        for ticks in (POLISH_TICKS if polish else TICKS)
    ]
    budgets = CANDIDATE_TICKS[convolutional]
    return usual + [
        ours("nearest", "nearest", ticks, polish=True, candidates=candidates, restarts=restarts)
        for candidates, ticks, restarts in budgets
    ]


def exact(targeted: bool) -> Contestant:
    """The closest point of the box across a linear network's boundary: nothing can be shorter."""

    def attack(case: Case) -> Tensor:
        assert case.linear is not None
        weight, bias = case.linear
        targets = case.targets if targeted else None
        found, _ = exact_linear(weight, bias, case.images, case.labels, targets=targets)
        return found

    return Contestant(
        f"exact optimum, {'random target' if targeted else 'nearest class'}", "exact", targeted, timed(attack)
    )


def scipy(limit: int, *, warm: bool) -> Contestant:
    """scipy, one image at a time, aimed at the case's random targets."""
    attack = timed(
        lambda case: scipy_attack(case.network, case.images, case.targets, warm=warm, bisections=10)
    )
    return Contestant(f"scipy L-BFGS-B{', warm' if warm else ''}", "scipy", True, attack, limit)


def peer(name: str, process: PeerProcess, *, limit: int | None, batch_size: int) -> Contestant:
    """An untargeted attack of another library, timed inside its own process."""

    def run(case: Case) -> tuple[Tensor, float]:
        found, seconds, _ = process.attack(name, case.name, case.images, case.labels, batch_size=batch_size)
        return found, seconds

    return Contestant(name, "peer", False, run, limit)


def contestants(case: Case, process: PeerProcess, *, scipy_images: int, batch_size: int) -> list[Contestant]:
    """Everyone who attacks this case, ours and others in turn."""
    convolutional = any(isinstance(module, nn.Conv2d) for module in case.network.modules())
    own = our_modes(convolutional)
    if case.linear is not None:
        own += [exact(targeted=False), exact(targeted=True)]
    others = [
        peer(name, process, limit=limit, batch_size=batch_size)
        for name, (limit, on_convolutions) in PEERS.items()
        if on_convolutions or not convolutional
    ]
    if not convolutional:
        others += [scipy(scipy_images, warm=False), scipy(scipy_images, warm=True)]
    longest = max(len(own), len(others))
    return [row[i] for i in range(longest) for row in (own, others) if i < len(row)]
