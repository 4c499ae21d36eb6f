"""The applicants that a denial is compared with: those at or slightly above the cut-off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from model.data.encoding import values_of
from model.errors import ExportError
from model.fit.estimates import estimates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Application
    from model.contract.fields import FieldSpec
    from model.fit.train import Candidate

    Floats = NDArray[np.float64]

# Decimal places of points (log-odds), and of the probabilities compared here. OpenMP, libm and processors differ in the
# last digits of a double; decisions must not. Rounding the points of four fields changes a probability by at most
# 5e-11, well under the parity limit of 1e-9.
PLACES = 10
# A denial is compared with the most narrowly approved 15 %. With a smaller share, the mean depends on the few scores
# that happen to be next to the cut-off, and reasons change their order from one training to the next
# (docs/decisions/0005-reference.md).
AT_CUTOFF_SHARE = 0.15
AT_CUTOFF_ROWS = 100


def at_cutoff(candidate: Candidate, share: float = AT_CUTOFF_SHARE) -> Floats:
    """The most narrowly approved training rows.

    They have the lowest scores at or above the cut-off: a share of the approved, but at least 100 rows. Rows with the
    same score are all included or all left out, so row order never changes a reason.

    Returns
    -------
    ndarray of float64, shape (n, fields)
    """
    matrix = candidate.training.matrix
    probabilities = np.round(estimates(candidate.pipeline, matrix), PLACES)
    approved = np.sort(probabilities[probabilities >= candidate.threshold])
    rows = min(max(AT_CUTOFF_ROWS, int(len(approved) * share)), len(approved))
    taken: Floats = matrix[(probabilities >= candidate.threshold) & (probabilities <= approved[rows - 1])]
    return taken


def typical_at_cutoff(candidate: Candidate) -> Application:
    """An invented applicant, typical of those at the cut-off, so that no real applicant's values are published.

    Raises
    ------
    ExportError
        The model denies every such applicant.
    """
    fields = candidate.training.fields
    share = AT_CUTOFF_SHARE
    while share < 2:  # a share of 1 or more includes everyone approved
        rows = at_cutoff(candidate, share)
        typical = np.array([_typical(column, spec) for column, spec in zip(rows.T, fields, strict=True)])
        if candidate.pipeline.predict_proba(typical[np.newaxis])[0, 1] >= candidate.threshold:
            return values_of(typical, fields)
        share *= 2
    raise ExportError("no typical applicant at the cut-off would be approved, so denials could not be explained")


def _typical(column: Floats, spec: FieldSpec) -> float:
    """The median of a number; the most frequent flag or word, which may be the missing one."""
    if spec.kind in ("float", "int"):
        if np.isnan(column).all():
            return float("nan")
        return float(np.nanmedian(column) if spec.kind == "float" else np.nanpercentile(column, 50, method="nearest"))
    values, counts = np.unique(column, return_counts=True)
    return float(values[np.argmax(counts)])
