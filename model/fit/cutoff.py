"""Chooses the cut-off."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model.errors import TrainingError
from model.intervals import critical, largest_gap, pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.data.applications import Applications
    from model.fit.task import CutoffRule, Limits

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Probabilities closer than this count as equal: the cut-off must not fall between two roundings of the same score.
RESOLUTION = 1e-6
CANDIDATES = 1000


@dataclass(frozen=True)
class Curve:
    """The effect of each cut-off; arrays of shape (cut-offs,).

    Attributes
    ----------
    cutoffs : ndarray of float64
    good, bad : ndarray of float64
        How many are approved of those labelled approve, and of those labelled deny.
    accuracy, approval_rate : ndarray of float64
    gap, upper : ndarray of float64
        The largest equal opportunity difference over the sensitive columns, and the upper end of its 95 % interval; 0
        if there is nothing to compare.
    rows, goods : int
        How many rows were decided, and how many of these are labelled approve.
    """

    cutoffs: Floats
    good: Floats
    bad: Floats
    accuracy: Floats
    approval_rate: Floats
    gap: Floats
    upper: Floats
    rows: int
    goods: int

    @property
    def bad_share(self) -> Floats:
        """The share labelled deny among the approved; NaN if nobody is approved."""
        with np.errstate(invalid="ignore"):
            found: Floats = self.bad / (self.good + self.bad)
        return found


@dataclass(frozen=True)
class Choice:
    """How the cut-off was chosen, on out-of-fold probabilities of the training rows.

    Values are in the rule's measure (see `model.fit.task.CutoffRule`), and larger is better: accuracy; minus the cost a
    row; the share approved; minus the distance to the share wanted.

    Attributes
    ----------
    cutoff : float
        Applicants at or above this probability are approved.
    by : str
        The rule's measure.
    candidates : int
        How many cut-offs were compared.
    limit : float
        The policy's limit on the gap minus the margin. The upper end of the gap's interval, as wide as on the hold-out,
        must stay within it.
    within : int
        How many candidates stay within that limit, of those that the rule allows.
    tied : int
        How many of these are within one paired standard error of the best. The one with the smallest gap is chosen.
    value, gap : float
        The measure and the gap at the chosen cut-off.
    best_value, best_gap : float
        The same at the best of the candidates within the limit: what the tie-break cost, and what it was worth.
    most : float
        The measure at the best candidate, whatever its gap.
    """

    cutoff: float
    by: str
    candidates: int
    limit: float
    within: int
    tied: int
    value: float
    gap: float
    best_value: float
    best_gap: float
    most: float

    @property
    def binding(self) -> bool:
        """Whether the limit on the gap cost anything in the rule's measure. If not, it did not affect the cut-off."""
        return self.best_value < self.most

    def as_dict(self) -> dict[str, float | str]:
        """Plain data, as in `metrics.json`."""
        return {**asdict(self), "binding": self.binding}


def operating_curve(probabilities: Floats, judged: Applications, cutoffs: Floats, rows: float | None = None) -> Curve:
    """Accuracy, the equal-opportunity gap and the approval rate at each cut-off.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
    judged : Applications
        n labelled rows.
    cutoffs : ndarray of float64, shape (k,)
    rows : float, optional
        The gap's interval is as wide as on this many rows; by default on the n that are judged.
    """
    truth = judged.approved
    scale = 1.0 if rows is None else rows / len(truth)

    def at_or_above(chosen: Flags) -> Floats:
        ordered = np.sort(probabilities[chosen])
        above: Floats = len(ordered) - np.searchsorted(ordered, cutoffs, side="left").astype(np.float64)
        return above

    good, bad = at_or_above(truth), at_or_above(~truth)
    columns = []
    for names in judged.groups.values():
        members = [truth & (names == name) for name in np.unique(names[names != ""])]
        columns.append([chosen for chosen in members if chosen.any()])
    z = critical(pairs(len(groups) for groups in columns))
    gap, upper = np.zeros(len(cutoffs)), np.zeros(len(cutoffs))
    for groups in columns:
        if len(groups) > 1:
            approved = np.stack([at_or_above(chosen) for chosen in groups], axis=-1)
            totals = np.array([np.count_nonzero(chosen) for chosen in groups], dtype=np.float64)
            found, _, high = largest_gap(approved * scale, totals * scale, z)
            gap, upper = np.maximum(gap, found), np.maximum(upper, high)
    goods = int(np.count_nonzero(truth))
    accuracy = (good + (len(truth) - goods - bad)) / len(truth)
    return Curve(cutoffs, good, bad, accuracy, (good + bad) / len(truth), gap, upper, len(truth), goods)


def candidate_cutoffs(probabilities: Floats) -> Floats:
    """At most 1000 cut-offs, each halfway between two neighbouring probabilities of the model.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (at most 1000,)
        Rounded to nine decimal places, so that every platform writes the same values.

    Raises
    ------
    TrainingError
        All probabilities are the same.

    Examples
    --------
    >>> candidate_cutoffs(np.array([0.2, 0.4, 0.4, 0.9])).tolist()
    [0.3, 0.65]
    """
    distinct = np.unique(probabilities)
    apart = np.flatnonzero(np.diff(distinct) > RESOLUTION)
    if not len(apart):
        raise TrainingError("the model gives every applicant the same probability, so there is no cut-off to choose")
    chosen = apart[np.unique(np.linspace(0, len(apart) - 1, CANDIDATES).round().astype(np.int64))]
    cutoffs: Floats = np.round((distinct[chosen] + distinct[chosen + 1]) / 2, 9)
    return cutoffs


