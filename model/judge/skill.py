"""Whether a model decides better than deciding everybody alike would, in the measure that chose its cut-off.

Both decide the same rows, so their difference has a paired interval, which is narrower than those of the two values: it
is the normal interval of what each row gains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from model.intervals import estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Skill
    from model.fit.task import CutoffRule

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def skill(approved: Flags, truth: Flags, rule: CutoffRule) -> Skill:
    """Compare decisions with the best constant decision.

    The measure depends on the rule, and more is always better:

    - accuracy and value: `accuracy`, the share of decisions that agree with the recorded outcome;
    - cost: `cost`, minus the cost per application;
    - bad_share and approved_share: `good_share`, the share labelled approve among the approved. The constant is
      'approve all', because 'deny all' approves nobody. A model that approves nobody gains nothing either.

    Parameters
    ----------
    approved : ndarray of bool, shape (n,)
        The model's decisions.
    truth : ndarray of bool, shape (n,)
        The recorded outcomes.
    rule : CutoffRule

    Returns
    -------
    Skill
        A constant model's `difference` is 0 in value and interval, or below 0 if it is not the best constant.
    """
    if rule["by"] in ("bad_share", "approved_share"):
        return _good_share(approved, truth)
    by_cost = rule["by"] == "cost"
    wrong_approval, wrong_denial = (rule["false_approve"], rule["false_deny"]) if by_cost else (1.0, 1.0)
    losses: Floats = np.where(truth, wrong_denial * ~approved, wrong_approval * approved)
    approve_all: Floats = np.where(truth, 0.0, wrong_approval)
    deny_all: Floats = np.where(truth, wrong_denial, 0.0)
    # Of two equally good constants, the one that the decisions resemble more: so a constant model never gains.
    approves = (approve_all.sum(), np.count_nonzero(~approved)) <= (deny_all.sum(), np.count_nonzero(approved))
    constant = approve_all if approves else deny_all
    best = 0.0 if by_cost else 1.0
    gains = constant - losses
    return {
        "measure": "cost" if by_cost else "accuracy",
        "constant": "approve all" if approves else "deny all",
        "value": best - float(losses.mean()),
        "constant_value": best - float(constant.mean()),
        "difference": estimate(gains, float(gains.mean())),
    }


def _good_share(approved: Flags, truth: Flags) -> Skill:
    everybody = float(truth.mean())
    value, influences = everybody, np.zeros(len(truth))
    if approved.any():
        value = float(truth[approved].mean())
        # The delta method for a ratio of means, the approved and creditworthy over the approved, minus a mean.
        influences = approved * (truth - value) / approved.mean() - (truth - everybody)
    return {
        "measure": "good_share",
        "constant": "approve all",
        "value": value,
        "constant_value": everybody,
        "difference": estimate(influences, value - everybody),
    }
