"""The bins of whole columns, and the share of applicants in each bin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import FieldBins, ScoreBins
    from model.data.applications import Applications

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]

QUANTILES = 10
# Decimal places of shares and of edges between probabilities.
PLACES = 6


def bins_of(column: Floats, field: FieldBins) -> Numbers:
    """The bin numbers of one field's column; the same as from `lambda_app.formats.scorer.Binning`.

    Parameters
    ----------
    column : ndarray of float64, shape (n,)
        Numbers, or indices of words; NaN for a missing value.
    field : FieldBins

    Returns
    -------
    ndarray of intp, shape (n,)

    Examples
    --------
    >>> bins_of(np.array([29_000.0, 30_000.0, 45_000.0, np.nan]), {"name": "Income", "edges": [30_000.0]}).tolist()
    [0, 0, 1, 2]
    """
    missing = np.isnan(column)
    if "edges" in field:
        edges = np.array(field["edges"], dtype=np.float64)
        numbers = np.searchsorted(edges, column, side="left")
        numbers[missing] = len(edges) + 1
        return numbers
    return np.where(missing, len(field["words"]), column).astype(np.intp)


def shares(column: Floats, field: FieldBins) -> list[float]:
    """The share of rows in each bin; that of missing values comes last."""
    bins = len(field["words"]) if "words" in field else len(field["edges"]) + 1
    counts = np.bincount(bins_of(column, field), minlength=bins + 1)
    return [round(float(share), PLACES) for share in counts / len(column)]


def quantile_bins(applications: Applications) -> list[FieldBins]:
    """Bins for a model without any: tenths of a number's values, or one bin per word."""
    return [
        {"name": spec.name, "words": list(spec.words)}
        if spec.kind == "choice"
        else {"name": spec.name, "edges": _quantile_edges(column)}
        for spec, column in zip(applications.fields, applications.matrix.T, strict=True)
    ]


def score_bins(probabilities: Floats) -> ScoreBins:
    """The bins of the probability: tenths of the training rows."""
    edges = [round(edge, PLACES) for edge in _quantile_edges(probabilities)]
    counts = np.bincount(bins_of(probabilities, {"name": "score", "edges": edges}), minlength=len(edges) + 1)
    return {"edges": edges, "shares": [round(float(share), PLACES) for share in counts / len(probabilities)]}


def _quantile_edges(column: Floats) -> list[float]:
    known = column[~np.isnan(column)]
    edges = np.unique(np.quantile(known, np.arange(1, QUANTILES) / QUANTILES, method="nearest"))
    return [float(edge) for edge in edges if edge < known.max()]
