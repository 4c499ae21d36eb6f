"""Format `sklearn`, on the writing side: the fitted pipeline itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from model.formats import Written
from model.formats.bins import bins_of, quantile_bins
from model.formats.columns import RowByRow
from model.formats.pickled import pickled
from model.formats.reference import typical_at_cutoff

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.formats.estimator import Estimator
    from model.fit.train import Candidate

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]


def write(candidate: Candidate) -> Written:
    """Pickle the pipeline. Its denials are compared with one typical applicant at the cut-off."""
    reference = typical_at_cutoff(candidate)
    return Written(pickled(candidate.pipeline), quantile_bins(candidate.training), {"values": reference})


def columns(opened: Artifact) -> EstimatorColumns:
    """A scorer of whole columns that calls the pipeline."""
    return EstimatorColumns(opened)


def tables(_opened: Artifact) -> None:
    """None: a pipeline has no points."""


class EstimatorColumns(RowByRow):
    """Scores whole columns with an opened pipeline; only shortfalls are computed row by row."""

    def __init__(self, opened: Artifact) -> None:
        super().__init__(opened)
        self._estimator = cast("Estimator", opened.scorer)

    def bins(self, matrix: Floats) -> list[Numbers]:
        return [bins_of(column, field) for column, field in zip(matrix.T, self._estimator.fields, strict=True)]

    def probabilities(self, matrix: Floats) -> Floats:
        # A pipeline raises an error for zero rows.
        found: Floats = self._estimator.probabilities(matrix) if len(matrix) else np.empty(0)
        return found
