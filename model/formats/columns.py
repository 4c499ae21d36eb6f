"""Column scoring for any format: it calls the service's own scorer row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from model.contract.carried import carried_fields
from model.data.encoding import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Application

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]


class RowByRow:
    """Scores whole columns by calling an opened scorer row by row; see `model.formats.Columns`."""

    by_bin: ClassVar[bool] = False

    def __init__(self, opened: Artifact) -> None:
        self._scorer = opened.scorer
        self._specs = carried_fields(opened.manifest["contract"])

    def bins(self, matrix: Floats) -> list[Numbers]:
        found = [bins for _, bins in self._rows(matrix)]
        return list(np.array(found, dtype=np.intp).reshape(len(matrix), len(self._specs)).T)

    def probabilities(self, matrix: Floats) -> Floats:
        return np.array([self._scorer.probability(values, bins) for values, bins in self._rows(matrix)], dtype=float)

    def shortfalls(self, matrix: Floats) -> Floats:
        found = [self._scorer.shortfalls(values, bins) for values, bins in self._rows(matrix)]
        return np.array(found, dtype=float).reshape(len(matrix), len(self._specs))

    def _rows(self, matrix: Floats) -> Iterator[tuple[Application, list[int]]]:
        for row in matrix:
            values = values_of(row, self._specs)
            yield values, self._scorer.bins(values)
