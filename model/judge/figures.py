"""Every figure of a model on labelled applications.

Definitions follow the documentation of scikit-learn. What the data cannot show is None: a group's true-positive rate if
the group has no creditworthy applicants; a difference if the column has fewer than two groups, or a group lacks the
rate; the largest gap if there is no sensitive column; the area under the ROC curve if all outcomes are the same.

All intervals are 95 % intervals: Wilson's for shares, Hanley and McNeil's for the area under the ROC curve; for the
others see `groups`, `skill` and `calibration`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
)

from model.intervals import hanley_mcneil, wilson
from model.judge.calibration import brier_skill, calibration_fit, tenths
from model.judge.groups import compare_groups, intersections
from model.judge.ranking import ranking
from model.judge.skill import skill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Figures
    from model.fit.task import CutoffRule

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

    class Labelled(Protocol):
        """What figures need to know of applications; `model.data.applications.Applications` is one."""

        @property
        def approved(self) -> Flags:
            """Whether each is labelled approve."""

        @property
        def groups(self) -> dict[str, NDArray[np.object_]]:
            """For each sensitive column, each one's group; '' where it is unknown."""


ACCURACY: CutoffRule = {"by": "accuracy"}


def evaluate(probabilities: Floats, approved: Flags, judged: Labelled, rule: CutoffRule = ACCURACY) -> Figures:
    """All figures of a model on labelled applications.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
        The model's estimates.
    approved : ndarray of bool, shape (n,)
        The model's decisions.
    judged : Applications, or whatever else has their outcomes and groups
    rule : CutoffRule
        How the cut-off was chosen; `skill` is measured accordingly.
    """
    truth = judged.approved
    (true_deny, false_approve), (false_deny, true_approve) = confusion_matrix(
        truth, approved, labels=[False, True]
    ).tolist()
    ranked = ranking(probabilities, truth)
    roc_auc = ranked["roc_auc"]
    groups = compare_groups(probabilities, approved, truth, judged.groups)
    gaps = [column["equal_opportunity_difference"]["value"] for column in groups.values()]
    known = [gap for gap in gaps if gap is not None]
    return {
        "rows": len(truth),
        "accuracy": float(accuracy_score(truth, approved)),
        "precision": float(precision_score(truth, approved, zero_division=0.0)),
        "recall": float(recall_score(truth, approved, zero_division=0.0)),
        "f1": float(f1_score(truth, approved, zero_division=0.0)),
        "brier": float(brier_score_loss(truth, probabilities)),
        "log_loss": float(log_loss(truth, probabilities, labels=[False, True])),
        "approval_rate": float(np.mean(approved)),
        **ranked,
        "intervals": {
            "accuracy": wilson(true_approve + true_deny, len(truth)),
            "precision": wilson(true_approve, true_approve + false_approve),
            "recall": wilson(true_approve, true_approve + false_deny),
            "approval_rate": wilson(true_approve + false_approve, len(truth)),
            "roc_auc": None
            if roc_auc is None
            else hanley_mcneil(roc_auc, true_approve + false_deny, true_deny + false_approve),
        },
        "confusion": {
            "true_approve": true_approve,
            "false_approve": false_approve,
            "true_deny": true_deny,
            "false_deny": false_deny,
        },
        "calibration": tenths(probabilities, truth),
        "calibration_fit": calibration_fit(probabilities, truth),
        "brier_skill": brier_skill(probabilities, truth),
        "skill": skill(approved, truth, rule),
        "groups": groups,
        "intersections": compare_groups(probabilities, approved, truth, intersections(judged.groups, truth)),
        "equal_opportunity_gap": max(known) if known and len(known) == len(gaps) else None,
    }
