"""Which bin a value falls into. The bins score a scorecard, and they are all that a log says of an applicant.

A number's field is `{"name", "edges": [float, …]}`: a value belongs to the first edge that is not below it, and the
last bin has no upper edge. A category's field is `{"name", "words": [str, …]}`, one bin a word. A missing value has the
bin after the last.
"""

from __future__ import annotations

from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Binning:
    """Turns validated values into bin numbers.

    Parameters
    ----------
    fields : list of dict
        As the module's docstring describes them, in the contract's order.

    Attributes
    ----------
    fields : list of dict
        As they were given.
    """

    __slots__ = ("_numbers", "fields")

    def __init__(self, fields: list[dict[str, Any]]) -> None:
        self.fields = fields
        # One entry a field, in order: (name, edges or None, word numbers, the bin of a missing value).
        self._numbers: list[tuple[str, list[float] | None, dict[str, int], int]] = []
        for field in fields:
            edges = field.get("edges")
            words = {word: number for number, word in enumerate(field.get("words", ()))}
            self._numbers.append((field["name"], edges, words, len(words) if edges is None else len(edges) + 1))

    def bins(self, values: dict[str, Any]) -> list[int]:
        """The bin number of each field, in the contract's order; `values` has None where a value is missing."""
        numbers = []
        for name, edges, words, missing in self._numbers:
            value = values[name]
            if value is None:
                numbers.append(missing)
            elif edges is not None:
                numbers.append(bisect_left(edges, value))
            else:
                numbers.append(words[value])
        return numbers
