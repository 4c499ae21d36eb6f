"""Measurements, their targets, and their form in `results.json`.

Where Docker runs, `benchmarks.container_init` and `benchmarks.image_size` contribute theirs through a function
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
    """The machine that ran the measurements."""

    python: str
    system: str
    processor: str
    processors: int | None


class ContenderData(TypedDict):
    """The measurements of one contender under the emulator."""

    label: str
    cold_ms: SpreadData
    warm_ms: SpreadData
    peak_mb: SpreadData


class HandlerData(TypedDict):
    """Microseconds per call of the handler."""

    p50: SpreadData
    p99: SpreadData


class BatchData(TypedDict):
    """Millions of rows per second; on `compared` rows, both were checked to give the same probabilities."""

    rows: int
    compared: int
    tables: SpreadData
    pipeline: SpreadData


class Results(TypedDict):
    """The content of `results.json`; `handler_runs` holds the percentiles of each process, by sample."""

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
    """A summary of repeated measurements: `median`, the quartiles `low` and `high`, and the number of `repeats`."""

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
    """One figure with a target.

    Parameters
    ----------
    what : str
        Its name in the table.
    unit : str
        Such as "times", "µs" or "MB"; written after the number.
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
    """The ratio of two alternating measurements, taken per turn, so that a machine's slow moments cancel out."""
    return Spread.of([above / below for above, below in zip(numerators, denominators, strict=True)])
