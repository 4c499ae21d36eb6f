"""Merges the bins that a first fit found, until each can bear points of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from model.fit.coding import coding_of_edges, coding_of_words
from model.fit.edges import short_edge
from model.fit.points import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingClassifier

    from model.contract.fields import FieldSpec
    from model.fit.coding import Coding
    from model.fit.settings import TrainingSettings

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.intp]

# A bin with a smaller share of the training rows is thin.
THIN_SHARE = 0.02
# The largest cost of a merge, as a share of what the whole score explains; and the cost of a difference of one standard
# error, below which no difference is measurable. docs/decisions/0009-merged-bins.md has the measurements.
TOLERANCE = 0.002
ONE_ERROR = 1.0


@dataclass(frozen=True)
class Bins:
    """Neighbouring bins of one field; each array has the shape (bins,).

    Attributes
    ----------
    rows : ndarray of float64
        The number of training rows.
    weights : ndarray of float64
        The sum of p (1 - p) over these rows, where p is the first fit's probability. This is the second derivative of
        the log loss by the bin's points, so the variance of the points is 1 / weight.
    scores : ndarray of float64
        The points plus a constant.
    """

    rows: Floats
    weights: Floats
    scores: Floats


@dataclass(frozen=True)
class Rule:
    """When neighbours are merged.

    Attributes
    ----------
    least_rows : float
        Bins with fewer rows always merge.
    thin_rows : float
        Bins with fewer rows merge if the cost is at most `tolerance`.
    tolerance : float
    """

    least_rows: float
    thin_rows: float
    tolerance: float


@dataclass(frozen=True)
class _Scored:
    """A column and its scores: those of its distinct `values`, and that of a missing value.

    `places` are the positions of the rows' values in `values`, for the rows that are `known`.
    """

    known: Flags
    values: Floats
    places: Numbers
    scores: Floats
    at_missing: float

    def rows(self) -> Floats:
        """The score of each row, shape (n,)."""
        found = np.full(len(self.known), self.at_missing)
        found[self.known] = self.scores[self.places]
        return found


def merged_codings(
    first: HistGradientBoostingClassifier, fields: Sequence[FieldSpec], matrix: Floats, settings: TrainingSettings
) -> list[Coding]:
    """The coding of each field after merging the bins of a fitted additive model.

    Parameters
    ----------
    first : HistGradientBoostingClassifier
        Fitted on `matrix`.
    fields : sequence of FieldSpec
    matrix : ndarray of float64, shape (n, fields)
    settings : TrainingSettings
    """
    points = Points(first, matrix)
    columns = [
        _scored(spec, column, partial(points.of, place))
        for place, (spec, column) in enumerate(zip(fields, matrix.T, strict=True))
    ]
    # The same as the model's own scores, and much faster.
    scores = points.at_base + np.sum([column.rows() - points.at_base for column in columns], axis=0)
    probabilities = 1.0 / (1.0 + np.exp(-scores))
    weights = probabilities * (1.0 - probabilities)
    explained = float(np.sum(weights * (scores - np.average(scores, weights=weights)) ** 2))
    rule = Rule(settings.min_samples_leaf, THIN_SHARE * len(matrix), max(TOLERANCE * explained, ONE_ERROR))
    return [
        _coding_of_words(spec, column, weights, rule) if spec.words else _coding_of_numbers(column, weights, rule)
        for spec, column in zip(fields, columns, strict=True)
    ]


def merged(bins: Bins, rule: Rule) -> Numbers:
    """Merge neighbouring bins, and return the number of the merged bin that holds each; shape (bins,).

    If the neighbours a and b are merged, the log loss of all rows together rises by about half of

        w_a w_b / (w_a + w_b) (s_a - s_b)^2,

    the cost of the merge. It is also the square of their difference in standard errors.

    - While a bin has fewer than `rule.least_rows` rows, the smallest bin joins the neighbour with the lower score, so
      that no value scores higher than training supports. The first and the last bin have only one neighbour, and join
      it even if it scores higher: a field's direction comes first.
    - After that, the cheapest merge comes first, as long as one of the two bins is thin and the cost is within
      `rule.tolerance`.
    """
    rows, weights, scores = bins.rows, bins.weights, bins.scores
    first = np.arange(len(rows))
    while len(first) > 1:
        smallest = int(np.argmin(rows))
        if rows[smallest] < rule.least_rows:
            left = _left_of_pair(scores, smallest)
        else:
            cost = weights[:-1] * weights[1:] / (weights[:-1] + weights[1:]) * np.diff(scores) ** 2
            may = (np.minimum(rows[:-1], rows[1:]) < rule.thin_rows) & (cost <= rule.tolerance)
            if not may.any():
                break
            left = int(np.argmin(np.where(may, cost, np.inf)))
        pair = slice(left, left + 2)
        total = weights[pair].sum()
        score = np.dot(weights[pair], scores[pair]) / total if total else scores[pair].min()
        rows, weights, scores = (
            np.concatenate([values[:left], [new], values[left + 2 :]])
            for values, new in ((rows, rows[pair].sum()), (weights, total), (scores, score))
        )
        first = np.delete(first, left + 1)
    return np.searchsorted(first, np.arange(len(bins.rows)), side="right") - 1


def _left_of_pair(scores: Floats, place: int) -> int:
    """The left one of the two bins that merge if the one at `place` joins its neighbour with the lower score."""
    to_left = place == len(scores) - 1 or (place > 0 and scores[place - 1] <= scores[place + 1])
    return place - 1 if to_left else place


def _scored(spec: FieldSpec, column: Floats, score: Callable[[Floats], Floats]) -> _Scored:
    known = ~np.isnan(column)
    if spec.words:
        values, places = np.arange(len(spec.words), dtype=np.float64), column[known].astype(np.intp)
    else:
        values, places = np.unique(column[known], return_inverse=True)
    found = score(np.append(values, np.nan))
    return _Scored(known, values, places, found[:-1], float(found[-1]))


def _coding_of_numbers(column: _Scored, weights: Floats, rule: Rule) -> Coding:
    scores, values = column.scores, column.values
    starts = np.append(True, scores[1:] != scores[:-1])[: len(values)]
    numbers = np.cumsum(starts) - 1
    together = merged(_bins(numbers[column.places], weights[column.known], scores[starts]), rule)
    last = np.flatnonzero(np.diff(together[numbers]))
    return coding_of_edges(np.array([short_edge(values[place], values[place + 1]) for place in last]))


def _coding_of_words(spec: FieldSpec, column: _Scored, weights: Floats, rule: Rule) -> Coding:
    bins = _bins(column.places, weights[column.known], column.scores)
    if spec.monotonic:
        return coding_of_words(merged(bins, rule).astype(np.float64))
    # Words without an order are neighbours by their scores. Those with too few rows keep a code each, so that they
    # cannot lend their rows to another word; `model.fit.support` gives them its points in the end.
    enough = bins.rows >= rule.least_rows
    supported, others = np.flatnonzero(enough), np.flatnonzero(~enough)
    order = supported[np.argsort(bins.scores[supported], kind="stable")]
    codes = np.empty(len(spec.words))
    codes[order] = merged(Bins(*(values[order] for values in (bins.rows, bins.weights, bins.scores))), rule)
    codes[others] = len(order) + np.arange(len(others))
    return coding_of_words(codes)


def _bins(numbers: Numbers, weights: Floats, scores: Floats) -> Bins:
    """The bins from each row's number and weight, and from each bin's score."""
    rows, totals = (np.bincount(numbers, each, minlength=len(scores)).astype(np.float64) for each in (None, weights))
    return Bins(rows, totals, scores)
