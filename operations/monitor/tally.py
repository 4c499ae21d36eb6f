"""Counts of what the log says: of decisions by their bins, of refusals, failures, latencies, and of the challenger's.

Everything after the deploy is judged from these, whether a file or CloudWatch has counted them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Slice(NamedTuple):
    """One day of one version.

    Attributes
    ----------
    day : str
        In UTC, such as 2026-01-31.
    model_version, function_version : str
    """

    day: str
    model_version: str
    function_version: str


class Pair(NamedTuple):
    """What champion and challenger said of one application.

    Attributes
    ----------
    challenger : str
        Its model version.
    score_bin : int
        The champion's.
    prediction, other : int
        1 for an approval: the champion's, and the challenger's.
    """

    challenger: str
    score_bin: int
    prediction: int
    other: int


@dataclass
class Tally:
    """Counts. Releases' own checks are not among them.

    Attributes
    ----------
    decisions, approvals, refusals, failures : int
        Failures are invocations that the service answered with 500.
    fields : dict of int to Counter
        For each field's place, the decisions in each of its bins.
    score : Counter of int
        Decisions in each bin of the score.
    reasons : Counter of str
        Denials by their first reason.
    pairs : Counter of Pair
    challenger_errors : Counter of (str, str)
        By the challenger's version and the error's type.
    invocations, failed : int
        Invocations that wrote metrics, and those of them that failed.
    latency : Counter of int
        Invocations by the whole part of the base-2 logarithm of their milliseconds.
    """

    decisions: int = 0
    approvals: int = 0
    refusals: int = 0
    failures: int = 0
    fields: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    score: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    pairs: Counter[Pair] = field(default_factory=Counter)
    challenger_errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    invocations: int = 0
    failed: int = 0
    latency: Counter[int] = field(default_factory=Counter)

    @property
    def denials(self) -> int:
        """Decisions that are no approvals."""
        return self.decisions - self.approvals

    def add(self, other: Tally) -> None:
        """Add another's counts."""
        for place in fields(self):
            name = place.name
            mine, theirs = getattr(self, name), getattr(other, name)
            if name == "fields":
                for number, counts in theirs.items():
                    mine[number].update(counts)
            elif isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, name, mine + theirs)


class Tallies(dict[Slice, Tally]):
    """A tally for each day of each version."""

    def __missing__(self, key: Slice) -> Tally:
        self[key] = Tally()
        return self[key]

    def of(
        self,
        *,
        model_version: str | None = None,
        function_version: str | None = None,
        days: Iterable[str] | None = None,
    ) -> Tally:
        """The sum over all slices that fit what is given."""
        total, wanted = Tally(), None if days is None else set(days)
        for key, tally in self.items():
            if model_version not in (None, key.model_version) or function_version not in (None, key.function_version):
                continue
            if wanted is None or key.day in wanted:
                total.add(tally)
        return total

    def daily(self, model_version: str) -> Iterator[tuple[str, Tally]]:
        """Each day on which the model decided or refused, and its tally, in order."""
        for day in sorted({key.day for key in self if key.model_version == model_version}):
            yield day, self.of(model_version=model_version, days=[day])

    @property
    def models(self) -> dict[str, int]:
        """The decisions of each model version, the busiest first."""
        found: Counter[str] = Counter()
        for key, tally in self.items():
            found[key.model_version] += tally.decisions
        return dict(found.most_common())
