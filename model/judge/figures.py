"""Judges decisions: how accurate they are, how well calibrated, and how they differ between groups.

Definitions follow scikit-learn's and fairlearn's documentation. For a sensitive column with groups g:

- equal opportunity difference: max_g TPR(g) - min_g TPR(g), in [0, 1]; 0 when creditworthy applicants of all groups
  are approved equally often.
- demographic parity difference: max_g P(approve | g) - min_g P(approve | g), in [0, 1]; 0 at equal approval rates.
- adverse impact ratio: min_g P(approve | g) / max_g P(approve | g), in [0, 1]; 1 at equal approval rates. The
  'four-fifths' often quoted with it is a guideline for employment, 29 CFR 1607.4(D), not for credit.

A figure that the data cannot tell is None: a group's true-positive rate where it has no creditworthy applicant; a
difference where a column has fewer than two groups, or a group no such rate; the largest gap where no column is
sensitive; the area under the ROC curve where all outcomes are alike.

Intervals are of 95 %: Wilson's for shares, Hanley and McNeil's for the area under the ROC curve, the bootstrap's
percentiles for differences between groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from fairlearn.metrics import MetricFrame, count, selection_rate, true_positive_rate
from numpy.typing import NDArray
from scipy.stats import binomtest, norm
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

from model.data.applications import Applications

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONFIDENCE = 0.95
RESAMPLES = 2000
CALIBRATION_BINS = 10
ROC_POINTS = 100
COUNTS = ("rows", "creditworthy")


def evaluate(probabilities: Floats, approved: Flags, judged: Applications, seed: int) -> dict[str, Any]:
    """Every figure of a model on labelled applications.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
        As the model gave them.
    approved : ndarray of bool, shape (n,)
        As the model decided.
    judged : Applications
        The applications with their outcomes and groups.
    seed : int
        Seeds the bootstrap.

    Returns
    -------
    dict
        Plain data, as `metrics.json` holds it.
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
            "accuracy": _share(true_approve + true_deny, len(truth)),
            "precision": _share(true_approve, true_approve + false_approve),
            "recall": _share(true_approve, true_approve + false_deny),
            "approval_rate": _share(true_approve + false_approve, len(truth)),
            "roc_auc": None
            if roc_auc is None
            else _area(roc_auc, true_approve + false_deny, true_deny + false_approve),
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
        "equal_opportunity_gap": None if None in gaps or not gaps else max(gaps),
    }


def roc_points(probabilities: Floats, truth: Flags) -> list[dict[str, float]]:
    """At most 100 points of the ROC curve, from (0, 0) to (1, 1), as plain data."""
    false_positive, true_positive, _ = roc_curve(truth, probabilities)
    chosen = np.unique(np.linspace(0, len(false_positive) - 1, ROC_POINTS).round().astype(np.int64))
    return [
        {"false_positive_rate": float(across), "true_positive_rate": float(up)}
        for across, up in zip(false_positive[chosen], true_positive[chosen], strict=True)
    ]


def _by_group(
    truth: Flags, approved: Flags, names: NDArray[np.object_], generator: np.random.Generator
) -> dict[str, Any]:
    known = names != ""
    if not known.any():
        differences = _differences(np.zeros((1, 1, 4)))
        nothing = {name: _figure(float("nan"), resampled) for name, resampled in differences.items()}
        return {"by_group": {}, "smallest_group": 0, "rows_without_group": len(names), **nothing}
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
    by_group: dict[str, dict[str, Any]] = {
        str(name): {key: int(value) if key in COUNTS else float(value) for key, value in row.items()}
        for name, row in frame.by_group.to_dict("index").items()
    }
    for group in by_group.values():
        of = {"approval_rate": group["rows"], "true_positive_rate": group["creditworthy"], "accuracy": group["rows"]}
        group["intervals"] = {key: _share(round(group[key] * total), total) for key, total in of.items()}
        if not group["creditworthy"]:
            group["true_positive_rate"] = None
    # Each figure below depends only on how many rows fall into each (group, outcome, decision) cell, so resampling
    # rows is drawing those counts from a multinomial distribution.
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
    low_high = _differences(resampled.reshape(RESAMPLES, *cells.shape).astype(np.float64))
    figures = {
        name: _figure(float(value[0]) if len(by_group) > 1 else float("nan"), low_high[name])
        for name, value in _differences(cells[np.newaxis]).items()
    }
    return {
        "by_group": by_group,
        "smallest_group": int(min(group["rows"] for group in by_group.values())),
        "rows_without_group": int(np.count_nonzero(~known)),
        **figures,
    }


def _figure(value: float, resampled: Floats) -> dict[str, float | None]:
    """A figure with its percentile interval; resamples in which it is undefined say nothing of it."""
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    low, high = np.nanpercentile(resampled, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return {"value": value, "low": float(low), "high": float(high)}


def _share(count_of: int, total: int) -> dict[str, float]:
    """Wilson's interval for a share; all of [0, 1] if there is nothing to take a share of."""
    if total == 0:
        return {"low": 0.0, "high": 1.0}
    interval = binomtest(count_of, total).proportion_ci(CONFIDENCE, method="wilson")
    return {"low": float(interval.low), "high": float(interval.high)}


def _area(area: float, approve: int, deny: int) -> dict[str, float]:
    """Hanley and McNeil's interval for the area under the ROC curve.

    J. A. Hanley, B. J. McNeil: The meaning and use of the area under a receiver operating characteristic (ROC) curve.
    Radiology 143 (1982), 29-36, formula 2.
    """
    both_above = area / (2 - area)
    both_below = 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (approve - 1) * (both_above - area**2) + (deny - 1) * (both_below - area**2)
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * float(np.sqrt(variance / (approve * deny)))
    return {"low": max(0.0, area - half), "high": min(1.0, area + half)}


def _differences(cells: Floats) -> dict[str, Floats]:
    """The three differences between groups.

    Parameters
    ----------
    cells : ndarray of float64, shape (resamples, groups, 4)
        Counts of (creditworthy and approved, creditworthy and denied, other and approved, other and denied).
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        qualified = cells[..., 0] / (cells[..., 0] + cells[..., 1])
        rate = (cells[..., 0] + cells[..., 2]) / cells.sum(axis=-1)
        return {
            "equal_opportunity_difference": qualified.max(axis=-1) - qualified.min(axis=-1),
            "demographic_parity_difference": rate.max(axis=-1) - rate.min(axis=-1),
            "adverse_impact_ratio": rate.min(axis=-1) / rate.max(axis=-1),
        }
