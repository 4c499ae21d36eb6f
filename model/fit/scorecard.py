"""Fits the scorecard twice: first boosting finds fine bins, which are merged; then it sets the merged bins' points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from sklearn.pipeline import Pipeline

from model.fit.boosting import additive
from model.fit.coding import transformer
from model.fit.merging import merged_codings
from model.fit.points import Points
from model.fit.support import supported_coding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lambda_app.manifest import Unsupported
    from model.contract.fields import FieldSpec
    from model.fit.settings import TrainingSettings

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Fitted:
    """A fitted scorecard.

    Attributes
    ----------
    pipeline : Pipeline
        Turns values into codes, and adds the points of the codes. It takes rows of `Applications.matrix`.
    unsupported : tuple of Unsupported
        The values that training cannot support, and the values whose points they get.
    """

    pipeline: Pipeline
    unsupported: tuple[Unsupported, ...]


def fit_scorecard(
    fields: Sequence[FieldSpec],
    matrix: Floats,
    labels: Integers,
    settings: TrainingSettings,
    row_weights: Floats | None = None,
) -> Fitted:
    """Fit an additive, monotone scorecard with few bins, each of which training supports.

    Parameters
    ----------
    fields : sequence of FieldSpec
    matrix : ndarray of float64, shape (n, fields)
    labels : ndarray of int64, shape (n,)
        1 approve, 0 deny.
    settings : TrainingSettings
        Both fits have `max_iter` iterations.
    row_weights : ndarray of float64, shape (n,), optional
        How much each row counts in both fits; by default all count the same.
    """
    first = additive(fields, settings).fit(matrix, labels, row_weights)
    codings = merged_codings(first, fields, matrix, settings)
    coded = transformer(codings).transform(matrix)
    second = additive(fields, settings).fit(coded, labels, row_weights)
    points = Points(second, coded)
    unsupported: list[Unsupported] = []
    for place, spec in enumerate(fields):
        codings[place], found = supported_coding(
            spec, matrix[:, place], codings[place], partial(points.of, place), settings.min_samples_leaf
        )
        unsupported += found
    pipeline = Pipeline([("bins", transformer(codings)), ("scorecard", second)])
    return Fitted(pipeline, tuple(unsupported))
