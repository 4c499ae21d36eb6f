"""Looks for signs that the hold-out is no fair test, and for fields that stand in for a sensitive column.

A hold-out is too easy if its rows are copies of training rows, or if a field is known only after the decision. A field
that tells the groups of a sensitive column apart undoes the care not to show the model that column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import FieldLeak, Leakage
    from model.contract.fields import FieldSpec
    from model.data.applications import Applications

    Floats = NDArray[np.float64]
    Names = NDArray[np.object_]
    Numbers = NDArray[np.intp]

# Into how many parts of equal size a field's numbers are divided.
PARTS = 20


def leakage(training: Applications, holdout: Applications, probabilities: Floats) -> Leakage:
    """Compare the hold-out with the training rows, and each field with the outcome and with the groups.

    Parameters
    ----------
    training, holdout : Applications
        The rows that trained the model, and the n rows that judge it.
    probabilities : ndarray of float64, shape (n,)
        The model's estimates for the hold-out.
    """
    twin_share, copied_share = _copies(training, holdout, probabilities)
    outcomes = training.approved.astype(np.float64), holdout.approved.astype(np.float64)
    memberships = _memberships(training, holdout)
    fields: dict[str, FieldLeak] = {}
    for spec, seen, unseen in zip(training.fields, training.matrix.T, holdout.matrix.T, strict=True):
        bins = _bins(spec, seen, unseen)
        fields[spec.name] = {
            "outcome": _explained(bins, outcomes),
            "groups": {
                column: {name: _explained(bins, members) for name, members in groups.items()}
                for column, groups in memberships.items()
            },
        }
    return {"twin_share": twin_share, "copied_share": copied_share, "fields": fields}


def _copies(training: Applications, holdout: Applications, probabilities: Floats) -> tuple[float, float]:
    """The share of the hold-out with twins, training rows with the same values; and the share that are copies.

    Rows with few possible values have honest twins, whose outcomes agree only as often as chance lets them: with
    probability p² + (1 - p)², if p is the estimate. Copies always agree. What goes beyond chance estimates their share.
    """
    row = _numbered(np.concatenate([training.matrix, holdout.matrix]))
    seen, unseen = np.split(row, [len(training.matrix)])
    twins = np.bincount(seen, minlength=row.max() + 1)[unseen]
    twin = twins > 0
    if not twin.any():
        return 0.0, 0.0
    approve = np.bincount(seen, weights=training.approved, minlength=row.max() + 1)[unseen[twin]] / twins[twin]
    observed = float(np.mean(np.where(holdout.approved[twin], approve, 1 - approve)))
    expected = float(np.mean(probabilities[twin] ** 2 + (1 - probabilities[twin]) ** 2))
    beyond_chance = (observed - expected) / (1 - expected) if expected < 1 else 0.0
    return float(twin.mean()), float(twin.mean()) * max(0.0, beyond_chance)


def _numbered(matrix: Floats) -> Numbers:
    """A number for each row, the same for rows with the same values; a missing value equals a missing value."""
    number = np.zeros(len(matrix), dtype=np.intp)
    for column in matrix.T:
        value, distinct = pd.factorize(column, use_na_sentinel=False)
        number, _ = pd.factorize(number * len(distinct) + value)
    return number


def _memberships(training: Applications, holdout: Applications) -> dict[str, dict[str, tuple[Floats, Floats]]]:
    """For each group of each column, whether each training row and each row of the hold-out is in it."""
    return {
        column: {
            str(name): (_member(names, name), _member(holdout.groups[column], name))
            for name in np.unique(np.concatenate([names, holdout.groups[column]]))
            if name
        }
        for column, names in training.groups.items()
    }


def _member(names: Names, name: str) -> Floats:
    """1 in the group, 0 in another, NaN where the group is unknown."""
    return np.where(names == "", np.nan, names == name)


def _bins(spec: FieldSpec, seen: Floats, unseen: Floats) -> tuple[Numbers, Numbers]:
    """The bin of each value, in the training rows and in the hold-out.

    There is one for each word, for each twentieth of the training rows, and for missing values. The values at which
    twentieths meet are bins too, so that a value that many rows share is not mixed with others.
    """
    if spec.kind == "choice":
        edges = np.arange(len(spec.words), dtype=np.float64)
    else:
        present = seen[~np.isnan(seen)]
        edges = np.unique(np.quantile(present, np.arange(1, PARTS) / PARTS)) if present.size else present

    def bins(values: Floats) -> Numbers:
        # Even between two edges, odd at an edge.
        number = np.searchsorted(edges, values) + np.searchsorted(edges, values, side="right")
        return np.where(np.isnan(values), 2 * len(edges) + 1, number)

    return bins(seen), bins(unseen)


def _explained(bins: tuple[Numbers, Numbers], targets: tuple[Floats, Floats]) -> float:
    """The share of the target's variance in the hold-out that the mean of each bin explains, learnt on training rows.

    Parameters
    ----------
    bins, targets : pair of ndarray
        Of the training rows, and of the hold-out. Rows whose target is NaN are left out.
    """
    (seen, learnt), (unseen, judged) = (
        (bins_of[~np.isnan(target)], target[~np.isnan(target)]) for bins_of, target in zip(bins, targets, strict=True)
    )
    variation = float(np.sum((judged - judged.mean()) ** 2)) if judged.size else 0.0
    if not variation or not learnt.size:
        return 0.0
    size = max(seen.max(), unseen.max()) + 1
    rows, total = np.bincount(seen, minlength=size), np.bincount(seen, weights=learnt, minlength=size)
    rates = np.where(rows > 0, total / np.maximum(rows, 1), learnt.mean())
    return max(0.0, 1 - float(np.sum((judged - rates[unseen]) ** 2)) / variation)
