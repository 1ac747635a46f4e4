"""A blind test of the rows of a units job: which rows are shown, and what the answers say.

Szegedy et al. 2013, figures 1 to 4, ask the reader to look at rows of images of single units and of random
directions and to see that both share concepts. Here the reader does not know which row is which.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from blindspots.errors import InvalidInput
from blindspots.experiments.base import Outcome
from blindspots.experiments.units_arms import arm_title
from blindspots.science.agreement import Agreement, agreement, counted
from blindspots.science.statistics import difference_interval, wilson

Shares = Literal["yes", "no", "unsure"]
SHARES: tuple[Shares, ...] = ("yes", "no", "unsure")
MOST_ROWS = 100  # of one arm
MOST_TOLD = 5  # concepts of a row


@dataclass(frozen=True)
class Answered:
    """One viewer's answer about one row."""

    viewer: str  # who, unique in the team
    row: int  # of the units job
    arm: str
    shares: Shares
    concept: str
    guess: str  # an arm


def chosen_rows(outcome: Outcome, arms: tuple[str, str], count: int) -> list[int]:
    """The same rows for every viewer, so that their answers can be compared: `count` of each arm, drawn once.

    Directions that never change, whose row would be arbitrary, are left out. Raises InvalidInput naming the
    field.
    """
    result = outcome.result
    known = [each["arm"] for each in _arms(outcome)]
    for place, arm in enumerate(arms):
        if arm not in known:
            raise InvalidInput(f"This job has the arms {', '.join(known)}.", field=f"arms[{place}]")
    if arms[0] == arms[1]:
        raise InvalidInput("Choose two different arms.", field="arms")
    random = np.random.default_rng([outcome.spec.seed, *sorted(known.index(arm) for arm in arms)])
    rows: list[int] = []
    for arm in sorted(arms, key=known.index):
        mine = np.flatnonzero((result.array("arm") == known.index(arm)) & (result.array("constant") == 0))
        if len(mine) < count:
            raise InvalidInput(
                f"{arm_title(arm)} has {len(mine)} rows that can be shown; ask for that many at most.",
                field="count",
            )
        rows += random.permutation(mine)[:count].tolist()
    return rows


def arm_of(outcome: Outcome, row: int) -> str:
    """Which arm a row is of."""
    return str(_arms(outcome)[int(outcome.result.array("arm")[row])]["arm"])


def images_of(outcome: Outcome, row: int) -> list[int]:
    """Indices of the row's images, the highest score first."""
    return [int(index) for index in outcome.result.array("image_index")[row]]


def _arms(outcome: Outcome) -> list[dict[str, Any]]:
    arms: Any = outcome.result.summary["arms"]
    return list(arms)


def analysed(answers: Sequence[Answered], arms: tuple[str, str], *, seed: int) -> dict[str, Any]:
    """What the team's answers about two arms say, as JSON.

    accuracy of the guesses against chance (Wilson interval, exact two-sided binomial p); the share of rows
    that were said to share a concept, arm by arm, and its difference (Newcombe); agreement between viewers.
    """
    right = sum(answer.guess == answer.arm for answer in answers)
    low, high = wilson(right, len(answers))
    p_value = float(stats.binomtest(right, len(answers)).pvalue) if answers else 1.0
    shares = [_share(answers, arm) for arm in arms]
    gap_low, gap_high = difference_interval(
        shares[0]["yes"], shares[0]["answers"], shares[1]["yes"], shares[1]["answers"]
    )
    found = {
        "arms": list(arms),
        "viewers": len({answer.viewer for answer in answers}),
        "answers": len(answers),
        "right": right,
        "accuracy": right / len(answers) if answers else None,
        "low": float(low),
        "high": float(high),
        "p_value": p_value,
        "shares": shares,
        "difference": _difference(shares),
        "difference_low": float(gap_low),
        "difference_high": float(gap_high),
        "agreement": {
            "guess": _agreed(answers, "guess", arms, seed),
            "shares": _agreed(answers, "shares", SHARES, seed),
        },
        "rows": _rows(answers),
    }
    return found | {"conclusion": _conclusion(found)}


def _share(answers: Sequence[Answered], arm: str) -> dict[str, Any]:
    mine = [answer for answer in answers if answer.arm == arm]
    yes = sum(answer.shares == "yes" for answer in mine)
    low, high = wilson(yes, len(mine))
    return {
        "arm": arm, "title": arm_title(arm), "answers": len(mine), "yes": yes,
        "share": yes / len(mine) if mine else None, "low": float(low), "high": float(high),
    }  # fmt: skip


def _difference(shares: Sequence[Mapping[str, Any]]) -> float | None:
    first, second = (each["share"] for each in shares)
    return None if first is None or second is None else first - second


def _agreed(answers: Sequence[Answered], name: str, categories: Sequence[str], seed: int) -> dict[str, Any]:
    pairs = [(str(answer.row), str(getattr(answer, name))) for answer in answers]
    found: Agreement = agreement(counted(pairs, list(categories)), seed=seed)
    numbers = {"alpha": found.alpha, "low": found.low, "high": found.high}
    finite = {key: value if np.isfinite(value) else None for key, value in numbers.items()}
    return {**finite, "rows": found.subjects, "answers": found.answers}


def _rows(answers: Sequence[Answered]) -> list[dict[str, Any]]:
    """Row by row: its arm, what was said, and the concepts that were named, the commonest first."""
    rows: dict[int, list[Answered]] = {}
    for answer in answers:
        rows.setdefault(answer.row, []).append(answer)
    told = []
    for row, mine in sorted(rows.items()):
        concepts = Counter(answer.concept.strip().lower() for answer in mine if answer.concept.strip())
        told.append(
            {
                "row": row,
                "arm": mine[0].arm,
                "answers": len(mine),
                "yes": sum(answer.shares == "yes" for answer in mine),
                "right": sum(answer.guess == answer.arm for answer in mine),
                "concepts": [concept for concept, _ in concepts.most_common(MOST_TOLD)],
            }
        )
    return told


def _conclusion(found: Mapping[str, Any]) -> str:
    """In plain words, with what it does not show."""
    if not found["answers"]:
        return "Nobody has answered yet."
    titles = [share["title"].lower() for share in found["shares"]]
    accuracy = (
        f"{100 * found['accuracy']:.0f} % right, {100 * found['low']:.0f} to {100 * found['high']:.0f} %"
    )
    if found["low"] > 0.5:
        told = f"The rows can be told apart better than by chance ({accuracy})."
    elif found["high"] < 0.5:
        told = f"The rows are taken for each other more often than by chance ({accuracy})."
    else:
        told = f"The rows were not told apart better than by chance would ({accuracy})."
    gap = f"{100 * found['difference_low']:.0f} to {100 * found['difference_high']:.0f} points"
    if found["difference_low"] > 0:
        seen = f"More rows of {titles[0]} than of {titles[1]} were said to share a concept (by {gap})."
    elif found["difference_high"] < 0:
        seen = f"More rows of {titles[1]} than of {titles[0]} were said to share a concept (by {gap})."
    else:
        seen = f"Which rows were said to share a concept does not tell {titles[0]} from {titles[1]} ({gap})."
    caution = (
        "Answers of one viewer are not independent of each other, so these intervals are a little narrow."
    )
    return f"{told} {seen} {caution}"
