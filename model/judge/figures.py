"""Figures about a model's decisions: accuracy, calibration, and differences between groups.

Definitions follow the documentation of scikit-learn and fairlearn. For a sensitive column with groups g:

- equal opportunity difference: max_g TPR(g) - min_g TPR(g), in [0, 1]; 0 if creditworthy applicants of all groups are
  approved equally often.
- demographic parity difference: max_g P(approve | g) - min_g P(approve | g), in [0, 1]; 0 for equal approval rates.
- adverse impact ratio: min_g P(approve | g) / max_g P(approve | g), in [0, 1]; 1 for equal approval rates. The
  'four-fifths' rule often quoted with it is a guideline for employment, 29 CFR 1607.4(D), not for credit.

A figure that the data cannot show is None: a group's true-positive rate if the group has no creditworthy applicants; a
difference if the column has fewer than two groups, or a group lacks the rate; the largest gap if there is no sensitive
column; the area under the ROC curve if all outcomes are the same.

All intervals are 95 % intervals: Wilson's for shares, Hanley and McNeil's for the area under the ROC curve, bootstrap
percentiles for differences between groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
from fairlearn.metrics import MetricFrame, count, selection_rate, true_positive_rate
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from model.intervals import CONFIDENCE, hanley_mcneil, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import ColumnFigures, Difference, Figures, GroupFigures
    from model.data.applications import Applications

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Names = NDArray[np.object_]

RESAMPLES = 2000
CALIBRATION_BINS = 10
ROC_POINTS = 100
# Counts of a single empty group: every difference comes out as undefined.
NO_GROUPS = np.zeros((1, 4))


class RocPoint(TypedDict):
    """One point of the ROC curve; both rates are shares, 0 to 1."""

    false_positive_rate: float
    true_positive_rate: float


class Differences(TypedDict):
    """How the groups of one sensitive column differ, with intervals."""

    equal_opportunity_difference: Difference
    demographic_parity_difference: Difference
    adverse_impact_ratio: Difference


def evaluate(probabilities: Floats, approved: Flags, judged: Applications, seed: int) -> Figures:
    """All figures of a model on labelled applications.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
        The model's estimates.
    approved : ndarray of bool, shape (n,)
        The model's decisions.
    judged : Applications
        The applications, with their outcomes and groups.
    seed : int
        Seeds the bootstrap.
    """
    truth = judged.approved
    (true_deny, false_approve), (false_deny, true_approve) = confusion_matrix(
        truth, approved, labels=[False, True]
    ).tolist()
    both = 0 < np.count_nonzero(truth) < len(truth)
    roc_auc = float(roc_auc_score(truth, probabilities)) if both else None
    observed, predicted = calibration_curve(truth, probabilities, n_bins=CALIBRATION_BINS, strategy="quantile")
    groups = {
        column: _by_group(truth, approved, names, np.random.default_rng(seed))
        for column, names in judged.groups.items()
    }
    gaps = [column["equal_opportunity_difference"]["value"] for column in groups.values()]
    known = [gap for gap in gaps if gap is not None]
    return {
        "rows": len(truth),
        "accuracy": float(accuracy_score(truth, approved)),
        "precision": float(precision_score(truth, approved, zero_division=0.0)),
        "recall": float(recall_score(truth, approved, zero_division=0.0)),
        "f1": float(f1_score(truth, approved, zero_division=0.0)),
        "roc_auc": roc_auc,
        "brier": float(brier_score_loss(truth, probabilities)),
        "approval_rate": float(np.mean(approved)),
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
        "calibration": [
            {"predicted": float(mean), "observed": float(share)}
            for mean, share in zip(predicted, observed, strict=True)
        ],
        "groups": groups,
        "equal_opportunity_gap": max(known) if known and len(known) == len(gaps) else None,
    }


def roc_points(probabilities: Floats, truth: Flags) -> list[RocPoint]:
    """At most 100 points of the ROC curve, from (0, 0) to (1, 1)."""
    false_positive, true_positive, _ = roc_curve(truth, probabilities)
    chosen = np.unique(np.linspace(0, len(false_positive) - 1, ROC_POINTS).round().astype(np.int64))
    return [
        {"false_positive_rate": float(across), "true_positive_rate": float(up)}
        for across, up in zip(false_positive[chosen], true_positive[chosen], strict=True)
    ]


def _by_group(truth: Flags, approved: Flags, names: Names, generator: np.random.Generator) -> ColumnFigures:
    known = names != ""
    if not known.any():
        unknown = _differences(NO_GROUPS, NO_GROUPS[np.newaxis])
        return {
            "by_group": {},
            "smallest_group": 0,
            "smallest_creditworthy": 0,
            "rows_without_group": len(names),
            **unknown,
        }
    frame = MetricFrame(
        metrics={
            "rows": count,
            "creditworthy": lambda y_true, y_pred: np.count_nonzero(y_true),  # noqa: ARG005  # MetricFrame names both
            "approval_rate": selection_rate,
            "true_positive_rate": true_positive_rate,
            "accuracy": accuracy_score,
        },
        y_true=truth[known],
        y_pred=approved[known],
        sensitive_features=names[known],
    )
    by_group = {str(name): _group(row) for name, row in frame.by_group.to_dict("index").items()}
    # Each figure below depends only on how many rows fall into each (group, outcome, decision) cell, so resampling rows
    # amounts to drawing those counts from a multinomial distribution.
    cells = np.array(
        [
            [
                np.count_nonzero((names == name) & (truth == t) & (approved == a))
                for t in (True, False)
                for a in (True, False)
            ]
            for name in by_group
        ],
        dtype=np.float64,
    )
    total = cells.sum()
    resampled = generator.multinomial(int(total), (cells / total).ravel(), size=RESAMPLES)
    differences = _differences(
        cells if len(by_group) > 1 else NO_GROUPS, resampled.reshape(RESAMPLES, *cells.shape).astype(np.float64)
    )
    return {
        "by_group": by_group,
        "smallest_group": min(group["rows"] for group in by_group.values()),
        "smallest_creditworthy": min(group["creditworthy"] for group in by_group.values()),
        "rows_without_group": int(np.count_nonzero(~known)),
        **differences,
    }


def _group(row: dict[str, float]) -> GroupFigures:
    """One group's figures, from its row in the MetricFrame."""
    rows, creditworthy = int(row["rows"]), int(row["creditworthy"])
    approval_rate, accuracy = float(row["approval_rate"]), float(row["accuracy"])
    true_positive_rate = float(row["true_positive_rate"])
    return {
        "rows": rows,
        "creditworthy": creditworthy,
        "approval_rate": approval_rate,
        "true_positive_rate": true_positive_rate if creditworthy else None,
        "accuracy": accuracy,
        "intervals": {
            "approval_rate": wilson(round(approval_rate * rows), rows),
            "true_positive_rate": wilson(round(true_positive_rate * creditworthy), creditworthy),
            "accuracy": wilson(round(accuracy * rows), rows),
        },
    }


