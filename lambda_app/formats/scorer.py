"""What formats share: the interface of an opened model, the bins of values, and how plain data is opened.

Bins are all that the log says about an applicant.

A number's bins are given by their upper `edges`, which belong to the bin; the last bin has no upper edge. A category
has one bin for each of its `words`. A missing value falls into one more bin, after the last.
"""

from __future__ import annotations

from bisect import bisect_left
from io import BytesIO

try:
    # The compiled half of pickle is enough here; pickle itself adds 1 ms to a cold start.
    from _pickle import Unpickler, UnpicklingError
except ImportError:  # this Python has no compiled half
    from pickle import Unpickler, UnpicklingError

from lambda_app.errors import UnsafeContent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn, Protocol

    from lambda_app.manifest import Application, FieldBins

    class Scorer(Protocol):
        """An opened model. `values` maps each field to its checked value, None where it is missing."""

        fields: Sequence[FieldBins]

        def bins(self, values: Application) -> list[int]:
            """The bin number of each field, in the contract's order."""

        def probability(self, values: Application, bins: list[int]) -> float:
            """The probability that the applicant is creditworthy."""

        def shortfalls(self, values: Application, bins: list[int]) -> list[float]:
            """How far each field falls short of the reference, in the contract's order."""


class Binning:
    """Turns checked values into bin numbers.

    Parameters
    ----------
    fields : sequence of FieldBins
        In the contract's order.

    Examples
    --------
    >>> Binning([{"name": "Income", "edges": [30_000.0, 60_000.0]}]).bins({"Income": 45_000})
    [1]
    """

    __slots__ = ("_numbers", "fields")

    def __init__(self, fields: Sequence[FieldBins]) -> None:
        self.fields = fields
        # One entry per field, in order: (name, edges or None, word numbers, the bin of a missing value).
        self._numbers: list[tuple[str, list[float] | None, dict[str, int], int]] = []
        for field in fields:
            edges = field.get("edges")
            words = {word: number for number, word in enumerate(field.get("words", ()))}
            self._numbers.append((field["name"], edges, words, len(words) if edges is None else len(edges) + 1))

    def bins(self, values: Application) -> list[int]:
        """The bin number of each field, in the contract's order."""
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


def unpickled(content: bytes) -> Any:
    """The dicts, lists, numbers, strings and bytes in a pickle. One that would import, call or build more is refused.

    Raises
    ------
    UnsafeContent
        The content refers to a class, or is not a pickle of plain data.
    """
    try:
        return _PlainUnpickler(BytesIO(content)).load()
    except Exception as err:
        raise UnsafeContent("refers to a class, or is not a pickle of plain data; none of it was run") from err


class _PlainUnpickler(Unpickler):
    """Opens plain data and nothing else."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise UnpicklingError(f"{module}.{name}")
