"""What a measurement is, what it is held to, and how `results.json` keeps it.

`benchmarks.container_init` and `benchmarks.image_size` take part, where Docker runs, by a function
`figures(artifacts: Path) -> list[Figure]`.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TypedDict


class SpreadData(TypedDict):
    """A Spread in `results.json`."""

    median: float
    low: float
    high: float
    repeats: int


class FigureData(TypedDict):
    """A Figure in `results.json`, with whether its target is met."""

    what: str
    unit: str
    measured: SpreadData
    reach: float
    at_most: bool
    met: bool


class Machine(TypedDict):
    """What the measurements ran on."""

    python: str
    system: str
    processor: str
    processors: int | None


class ContenderData(TypedDict):
    """What one contender took under the emulator."""

    label: str
    cold_ms: SpreadData
    warm_ms: SpreadData
    peak_mb: SpreadData


class HandlerData(TypedDict):
    """Microseconds of one call of the handler."""

    p50: SpreadData
    p99: SpreadData


class BatchData(TypedDict):
    """Millions of rows a second; `compared` rows were checked to have the same probabilities."""

    rows: int
    compared: int
    tables: SpreadData
    pipeline: SpreadData


class Results(TypedDict):
    """The content of `results.json`; `handler_runs` are the percentiles of each process, by sample."""

    measured_at: str
    machine: Machine
    rounds: int
    warm_requests: int
    figures: list[FigureData]
    contenders: dict[str, ContenderData]
    handler_calls: int
    handler_runs: list[dict[str, dict[str, float]]]
    handler_us: dict[str, HandlerData]
    batch: BatchData


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

    def as_dict(self) -> SpreadData:
        """Plain data for `results.json`."""
        return {"median": self.median, "low": self.low, "high": self.high, "repeats": self.repeats}


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

    def as_dict(self) -> FigureData:
        """Plain data for `results.json`."""
        return {
            "what": self.what,
            "unit": self.unit,
            "measured": self.measured.as_dict(),
            "reach": self.reach,
            "at_most": self.at_most,
            "met": self.met,
        }


def ratios(numerators: list[float], denominators: list[float]) -> Spread:
    """The ratio of two things measured in turns: one ratio a turn, so that a machine's slow moments cancel out."""
    return Spread.of([above / below for above, below in zip(numerators, denominators, strict=True)])
