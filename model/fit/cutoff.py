"""Chooses the cut-off."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from model.data.applications import Applications
from model.errors import TrainingError

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
    cutoffs, accuracy, approval_rate : ndarray of float64
    gap : ndarray of float64
        The largest equal opportunity difference over the sensitive columns; 0 if there is nothing to compare.
    """

    cutoffs: Floats
    accuracy: Floats
    gap: Floats
    approval_rate: Floats


@dataclass(frozen=True)
class Choice:
    """How the cut-off was chosen, on out-of-fold probabilities of the training rows.

    Attributes
    ----------
    cutoff : float
        Applicants at or above this probability are approved.
    candidates : int
        How many cut-offs were compared.
    limit : float
        The widest equal-opportunity gap allowed while choosing: the policy's limit minus the margin.
    within : int
        How many candidates stay within that limit.
    accuracy : float
        The accuracy of the chosen cut-off.
    most_accurate : float
        The accuracy of the most accurate candidate, whatever its gap.
    """

    cutoff: float
    candidates: int
    limit: float
    within: int
    accuracy: float
    most_accurate: float

    @property
    def binding(self) -> bool:
        """Whether the limit on the gap cost accuracy. If not, it did not affect the cut-off."""
        return self.accuracy < self.most_accurate

    def as_dict(self) -> dict[str, float]:
        """Plain data, as in `metrics.json`."""
        return {**asdict(self), "binding": self.binding}


def operating_curve(probabilities: Floats, judged: Applications, cutoffs: Floats) -> Curve:
    """Accuracy, the equal-opportunity gap and the approval rate at each cut-off.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
    judged : Applications
        n labelled rows.
    cutoffs : ndarray of float64, shape (k,)
    """
    truth = judged.approved

    def at_or_above(rows: Flags) -> Floats:
        ordered = np.sort(probabilities[rows])
        above: Floats = len(ordered) - np.searchsorted(ordered, cutoffs, side="left").astype(np.float64)
        return above

    right, wrong = at_or_above(truth), at_or_above(~truth)
    accuracy = (right + (np.count_nonzero(~truth) - wrong)) / len(truth)
    gap = np.zeros(len(cutoffs))
    for names in judged.groups.values():
        rates = [
            at_or_above(truth & (names == name)) / np.count_nonzero(truth & (names == name))
            for name in np.unique(names[names != ""])
            if np.any(truth & (names == name))
        ]
        if len(rates) > 1:
            gap = np.maximum(gap, np.max(rates, axis=0) - np.min(rates, axis=0))
    return Curve(cutoffs, accuracy, gap, (right + wrong) / len(truth))


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


def choose_cutoff(cutoffs: Floats, unseen: Floats, training: Applications, limit: float) -> Choice:
    """The most accurate cut-off whose gap stays within the limit.

    If none does, the most accurate of those with the smallest gap. The gate then denies the model, and the report shows
    the alternatives.

    Parameters
    ----------
    cutoffs : ndarray of float64, shape (k,)
    unseen : ndarray of float64, shape (n,)
        Each training row's probability from a model that was fitted without it.
    training : Applications
        n labelled rows.
    limit : float
        The widest equal-opportunity gap allowed, 0 to 1.
    """
    curve = operating_curve(unseen, training, cutoffs)
    within = curve.gap <= limit
    eligible = within if within.any() else curve.gap == curve.gap.min()
    chosen = int(np.argmax(np.where(eligible, curve.accuracy, -1.0)))
    return Choice(
        cutoff=float(cutoffs[chosen]),
        candidates=len(cutoffs),
        limit=limit,
        within=int(np.count_nonzero(within)),
        accuracy=float(curve.accuracy[chosen]),
        most_accurate=float(curve.accuracy.max()),
    )
