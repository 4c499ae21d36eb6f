"""Format `scorecard`, on the writing side: reads the points of an additive pipeline, bin by bin."""

from __future__ import annotations

import json
from functools import partial
from math import exp
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from model.errors import ExportError
from model.fit.points import Points
from model.formats import Written
from model.formats.bins import bins_of
from model.formats.pickled import pickled
from model.formats.reference import PLACES, at_cutoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from lambda_app.artifact import Artifact
    from lambda_app.formats.scorecard import FieldPoints, Scorecard, ScorecardTables
    from lambda_app.manifest import FieldBins
    from model.contract.fields import FieldSpec
    from model.data.applications import Applications
    from model.fit.train import Candidate

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]


def write(candidate: Candidate) -> Written:
    """Write the points as plain data, which the service opens without scikit-learn."""
    # Many calls with few rows each, so threads would only add overhead.
    with threadpool_limits(limits=1):
        model = tables_of(candidate.pipeline, candidate.training)
    narrowly_approved = at_cutoff(candidate)
    means = [
        round(float(np.array(field["points"])[bins_of(column, field)].mean()), PLACES)
        for column, field in zip(narrowly_approved.T, model["fields"], strict=True)
    ]
    # A pickle records which equal strings are the same object. A pass through JSON makes that always the same.
    content = pickled(json.loads(json.dumps(model)))
    bins = [_without_points(field) for field in model["fields"]]
    return Written(content, bins, {"points": means, "score": round(model["intercept"] + sum(means), PLACES)})


def columns(opened: Artifact) -> ScorecardColumns:
    """A scorer of whole columns that looks points up."""
    return ScorecardColumns(opened)


def tables(opened: Artifact) -> ScorecardTables:
    """The tables of points, as opened."""
    return cast("Scorecard", opened.scorer).tables


class ScorecardColumns:
    """Scores whole columns with the tables of an opened scorecard; see `model.formats.Columns`."""

    by_bin: ClassVar[bool] = True

    def __init__(self, opened: Artifact) -> None:
        model = tables(opened)
        self._intercept = model["intercept"]
        self._fields = model["fields"]
        self._points = [np.array(field["points"]) for field in model["fields"]]
        self._reference: Floats = np.array(opened.manifest["reference"]["points"])

    def bins(self, matrix: Floats) -> list[Numbers]:
        return [bins_of(column, field) for column, field in zip(matrix.T, self._fields, strict=True)]

    def probabilities(self, matrix: Floats) -> Floats:
        scores = np.full(len(matrix), self._intercept)
        for points, numbers in zip(self._points, self.bins(matrix), strict=True):
            scores += points[numbers]
        # As the service does it: numpy's own exponential may differ in the last digit.
        which, distinct = pd.factorize(scores)
        return np.array([1.0 / (1.0 + exp(-score)) for score in distinct.tolist()])[which]

    def shortfalls(self, matrix: Floats) -> Floats:
        numbers = self.bins(matrix)
        points = np.stack([points[number] for points, number in zip(self._points, numbers, strict=True)], axis=1)
        found: Floats = self._reference - points
        return found


def tables_of(pipeline: Pipeline, training: Applications) -> ScorecardTables:
    """Read the points of an additive pipeline from its `decision_function`, one field at a time.

    Parameters
    ----------
    pipeline : Pipeline
        A sum of one step function per field.
    training : Applications
        The training rows. Between two neighbouring values of a field there is at most one edge.

    Returns
    -------
    ScorecardTables
        The worst bin of each field has 0 points.
    """
    matrix = training.matrix
    points = Points(pipeline, matrix)
    intercept = points.at_base
    entries: list[FieldPoints] = []
    for place, (spec, column) in enumerate(zip(training.fields, matrix.T, strict=True)):
        scores = partial(points.of, place)
        bins, inside = _bins(spec, column, scores)
        found = scores(np.append(inside, np.nan) if spec.optional else inside) - points.at_base
        lowest = float(found.min())
        intercept += lowest
        entries.append({**bins, "points": [round(float(point) - lowest, PLACES) for point in found]})
    return {"intercept": round(intercept, PLACES), "fields": entries}


def _bins(spec: FieldSpec, column: Floats, scores: Callable[[Floats], Floats]) -> tuple[FieldBins, Floats]:
    """The bins of a field, and a value inside each."""
    if spec.kind == "choice":
        return {"name": spec.name, "words": list(spec.words)}, np.arange(len(spec.words), dtype=np.float64)
    known = np.unique(column[~np.isnan(column)])
    if not len(known):
        raise ExportError(f"the field {spec.name} has no value in any training row; leave it out of the contract")
    edges = _edges(scores, known)
    return {"name": spec.name, "edges": edges.tolist()}, np.append(edges, known[-1])


def _edges(scores: Callable[[Floats], Floats], known: Floats) -> Floats:
    """The last float before each step between known values, found by bisecting all steps at once."""
    at_known = scores(known)
    steps = np.flatnonzero(at_known[1:] != at_known[:-1])
    left, right, score_left = _place(known[steps]), _place(known[steps + 1]), at_known[steps]
    while (open_ := right - left > 1).any():
        middle = left + (right - left) // 2
        same = scores(_float_at(middle)) == score_left
        left, right = np.where(open_ & same, middle, left), np.where(open_ & ~same, middle, right)
    return _float_at(left)


def _place(values: Floats) -> NDArray[np.int64]:
    """The places of floats in their order, in which neighbouring floats have neighbouring numbers.

    >>> _place(np.array([0.0, 5e-324, 1.0, np.nextafter(1.0, 2)])) - _place(np.array([0.0, 0.0, 1.0, 1.0]))
    array([0, 1, 0, 1])
    """
    bits: NDArray[np.int64] = (values + 0.0).view(np.int64)  # -0.0 becomes 0.0
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


def _float_at(places: NDArray[np.int64]) -> Floats:
    """The floats at some places."""
    bits = np.where(places < 0, np.iinfo(np.int64).min - places, places)
    return bits.view(np.float64)


def _without_points(field: FieldPoints) -> FieldBins:
    if "words" in field:
        return {"name": field["name"], "words": field["words"]}
    return {"name": field["name"], "edges": field["edges"]}
