"""One row of the matrix as the application that a caller would send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from model.contract.fields import FieldSpec

    Floats = NDArray[np.float64]


def values_of(row: Floats, specs: tuple[FieldSpec, ...]) -> dict[str, Any]:
    """One row of the matrix as the application that a caller would send; None where a value is missing."""
    return {spec.name: _value(value, spec) for value, spec in zip(row.tolist(), specs, strict=True)}


def _value(value: float, spec: FieldSpec) -> float | int | str | None:
    if value != value:  # NaN
        return None
    if spec.kind == "choice":
        return spec.words[int(value)]
    return value if spec.kind == "float" else int(value)
