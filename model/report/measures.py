"""The measures of cut-offs and decisions, in words; see `model.fit.task.CutoffRule` and `model.judge.skill`.

As in `model.fit.cutoff.Choice`, larger values are better: they are minus a cost, or minus a distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.report import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.fit.task import CutoffRule


@dataclass(frozen=True)
class Measure:
    """How one measure is spoken of.

    Attributes
    ----------
    name : str
        What it measures.
    say, apart : callable
        A value of it, and the distance of two values, in words.
    scale : float
        What an interval's ends are multiplied by to have the unit of `apart`.
    """

    name: str
    say: Callable[[float], str]
    apart: Callable[[float], str]
    scale: float = 100


def _cost(value: float) -> str:
    return f"{abs(value):,.4g} an application"


def _distance(value: float) -> str:
    return f"{words.percentage_points(abs(value))} away"


def _precise(value: float) -> str:
    return words.percent(value, 2)


def _precise_points(value: float) -> str:
    return f"{value * 100:.2f} percentage points"


ACCURACY = Measure("accuracy", _precise, _precise_points)
MEASURES = {
    "cost": Measure("the cost of wrong decisions", _cost, _cost, 1),
    "good_share": Measure("the share labelled approve among the approved", _precise, _precise_points),
    "bad_share": Measure("the share approved", _precise, _precise_points),
    "approved_share": Measure("the distance to the share wanted", _distance, _precise_points),
}


def of(by: str) -> Measure:
    """The measure of this name; accuracy judges a cut-off that the policy gives."""
    return MEASURES.get(by, ACCURACY)


def aim(rule: CutoffRule) -> str:
    """What a rule asks of the cut-off, in words that go after "the cut-off that"."""
    match rule["by"]:
        case "accuracy":
            return "agrees most often with the recorded outcomes"
        case "cost":
            return (
                f"costs least, where a wrong approval costs {rule['false_approve']:g} and a wrong denial "
                f"{rule['false_deny']:g}"
            )
        case "bad_share":
            return f"approves most, while at most {words.percent(rule['at_most'])} of the approved are labelled deny"
        case "approved_share":
            return f"approves closest to {words.percent(rule['share'])} of the applicants"
        case "value":
            return f"the policy gives: {rule['cutoff']:g}"
