"""How well the estimates rank the applicants, whatever the cut-off."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Gain

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ROC_POINTS = 100
TENTHS = 10


class RocPoint(TypedDict):
    """One point of the ROC curve; both rates are shares, 0 to 1."""

    false_positive_rate: float
    true_positive_rate: float


class Ranking(TypedDict):
    """The figures that depend only on the order of the estimates; None, and no gains, if all outcomes are the same."""

    roc_auc: float | None
    gini: float | None
    ks: float | None
    gains: list[Gain]


def ranking(probabilities: Floats, truth: Flags) -> Ranking:
    """The area under the ROC curve, and what credit scoring derives from the same curve.

    - gini: Gini coefficient, 2 AUC - 1;
    - ks: Kolmogorov and Smirnov's distance, the largest difference between the shares of the creditworthy and of the
      others at or above the same estimate;
    - gains: the gains table, cumulated from the best estimate down.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
    truth : ndarray of bool, shape (n,)
    """
    if truth.all() or not truth.any():
        return {"roc_auc": None, "gini": None, "ks": None, "gains": []}
    area = float(roc_auc_score(truth, probabilities))
    false_positive, true_positive, _ = roc_curve(truth, probabilities)
    return {
        "roc_auc": area,
        "gini": 2 * area - 1,
        "ks": float(np.max(true_positive - false_positive)),
        "gains": _gains(probabilities, truth),
    }


def roc_points(probabilities: Floats, truth: Flags) -> list[RocPoint]:
    """At most 100 points of the ROC curve, from (0, 0) to (1, 1)."""
    false_positive, true_positive, _ = roc_curve(truth, probabilities)
    chosen = np.unique(np.linspace(0, len(false_positive) - 1, ROC_POINTS).round().astype(np.int64))
    return [
        {"false_positive_rate": float(across), "true_positive_rate": float(up)}
        for across, up in zip(false_positive[chosen], true_positive[chosen], strict=True)
    ]


def _gains(probabilities: Floats, truth: Flags) -> list[Gain]:
    """One line for each tenth of the applicants. Equal estimates stay together, so a line may be longer or missing."""
    descending = np.sort(probabilities)[::-1]
    ends = np.ceil(np.arange(1, TENTHS + 1) * len(descending) / TENTHS).astype(np.int64) - 1
    all_approve, all_deny = int(np.count_nonzero(truth)), int(np.count_nonzero(~truth))
    gains: list[Gain] = []
    for lowest in np.unique(descending[ends])[::-1].tolist():
        reached = probabilities >= lowest
        approve, deny = int(np.count_nonzero(truth[reached])), int(np.count_nonzero(~truth[reached]))
        gains.append(
            {
                "share": (approve + deny) / len(truth),
                "lowest": lowest,
                "bad_share": deny / (approve + deny),
                "approve": approve / all_approve,
                "deny": deny / all_deny,
            }
        )
    return gains
