"""Turns a row of the matrix back into the application that a caller would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lambda_app.manifest import Application
    from model.contract.fields import FieldSpec


def values_of(row: NDArray[np.float64], fields: tuple[FieldSpec, ...]) -> Application:
    """One row of the matrix as an application; None where a value is missing.

    Parameters
    ----------
    row : ndarray of float64, shape (fields,)
        As in `Applications.matrix`. A fractional number is kept even in a whole-number field, because parity also
        tests the floats next to an edge.
    fields : tuple of FieldSpec
    """
    return {spec.name: _value(value, spec) for value, spec in zip(row.tolist(), fields, strict=True)}


def _value(value: float, spec: FieldSpec) -> float | int | str | None:
    if value != value:  # NaN
        return None
    if spec.kind == "choice":
        return spec.words[int(value)]
    return int(value) if spec.kind != "float" and value.is_integer() else value
