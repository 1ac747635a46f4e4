"""The first rows of the performance targets, judged on what `attack.py` measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from measuring import Outcome, envelope


@dataclass(frozen=True)
class Verdict:
    """One target: what was measured, whether the required and the hoped-for values are reached."""

    subject: str
    measured: str
    reach: bool
    stretch: bool


def untargeted(outcomes: Iterable[Outcome], side: str) -> list[Outcome]:
    """The outcomes of one side that were free to choose the class."""
    return [outcome for outcome in outcomes if outcome.side == side and not outcome.targeted]


def _aimed(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.side == "ours" and outcome.targeted]


def _unpolished(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in _aimed(outcomes) if "polish" not in outcome.name]


def best_complete(outcomes: list[Outcome]) -> Outcome:
    """The outcome of least mean among those that failed on no image (among all, if all failed)."""
    complete = [outcome for outcome in outcomes if outcome.success == 1.0]
    return min(complete or outcomes, key=lambda outcome: outcome.mean)


def linear(network: str, outcomes: list[Outcome]) -> list[Verdict]:
    """Ours against the exact optimum, free and aimed at the same random targets."""
    verdicts = []
    for aimed in (False, True):
        exact = next(o for o in outcomes if o.side == "exact" and o.targeted is aimed)
        mine = [o for o in outcomes if o.side == "ours" and o.targeted is aimed]
        best = best_complete(mine)
        mean, worst = best.ratio(exact.distortion), best.worst_ratio(exact.distortion)
        verdicts.append(
            Verdict(
                f"distortion, {network}, {'random target' if aimed else 'nearest class'}",
                f"{mean:.5f} x exact, worst image {worst:.4f}, success {best.success:.1%} ({best.name})",
                mean <= 1.002 and worst <= 1.02 and best.success == 1.0,
                mean <= 1.001 and worst <= 1.01 and best.success == 1.0,
            )
        )
    return verdicts


def against_all(network: str, outcomes: list[Outcome], *, reach: float, stretch: float) -> Verdict:
    """Our shortest mode against the envelope of every attack, and against each peer's mean."""
    best = best_complete(untargeted(outcomes, "ours"))
    ratio = best.ratio(envelope(outcomes, best.images))
    rivals = {peer.name: peer.ratio(best.distortion) for peer in untargeted(outcomes, "peer")}
    nearest, margin = min(rivals.items(), key=lambda item: item[1]) if rivals else ("no peer", float("inf"))
    return Verdict(
        f"distortion, {network}",
        f"{ratio:.5f} x best of all; best peer {nearest} at {margin:.4f} x ours ({best.name})",
        ratio <= reach and margin > 1.0,
        ratio <= stretch and margin >= 1 / 0.991,
    )


def speed(network: str, outcomes: list[Outcome], name: str, *, reach: float, stretch: float) -> Verdict:
    """Processor time of a peer over that of our cheapest mode with no larger mean on the same images."""
    rival = next(o for o in outcomes if o.name == name)
    return _cheapest(
        f"speed, {network}, against {name}",
        rival,
        untargeted(outcomes, "ours"),
        allowance=1.0,
        reach=reach,
        stretch=stretch,
    )


def scipy_speed(network: str, outcomes: list[Outcome]) -> list[Verdict]:
    """Same images and targets, within 1.001 of scipy's distortion: of all modes, and without the polish."""
    verdicts = []
    for rival in (outcome for outcome in outcomes if outcome.side == "scipy"):
        for words, modes in (("", _aimed(outcomes)), (", its objective too", _unpolished(outcomes))):
            subject = f"same images and targets as {rival.name}{words}, {network}"
            verdicts.append(_cheapest(subject, rival, modes, allowance=1.001, reach=150, stretch=300))
    return verdicts


def throughput(network: str, outcomes: list[Outcome], images_per_second: float) -> Verdict:
    """Images per processor second of our cheapest mode that is no worse than SuperDeepFool."""
    rival = next(o for o in outcomes if o.name == "adv-lib SuperDeepFool")
    fit = [o for o in untargeted(outcomes, "ours") if _no_worse(o, rival, 1.0)]
    if not fit:
        return Verdict(f"throughput, {network}", "no mode of ours is as short as SuperDeepFool", False, False)
    best = min(fit, key=lambda o: o.milliseconds)
    rate = 1000 / best.milliseconds
    return Verdict(
        f"throughput, {network}, no worse than SuperDeepFool",
        f"{rate:,.0f} images/s ({best.name})",
        True,
        rate >= images_per_second,
    )


def convolutional_against_ddn(network: str, outcomes: list[Outcome]) -> Verdict:
    """The stretch of the convolutional row: no longer than DDN 1000 at a fifth of its time."""
    verdict = speed(network, outcomes, "adv-lib DDN 1000", reach=1.0, stretch=5.0)
    return Verdict(verdict.subject, verdict.measured, verdict.reach, verdict.stretch)


def _no_worse(mine: Outcome, rival: Outcome, allowance: float) -> bool:
    return mine.success >= rival.success and mine.ratio(rival.distortion) <= allowance


def _cheapest(
    subject: str, rival: Outcome, mine: list[Outcome], *, allowance: float, reach: float, stretch: float
) -> Verdict:
    fit = [outcome for outcome in mine if _no_worse(outcome, rival, allowance)]
    if not fit:
        closest = min(mine, key=lambda outcome: outcome.ratio(rival.distortion))
        measured = (
            f"no mode is short enough; closest {closest.ratio(rival.distortion):.4f} x ({closest.name})"
        )
        return Verdict(subject, measured, False, False)
    best = min(fit, key=lambda outcome: outcome.milliseconds)
    factor = rival.milliseconds / best.milliseconds
    ratio = best.ratio(rival.distortion)
    return Verdict(
        subject,
        f"{factor:.1f} x as fast at {ratio:.4f} x its distortion ({best.name})",
        factor >= reach,
        factor >= stretch,
    )


def judge_all(outcomes: dict[str, list[Outcome]]) -> list[Verdict]:
    """Every target that the networks and attacks of this run allow to judge."""
    verdicts: list[Verdict] = []
    for network, found in outcomes.items():
        if not untargeted(found, "ours"):
            continue
        names = {outcome.name for outcome in found}
        if any(outcome.side == "exact" for outcome in found):
            verdicts += linear(network, found)
        elif network == "conv":
            verdicts.append(against_all(network, found, reach=1.006, stretch=1.003))
            if "adv-lib DDN 100" in names:
                verdicts.append(speed(network, found, "adv-lib DDN 100", reach=1.2, stretch=2))
                verdicts.append(convolutional_against_ddn(network, found))
        else:
            verdicts.append(against_all(network, found, reach=1.002, stretch=1.001))
            for name, reach, stretch in (
                ("adv-lib SuperDeepFool", 3, 6),
                ("adv-lib DeepFool", 2, 4),
                ("adv-lib ALMA 1000", 30, 60),
            ):
                if name in names:
                    verdicts.append(speed(network, found, name, reach=reach, stretch=stretch))
            if "adv-lib SuperDeepFool" in names:
                verdicts.append(throughput(network, found, 6000))
        verdicts += scipy_speed(network, found)
    return verdicts
