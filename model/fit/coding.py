"""Codes: the number of the merged bin that holds a value. The scorecard's second fit sees nothing else of the value.

Only numpy's functions and scikit-learn's classes do the coding, so a pickled pipeline opens without this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Coding:
    """A step function from one field's values to codes.

    Attributes
    ----------
    values, codes : ndarray of float64, shape (k,)
        The code at each of these values, which ascend. Between two neighbours with different codes there is no value:
        they are neighbouring floats (of a number) or the indices of neighbouring words. Outside, the code stays the
        same.
    missing : float
        The code of a missing value; NaN if it has points of its own.
    """

    values: Floats
    codes: Floats
    missing: float = np.nan


def coding_of_edges(edges: Floats) -> Coding:
    """The coding of a number: 0 up to and including the first edge, 1 up to the second, and so on.

    >>> coding = coding_of_edges(np.array([1.5, 7.0]))
    >>> np.interp([-1.0, 1.5, 1.6, 7.0, 7.1, np.nan], coding.values, coding.codes).tolist()
    [0.0, 0.0, 1.0, 1.0, 2.0, nan]
    """
    if not len(edges):
        return Coding(np.zeros(1), np.zeros(1))
    # Each step is from one float to the next one.
    values = np.stack([edges, np.nextafter(edges, np.inf)], axis=1).ravel()
    codes = np.stack([np.arange(len(edges)), np.arange(1, len(edges) + 1)], axis=1).ravel()
    return Coding(values, codes.astype(np.float64))


def coding_of_words(codes: Floats) -> Coding:
    """The coding of words, from the code of each, in the contract's order."""
    return Coding(np.arange(len(codes), dtype=np.float64), codes)


def transformer(codings: Sequence[Coding]) -> Pipeline:
    """Turns rows of the matrix into rows of codes. It has nothing to learn."""
    # Named by number, because scikit-learn does not accept every field's name.
    steps = [(f"field_{place}", _steps(coding), [place]) for place, coding in enumerate(codings)]
    # A list of rows would reach the columns as Python objects, which numpy's functions refuse.
    numbers = FunctionTransformer(np.asarray, kw_args={"dtype": "float64"})
    return Pipeline([("numbers", numbers), ("codes", ColumnTransformer(steps))]).fit(np.zeros((1, len(codings))))


def _steps(coding: Coding) -> FunctionTransformer | Pipeline:
    values, codes = coding.values, coding.codes
    if len(values) == 1:
        # Of a single point, numpy would give a missing value the code too.
        values, codes = np.append(values, values + 1), np.repeat(codes, 2)
    steps = FunctionTransformer(np.interp, kw_args={"xp": values, "fp": codes})
    if np.isnan(coding.missing):
        return steps
    return Pipeline([("bins", steps), ("missing", FunctionTransformer(np.nan_to_num, kw_args={"nan": coding.missing}))])
