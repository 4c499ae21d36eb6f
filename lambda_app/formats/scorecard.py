"""Format `scorecard`: a table of points for each field and bin; the score is their sum.

The model is plain data, `ScorecardTables` below. An optional field's last entry holds the points of a missing value.
"""

from __future__ import annotations

from math import exp

from lambda_app.formats.scorer import Binning, unpickled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    from lambda_app.manifest import Application, FieldBins, Manifest, Reference

    class FieldPoints(FieldBins):
        """The bins of one field, and the points of each."""

        points: list[float]

    class ScorecardTables(TypedDict):
        """The whole model; scores are log-odds."""

        intercept: float
        fields: list[FieldPoints]


VERSION = 1


def open(content: bytes, manifest: Manifest) -> Scorecard:  # noqa: A001  # the name that every format has
    """Open the tables. A pickle that would import, call or build anything is refused.

    Raises
    ------
    UnsafeContent
        The content refers to a class, or is not a pickle of plain data.
    """
    tables: ScorecardTables = unpickled(content)
    return Scorecard(tables, manifest["reference"])


class Scorecard(Binning):
    """Scores an application with the tables of points.

    Parameters
    ----------
    tables : ScorecardTables
    reference : Reference
        The mean points, field by field, of applicants at or slightly above the cut-off.

    Attributes
    ----------
    tables : ScorecardTables
        As given, for code that shows them or scores whole columns.
    """

    __slots__ = ("_intercept", "_points", "_reference", "tables")

    def __init__(self, tables: ScorecardTables, reference: Reference) -> None:
        super().__init__(tables["fields"])
        self.tables = tables
        self._intercept = tables["intercept"]
        self._points = [field["points"] for field in tables["fields"]]
        self._reference = reference["points"]

    def score(self, bins: list[int]) -> float:
        """The log-odds of being creditworthy: intercept plus points."""
        score = self._intercept
        for points, number in zip(self._points, bins, strict=True):
            score += points[number]
        return score

    def probability(self, _values: Application, bins: list[int]) -> float:
        """The probability of being creditworthy: the logistic function of the score."""
        return 1.0 / (1.0 + exp(-self.score(bins)))

    def shortfalls(self, _values: Application, bins: list[int]) -> list[float]:
        """How far each field's points fall short of the reference; they add up to reference score minus score."""
        return [
            reference - points[number]
            for reference, points, number in zip(self._reference, self._points, bins, strict=True)
        ]
