"""Tries one recipe: its best cut-offs on the training rows, and how each of these does on the hold-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from model import intervals
from model.fit.cutoff import candidate_cutoffs, operating_curve, permitted, value_of
from model.fit.estimates import estimates
from model.fit.scorecard import fit_scorecard
from model.fit.train import out_of_fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Estimate
    from model.alternatives.recipes import Recipe
    from model.data.applications import Applications
    from model.fit.task import CutoffRule

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Places = NDArray[np.intp]


class Tried(TypedDict):
    """What decisions are worth on rows that did not train the model.

    `value` is the accuracy, or minus the cost a row; `difference` is the value minus that of the chosen model's
    decisions on the same rows, with a paired interval.
    """

    value: float
    difference: Estimate
    gap: float
    approval_rate: float


class Point(TypedDict):
    """One recipe at one cut-off: on the training rows, out-of-fold, and on the hold-out; `how` says how to train it."""

    recipe: str
    how: str
    left_out: list[str]
    reads_group: bool
    cutoff: float
    training: Tried
    holdout: Tried


@dataclass(frozen=True)
class Rows:
    """Rows to try alternatives on, with the chosen model's decisions, and the rule by which cut-offs are chosen.

    Attributes
    ----------
    training, holdout : Applications
        With all fields.
    rule : CutoffRule
    chosen_training, chosen_holdout : ndarray of bool, shape (rows,)
        Those on the training rows are out-of-fold.
    """

    training: Applications
    holdout: Applications
    rule: CutoffRule
    chosen_training: Flags
    chosen_holdout: Flags


def try_recipe(recipe: Recipe, on: Rows) -> list[Point]:
    """The recipe at each of its cut-offs that no other one beats in both value and gap on the training rows.

    Cut-offs that the rule forbids, or that are worth less than approving or denying everybody, are left out.
    """
    training, holdout = recipe.rows(on.training), recipe.rows(on.holdout)
    weights, rule = recipe.weights(on.training), on.rule
    labels = training.approved.astype(np.int64)
    pipeline = fit_scorecard(training.fields, training.matrix, labels, recipe.settings, weights).pipeline
    unseen = out_of_fold(training, recipe.settings, weights)
    if rule["by"] == "value":
        cutoffs = np.array([rule["cutoff"]])
    else:
        cutoffs = candidate_cutoffs(estimates(pipeline, training.matrix))
    curve = operating_curve(unseen, training, cutoffs)
    values = value_of(rule, curve)
    sensible = permitted(rule, curve) & (values >= _of_a_constant(rule, training.approved))
    best = cutoffs[sensible][unbeaten(values[sensible], curve.gap[sensible])]
    seen = estimates(pipeline, holdout.matrix)
    return [
        {
            "recipe": recipe.name,
            "how": recipe.how,
            "left_out": list(recipe.left_out),
            "reads_group": recipe.reweighed_by is not None,
            "cutoff": float(cutoff),
            "training": at_training,
            "holdout": at_holdout,
        }
        for cutoff, at_training, at_holdout in zip(
            best,
            tried(rule, training, unseen, best, on.chosen_training),
            tried(rule, holdout, seen, best, on.chosen_holdout),
            strict=True,
        )
    ]


def tried(rule: CutoffRule, judged: Applications, estimates: Floats, cutoffs: Floats, chosen: Flags) -> list[Tried]:
    """What the decisions at each cut-off are worth, and how much more than the chosen ones on the same rows."""
    curve = operating_curve(estimates, judged, cutoffs)
    base = _worth(rule, judged.approved, chosen)
    found: list[Tried] = []
    for cutoff, gap, approval_rate in zip(cutoffs, curve.gap, curve.approval_rate, strict=True):
        worth = _worth(rule, judged.approved, estimates >= cutoff)
        gained = worth - base
        found.append(
            {
                "value": float(worth.mean()),
                "difference": intervals.estimate(gained, float(gained.mean())),
                "gap": float(gap),
                "approval_rate": float(approval_rate),
            }
        )
    return found


def unbeaten(values: Floats, gaps: Floats) -> Places:
    """The places of points that no other beats, smallest gap first: none has both a larger value and a smaller gap.

    Examples
    --------
    >>> unbeaten(np.array([0.90, 0.92, 0.91, 0.93]), np.array([0.05, 0.10, 0.12, 0.20])).tolist()
    [0, 1, 3]
    """
    ordered = np.lexsort((-values, gaps))
    before = np.concatenate([[-np.inf], np.maximum.accumulate(values[ordered])[:-1]])
    found: Places = ordered[values[ordered] > before]
    return found


def _of_a_constant(rule: CutoffRule, truth: Flags) -> float:
    """The value of the better of two constant decisions: approve all, deny all."""
    return float(max(_worth(rule, truth, np.full(len(truth), approved)).mean() for approved in (True, False)))


def _worth(rule: CutoffRule, truth: Flags, approved: Flags) -> Floats:
    """The value of each decision, shape (n,): minus its cost, or 1 if it agrees with the recorded outcome."""
    if rule["by"] == "cost":
        found: Floats = -np.where(approved, rule["false_approve"] * ~truth, rule["false_deny"] * truth)
        return found
    return np.asarray(truth == approved, dtype=np.float64)