def _differences(cells: Floats, resampled: Floats) -> Differences:
    """The differences between groups, and their intervals.

    Parameters
    ----------
    cells : ndarray of float64, shape (groups, 4)
        Counts of (creditworthy and approved, creditworthy and denied, other and approved, other and denied).
    resampled : ndarray of float64, shape (resamples, groups, 4)
    """
    values, spreads = _each_difference(cells[np.newaxis]), _each_difference(resampled)
    equal_opportunity, parity, ratio = (
        _figure(float(value[0]), spread) for value, spread in zip(values, spreads, strict=True)
    )
    return {
        "equal_opportunity_difference": equal_opportunity,
        "demographic_parity_difference": parity,
        "adverse_impact_ratio": ratio,
    }


def _each_difference(cells: Floats) -> tuple[Floats, Floats, Floats]:
    """The three differences in each of several tables of counts, shape (tables, groups, 4); NaN where undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        qualified = cells[..., 0] / (cells[..., 0] + cells[..., 1])
        rate = (cells[..., 0] + cells[..., 2]) / cells.sum(axis=-1)
        return (
            qualified.max(axis=-1) - qualified.min(axis=-1),
            rate.max(axis=-1) - rate.min(axis=-1),
            rate.min(axis=-1) / rate.max(axis=-1),
        )


def _figure(value: float, resampled: Floats) -> Difference:
    """A figure with its percentile interval. Resamples in which it is undefined are ignored."""
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    low, high = np.nanpercentile(resampled, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return {"value": value, "low": float(low), "high": float(high)}
