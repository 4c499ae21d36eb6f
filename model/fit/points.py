"""Reads the points of an additive model from its scores, one field at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Points:
    """The points of a fitted model that is a sum of one function per field.

    Parameters
    ----------
    model : estimator with `decision_function`
    matrix : ndarray of float64, shape (n, fields)
        Rows that the model was fitted on. While one field varies, each other keeps its first value that is known.

    Attributes
    ----------
    at_base : float
        The score of the row with these first values.
    """

    def __init__(self, model: Any, matrix: Floats) -> None:
        self._model = model
        known = ~np.isnan(matrix)
        # Of a column without any value, this takes the first row, which is missing.
        self._base = matrix[known.argmax(axis=0), np.arange(matrix.shape[1])]
        self.at_base = float(model.decision_function(self._base[np.newaxis])[0])

    def of(self, place: int, values: Floats) -> Floats:
        """The score at each value of the field at `place`: its points plus a constant; shape (values,)."""
        rows = np.repeat(self._base[np.newaxis], len(values), axis=0)
        rows[:, place] = values
        found: Floats = self._model.decision_function(rows)
        return found
