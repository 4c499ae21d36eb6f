"""Values that training cannot support: they never score above the field's lowest supported bin.

An applicant must not gain by leaving a value out, or by a word that hardly any training row had.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from model.fit.merging import THIN_SHARE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lambda_app.manifest import Unsupported
    from model.contract.fields import FieldSpec
    from model.fit.coding import Coding

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]

# What people read for a missing value.
NOT_GIVEN = "not given"


def supported_coding(
    spec: FieldSpec, column: Floats, coding: Coding, score: Callable[[Floats], Floats], least_rows: int
) -> tuple[Coding, list[Unsupported]]:
    """The coding of a field that gives each unsupported value the code of a supported one.

    - A word without an order and with fewer than `least_rows` rows gets the lowest supported word's points. If no word
      has as many, all get those of the lowest one.
    - A missing value gets the points of the lowest supported bin if fewer than `least_rows` rows lack the value, or if
      fewer than 2 % do and it would score higher.
    - Numbers and ordered words need nothing: merging has left no bin with fewer rows.

    Parameters
    ----------
    spec : FieldSpec
    column : ndarray of float64, shape (n,)
        The field's values in the training rows.
    coding : Coding
        The coding that the model was fitted with.
    score : callable
        The model's score at each of some codes, NaN included.
    least_rows : int

    Returns
    -------
    Coding
    list of Unsupported
        The values that get another value's points.
    """
    known = ~np.isnan(column)
    rows = np.bincount(column[known].astype(np.intp), minlength=len(spec.words)) if spec.words else np.empty(0, np.intp)
    found = []
    codes = np.unique(coding.codes)
    if spec.words and not spec.monotonic:
        enough = rows >= least_rows
        codes = np.unique(coding.codes[enough] if enough.any() else coding.codes)
        coding = replace(coding, codes=np.where(enough, coding.codes, _lowest(codes, score)))
    for place in np.flatnonzero(rows < least_rows) if spec.words else ():
        shared = _word(spec, coding, coding.codes[place], rows)
        if shared != spec.words[place]:
            found.append(_unsupported(spec, spec.words[place], int(rows[place]), shared))
    missing = int(np.count_nonzero(~known))
    lowest = _lowest(codes, score)
    at_missing, at_lowest = score(np.array([np.nan, lowest]))
    thin = missing < THIN_SHARE * len(column) and at_missing > at_lowest
    if spec.optional and (missing < least_rows or thin):
        coding = replace(coding, missing=lowest)
        shared = _word(spec, coding, lowest, rows) if spec.words else _range(coding, lowest)
        found.append(_unsupported(spec, NOT_GIVEN, missing, shared))
    return coding, found


def _lowest(codes: Floats, score: Callable[[Floats], Floats]) -> float:
    return float(codes[np.argmin(score(codes))])


def _unsupported(spec: FieldSpec, value: str, rows: int, scored_as: str) -> Unsupported:
    return {"field": spec.name, "value": value, "rows": rows, "scored_as": scored_as}


def _word(spec: FieldSpec, coding: Coding, code: float, rows: Numbers) -> str:
    """The most frequent word with a code."""
    return spec.words[int(np.argmax(np.where(coding.codes == code, rows, -1)))]


def _range(coding: Coding, code: float) -> str:
    """The numbers with a code, for people."""
    inside = coding.values[coding.codes == code]
    low, high = inside[0] > coding.values[0], inside[-1] < coding.values[-1]
    if not (low or high):
        return "any"
    # Rounded, because a bin starts one float above the edge of the one before.
    first, last = (f"{value:,.10g}" for value in (inside[0], inside[-1]))
    if not low:
        return f"up to {last}"
    return f"over {first} up to {last}" if high else f"over {first}"
