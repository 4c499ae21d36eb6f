"""The bins of whole columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]


def bins_of(column: Floats, edges: Floats | None, words: int) -> Numbers:
    """The bin numbers of one field's column, shape (n,); the same as `lambda_app.binning.Binning` gives.

    Parameters
    ----------
    column : ndarray of float64, shape (n,)
        Numbers, or places of words; NaN where missing.
    edges : ndarray of float64, or None for words
    words : int
        How many words the field has; 0 for a number.
    """
    missing = np.isnan(column)
    if edges is not None:
        numbers = np.searchsorted(edges, column, side="left")
        numbers[missing] = len(edges) + 1
        return numbers
    return np.where(missing, words, column).astype(np.intp)