def choose_cutoff(
    cutoffs: Floats,
    unseen: Floats,
    training: Applications,
    limits: Limits,
    margin: float = 0.0,
    rows: float | None = None,
) -> Choice:
    """The cut-off by the policy's rule, of those whose gap between groups is expected to pass the gate.

    Of the cut-offs within one paired standard error of the best, the one with the smallest gap is chosen: a tie-break
    that costs nothing measurable. If no cut-off is expected to pass, the choice is among those with the smallest gap.
    The gate then denies the model, and the report shows the alternatives.

    Parameters
    ----------
    cutoffs : ndarray of float64, shape (k,)
    unseen : ndarray of float64, shape (n,)
        Each training row's probability from a model that was fitted without it.
    training : Applications
        n labelled rows.
    limits : Limits
        The rule, and the widest gap allowed.
    margin : float
        How far below that limit the gap should stay.
    rows : float, optional
        How many rows will judge the gap, by default as many as these.

    Raises
    ------
    TrainingError
        No cut-off approves as few of those labelled deny as the rule asks for.
    """
    rule = limits["cutoff"]
    if rule["by"] == "value":
        cutoffs = np.array([rule["cutoff"]])
    curve = operating_curve(unseen, training, cutoffs, rows)
    values, errors = _measured(rule, curve)
    allowed = np.isfinite(values)
    if not allowed.any():
        raise TrainingError(
            f"at no cut-off are at most {rule['at_most']:.1%} of the approved labelled deny; the smallest share is "
            f"{np.nanmin(curve.bad_share):.1%}. Raise at_most in the limits, or train with fields that tell more"
        )
    limit = limits["maximum_equal_opportunity_gap"] - margin
    within = allowed & (curve.upper <= limit)
    eligible = within if within.any() else allowed & (curve.upper == curve.upper[allowed].min())
    best = int(np.argmax(np.where(eligible, values, -np.inf)))
    tied = eligible & (values[best] - values <= errors(best))
    chosen = min(np.flatnonzero(tied).tolist(), key=lambda place: (curve.gap[place], -values[place]))
    return Choice(
        cutoff=float(cutoffs[chosen]),
        by=rule["by"],
        candidates=len(cutoffs),
        limit=limit,
        within=int(np.count_nonzero(within)),
        tied=int(np.count_nonzero(tied)),
        value=float(values[chosen]),
        gap=float(curve.gap[chosen]),
        best_value=float(values[best]),
        best_gap=float(curve.gap[best]),
        most=float(values.max()),
    )


def permitted(rule: CutoffRule, curve: Curve) -> Flags:
    """Whether the rule permits each cut-off, shape (cut-offs,); a rule that only asks for the best permits all."""
    match rule["by"]:
        case "bad_share":
            return curve.bad_share <= rule["at_most"]
        case "approved_share":
            away: Flags = np.abs(curve.approval_rate - rule["share"]) <= _share_error(rule["share"], curve)
            return away
        case _:
            return np.ones(len(curve.cutoffs), dtype=np.bool_)


def value_of(rule: CutoffRule, curve: Curve) -> Floats:
    """What the decisions at each cut-off are worth, shape (cut-offs,): minus the cost a row, or the accuracy."""
    if rule["by"] == "cost":
        wrong = rule["false_approve"] * curve.bad + rule["false_deny"] * (curve.goods - curve.good)
        return -wrong / curve.rows
    return curve.accuracy


def _measured(rule: CutoffRule, curve: Curve) -> tuple[Floats, Callable[[int], Floats]]:
    """The rule's measure at each cut-off, -inf where the rule forbids it; and its paired standard error against one."""
    match rule["by"]:
        case "approved_share":
            error = np.full(len(curve.cutoffs), _share_error(rule["share"], curve))
            return -np.abs(curve.approval_rate - rule["share"]), lambda _: error
        case "bad_share":
            values, good, bad = np.where(permitted(rule, curve), curve.approval_rate, -np.inf), 1.0, 1.0
        case "cost":
            values, good, bad = value_of(rule, curve), rule["false_deny"], -rule["false_approve"]
        case _:
            values, good, bad = value_of(rule, curve), 1.0, -1.0

    def errors(other: int) -> Floats:
        # Approving a row changes the measure by `good` or `bad`. Two cut-offs differ only in the rows between them.
        goods, bads = np.abs(curve.good - curve.good[other]), np.abs(curve.bad - curve.bad[other])
        mean = (good * goods + bad * bads) / curve.rows
        found: Floats = np.sqrt(((good**2 * goods + bad**2 * bads) / curve.rows - mean**2) / curve.rows)
        return found

    return values, errors


def _share_error(share: float, curve: Curve) -> float:
    """The standard error of a share approved."""
    return sqrt(share * (1 - share) / curve.rows)
