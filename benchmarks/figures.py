"""What a measurement is, and what it is held to.

`benchmarks.container_init` and `benchmarks.image_size` take part, where Docker runs, by a function
`figures(artifacts: Path) -> list[Figure]`.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Spread:
    """The middle of some repeats: `median`, the quartiles `low` and `high`, and how many `repeats` there were."""

    median: float
    low: float
    high: float
    repeats: int

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        """Summarise at least two values."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))


@dataclass(frozen=True)
class Figure:
    """One figure that the project holds itself to.

    Parameters
    ----------
    what : str
        As the table names it.
    unit : str
        Such as "times", "µs" or "MB"; written behind the number.
    measured : Spread
    reach : float
        The target.
    at_most : bool
        Whether the target is a ceiling; otherwise it is a floor.
    """

    what: str
    unit: str
    measured: Spread
    reach: float
    at_most: bool = True

    @property
    def met(self) -> bool:
        """Whether the median reaches the target."""
        return self.measured.median <= self.reach if self.at_most else self.measured.median >= self.reach

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `results.json`."""
        return {**asdict(self), "met": self.met}


def ratios(numerators: list[float], denominators: list[float]) -> Spread:
    """The ratio of two things measured by turns, one ratio a turn, so that a machine's slow moments cancel."""
    return Spread.of([above / below for above, below in zip(numerators, denominators, strict=True)])
