"""How the groups of each sensitive column differ.

Definitions follow the documentation of fairlearn. For a column with groups g:

- equal opportunity difference: max_g TPR(g) - min_g TPR(g), in [0, 1]; 0 if creditworthy applicants of all groups are
  approved equally often.
- demographic parity difference: max_g P(approve | g) - min_g P(approve | g), in [0, 1]; 0 for equal approval rates.
- adverse impact ratio: min_g P(approve | g) / max_g P(approve | g), in [0, 1]; 1 for equal approval rates. The
  'four-fifths' rule often quoted with it is a guideline for employment, 29 CFR 1607.4(D), not for credit.

Each of the three has intervals that hold for all pairs of groups of all columns at once: Newcombe's for differences,
Donner and Zou's for ratios, with Bonferroni's correction (`model.intervals`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from model.intervals import critical, largest_gap, pairs, smallest_ratio, wilson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lambda_app.manifest import ColumnFigures, Difference, GroupFigures

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Names = NDArray[np.object_]
    Counts = NDArray[np.intp]

# The fewest creditworthy applicants with whom two columns together make a group.
LEAST_CREDITWORTHY = 30


@dataclass(frozen=True)
class Tally:
    """The groups of one column; arrays of shape (groups,).

    Attributes
    ----------
    names : list of str
    rows, creditworthy, approved, approved_creditworthy, right : ndarray of intp
        `right` counts the decisions that agree with the recorded outcome.
    estimated : ndarray of float64
        The sum of the estimates.
    without : int
        The rows without a group.
    """

    names: list[str]
    rows: Counts
    creditworthy: Counts
    approved: Counts
    approved_creditworthy: Counts
    right: Counts
    estimated: Floats
    without: int

    @property
    def comparable(self) -> bool:
        """Whether there are groups to compare."""
        return len(self.names) > 1

    @property
    def all_creditworthy(self) -> bool:
        """Whether, moreover, each group has creditworthy applicants."""
        return self.comparable and bool(self.creditworthy.all())


def compare_groups(
    probabilities: Floats, approved: Flags, truth: Flags, columns: Mapping[str, Names]
) -> dict[str, ColumnFigures]:
    """The figures of each group, and the differences between the groups of each column.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
    approved, truth : ndarray of bool, shape (n,)
        The model's decisions, and the recorded outcomes.
    columns : mapping of str to ndarray of str, shape (n,)
        The name of each row's group, '' if it has none. The intervals hold for all of these columns at once.
    """
    tallies = {column: _tally(probabilities, approved, truth, names) for column, names in columns.items()}
    of_all = critical(pairs([len(tally.names) for tally in tallies.values() if tally.comparable]))
    of_creditworthy = critical(pairs([len(tally.names) for tally in tallies.values() if tally.all_creditworthy]))
    return {
        column: {
            "by_group": {name: _group(tally, place) for place, name in enumerate(tally.names)},
            "smallest_group": int(min(tally.rows, default=0)),
            "smallest_creditworthy": int(min(tally.creditworthy, default=0)),
            "rows_without_group": tally.without,
            "equal_opportunity_difference": _gap(
                tally.names, tally.approved_creditworthy, tally.creditworthy, of_creditworthy
            )
            if tally.all_creditworthy
            else _unknown(),
            "demographic_parity_difference": _gap(tally.names, tally.approved, tally.rows, of_all)
            if tally.comparable
            else _unknown(),
            "adverse_impact_ratio": _ratio(tally, of_all) if tally.comparable else _unknown(),
        }
        for column, tally in tallies.items()
    }


def intersections(columns: Mapping[str, Names], truth: Flags) -> dict[str, Names]:
    """The groups of each two columns together, such as 'women, under 30' in the column 'Sex, Age'.

    Parameters
    ----------
    columns : mapping of str to ndarray of str, shape (n,)
    truth : ndarray of bool, shape (n,)
        The recorded outcomes. A group with fewer than 30 creditworthy applicants would only show its own chance: its
        rows have no group.
    """
    found = {}
    for (one, names), (other, other_names) in combinations(columns.items(), 2):
        together = np.where((names != "") & (other_names != ""), names + ", " + other_names, "")
        distinct, group = np.unique(together, return_inverse=True)
        creditworthy = np.bincount(group, weights=truth, minlength=len(distinct))
        together[creditworthy[group] < LEAST_CREDITWORTHY] = ""
        found[f"{one}, {other}"] = together
    return found


def _tally(probabilities: Floats, approved: Flags, truth: Flags, names: Names) -> Tally:
    known = names != ""
    distinct, group = np.unique(names[known], return_inverse=True)

    def count(rows: Flags) -> Counts:
        counted: Counts = np.bincount(group[rows[known]], minlength=len(distinct))
        return counted

    estimated: Floats = np.bincount(group, weights=probabilities[known], minlength=len(distinct)).astype(np.float64)
    return Tally(
        names=[str(name) for name in distinct],
        rows=count(known),
        creditworthy=count(truth),
        approved=count(approved),
        approved_creditworthy=count(approved & truth),
        right=count(approved == truth),
        estimated=estimated,
        without=int(np.count_nonzero(~known)),
    )


def _group(tally: Tally, place: int) -> GroupFigures:
    """One group's figures."""
    rows, creditworthy = int(tally.rows[place]), int(tally.creditworthy[place])
    approved, right = int(tally.approved[place]), int(tally.right[place])
    qualified = int(tally.approved_creditworthy[place])
    return {
        "rows": rows,
        "creditworthy": creditworthy,
        "recorded_rate": creditworthy / rows,
        "estimated_rate": float(tally.estimated[place]) / rows,
        "approval_rate": approved / rows,
        "true_positive_rate": qualified / creditworthy if creditworthy else None,
        "accuracy": right / rows,
        "intervals": {
            "recorded_rate": wilson(creditworthy, rows),
            "approval_rate": wilson(approved, rows),
            "true_positive_rate": wilson(qualified, creditworthy),
            "accuracy": wilson(right, rows),
        },
    }


def _gap(names: list[str], successes: Counts, totals: Counts, z: float) -> Difference:
    value, low, high = largest_gap(successes, totals, z)
    return _difference(names, successes / totals, float(value), float(low), float(high))


def _ratio(tally: Tally, z: float) -> Difference:
    value, low, high = smallest_ratio(tally.approved, tally.rows, z)
    if np.isnan(value):
        return _unknown()
    return _difference(tally.names, tally.approved / tally.rows, float(value), float(low), float(high))


def _difference(names: list[str], shares: Floats, value: float, low: float, high: float) -> Difference:
    return {
        "value": value,
        "low": low,
        "high": high,
        "lowest": names[int(shares.argmin())],
        # The last one, so that two groups are named even if all are alike.
        "highest": names[int(np.flatnonzero(shares == shares.max())[-1])],
    }


def _unknown() -> Difference:
    return {"value": None, "low": None, "high": None, "lowest": None, "highest": None}
