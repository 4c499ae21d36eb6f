"""Format `scorecard`, version 1: a table of points for each field and bin; the score is their sum.

The model is plain data: `{"intercept": float, "fields": [field, …]}`, where a field has a bin's definition (see
`lambda_app.binning`) and `"points": [float, …]`, one a bin; an optional field's last points are a missing value's.
To change this layout: add the new version beside this one in `lambda_app.artifact._FORMATS`, write it in
`model/export.py`, and drop the old one a release later.
"""

from __future__ import annotations

from math import exp

from lambda_app.formats.scorer import Binning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Scorecard(Binning):
    """Scores an application by its tables.

    Parameters
    ----------
    model : dict
        As the module's docstring describes it; scores are log-odds.
    reference : dict
        `{"points": [float, …]}`: the mean points, field by field, of applicants at or slightly above the cut-off.

    Attributes
    ----------
    intercept : float
    fields : list of dict
        The model's, so that whoever wants its tables need not open the file again.
    """

    __slots__ = ("_points", "_reference", "intercept")

    def __init__(self, model: dict[str, Any], reference: dict[str, Any]) -> None:
        super().__init__(model["fields"])
        self.intercept: float = model["intercept"]
        self._points: list[list[float]] = [field["points"] for field in model["fields"]]
        self._reference: list[float] = reference["points"]

    def score(self, bins: list[int]) -> float:
        """The log-odds of being creditworthy: intercept plus points."""
        score = self.intercept
        for points, number in zip(self._points, bins, strict=True):
            score += points[number]
        return score

    def probability(self, _values: dict[str, Any], bins: list[int]) -> float:
        """The probability of being creditworthy: the logistic function of the score."""
        return 1.0 / (1.0 + exp(-self.score(bins)))

    def shortfalls(self, _values: dict[str, Any], bins: list[int]) -> list[float]:
        """How far each field's points fall short of the reference; they add up to reference score minus score."""
        return [
            reference - points[number]
            for reference, points, number in zip(self._reference, self._points, bins, strict=True)
        ]
