"""Whole columns, as vectors or row by row, are scored like single applications in every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lambda_app import artifact
from model.formats.columns import RowByRow
from tests.near_edges import beside
from tests.trainings import columns_of

if TYPE_CHECKING:
    from model.run import TrainingRun


@pytest.mark.parametrize("form", ["small", "mixed", "mixed_sklearn"])
@pytest.mark.parametrize("rows", [0, 1, 300])
def test_vectors_and_rows_agree(form: str, rows: int, request: pytest.FixtureRequest) -> None:
    # Given applications on and next to the edges, some with missing values
    outcome: TrainingRun = request.getfixturevalue(form)
    fields = outcome.candidate.holdout.fields
    matrix = beside(outcome.directory, fields, 300, seed=3)[:rows]
    # When they are scored as columns, and row by row by the service's own scorer
    fast, plain = columns_of(outcome.directory), RowByRow(artifact.load(str(outcome.directory)))
    # Then bins, probabilities and shortfalls are the same, in the same shapes
    assert np.array_equal(fast.bins(matrix), plain.bins(matrix))
    assert len(fast.bins(matrix)) == len(fields)
    assert fast.probabilities(matrix).shape == plain.probabilities(matrix).shape == (rows,)
    assert np.allclose(fast.probabilities(matrix), plain.probabilities(matrix), rtol=0, atol=1e-15)
    assert fast.shortfalls(matrix).shape == plain.shortfalls(matrix).shape == (rows, len(fields))
    assert np.allclose(fast.shortfalls(matrix), plain.shortfalls(matrix), rtol=0, atol=1e-12)
