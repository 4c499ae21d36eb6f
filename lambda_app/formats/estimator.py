"""What formats share whose model is a function of numbers: the bins for the log, and the reasons by swapping.

The model's input has a column for each field, in the contract's order: numbers as they are, a word as its index among
the field's words, NaN for a missing value.
"""

from __future__ import annotations

from itertools import pairwise
from math import nan

from lambda_app.formats.scorer import Binning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_app.manifest import Application, Manifest


class Estimator(Binning):
    """Scores an application with a model that knows no bins.

    Parameters
    ----------
    probabilities : callable
        The model: takes rows of numbers, shape (n, fields), and gives each one's probability of being creditworthy, as
        an ndarray of shape (n,).
    manifest : Manifest
        Gives the words of each field, the bins, and the reference applicant's values. The bins affect no decision, and
        the model version does not cover them: only the edges of numbers are used, for the log.
    """

    __slots__ = ("_places", "_reference", "probabilities")

    def __init__(self, probabilities: Callable[[Any], Any], manifest: Manifest) -> None:
        fields = manifest["contract"]["fields"]
        super().__init__(
            [
                {"name": field["name"], "words": field["words"]}
                if field["words"]
                else {"name": field["name"], "edges": [float(edge) for edge in bins["edges"]]}
                for field, bins in zip(fields, manifest["bins"]["fields"], strict=True)
            ]
        )
        self.probabilities = probabilities
        self._places = [
            (field["name"], {word: float(place) for place, word in enumerate(field["words"])}) for field in fields
        ]
        self._reference = self._row(manifest["reference"]["values"])

    def probability(self, values: Application, _bins: list[int]) -> float:
        """The probability of being creditworthy, as the model estimates it."""
        return float(self.probabilities([self._row(values)])[0])

    def shortfalls(self, values: Application, _bins: list[int]) -> list[float]:
        """What each field adds as the applicant's values are replaced, one after another, by the reference's.

        They add up to the reference's probability minus the applicant's, even if fields interact.
        """
        row = self._row(values)
        steps = [row]
        for place, value in enumerate(self._reference):
            row = [*row[:place], value, *row[place + 1 :]]
            steps.append(row)
        return [after - before for before, after in pairwise(self.probabilities(steps).tolist())]

    def _row(self, values: Application) -> list[float]:
        row = []
        for name, places in self._places:
            value = values[name]
            row.append(nan if value is None else places[value] if places else float(value))
        return row
