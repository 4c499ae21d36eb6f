"""Compares the challenger with the champion: both have scored the same applications."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operations import sequential
from operations.monitor.page import percent, points

if TYPE_CHECKING:
    from operations.monitor.tally import Tallies

ALPHA = 0.05
# By how much the share approved may differ before it counts as another one.
MARGIN = 0.01


@dataclass(frozen=True)
class Comparison:
    """What a challenger would have decided.

    Attributes
    ----------
    champion, challenger : str
        Model versions.
    pairs : int
        Applications that both decided.
    gained, lost : int
        Denied by the champion alone, and by the challenger alone.
    approved : int
        By the champion.
    by_bin : dict of int to (int, int, int)
        For each bin of the champion's score: pairs, gained, lost.
    errors : dict of str to int
        Applications that the challenger could not decide, by the error's type.
    margin, alpha : float
    """

    champion: str
    challenger: str
    pairs: int
    gained: int
    lost: int
    approved: int
    by_bin: dict[int, tuple[int, int, int]]
    errors: dict[str, int]
    margin: float = MARGIN
    alpha: float = ALPHA

    @property
    def shift(self) -> float:
        """The challenger's share approved minus the champion's."""
        return (self.gained - self.lost) / self.pairs if self.pairs else 0.0

    @property
    def interval(self) -> sequential.Interval:
        """Of the shift, with confidence 1 - alpha at all looks together."""
        return sequential.paired_interval(self.gained, self.lost, self.pairs, self.alpha)

    @property
    def verdict(self) -> str:
        """One of "alike" (within the margin), "more", "fewer" (approvals, beyond it), "failing" and "wait"."""
        if sum(self.errors.values()) > self.pairs * self.margin and sum(self.errors.values()) > 1:
            return "failing"
        low, high = self.interval
        if low > self.margin:
            return "more"
        if high < -self.margin:
            return "fewer"
        return "alike" if -self.margin <= low and high <= self.margin else "wait"


def compare(tallies: Tallies, margin: float = MARGIN, alpha: float = ALPHA) -> list[Comparison]:
    """Compare every pair of champion and challenger that the log has, the busiest first."""
    found: dict[tuple[str, str], Counter[tuple[int, int, int]]] = {}
    errors: dict[tuple[str, str], Counter[str]] = {}
    for key, tally in tallies.items():
        for pair, number in tally.pairs.items():
            counts = found.setdefault((key.model_version, pair.challenger), Counter())
            counts[pair.score_bin, pair.prediction, pair.other] += number
        for (version, error), number in tally.challenger_errors.items():
            errors.setdefault((key.model_version, version), Counter())[error] += number
    both = [
        _compared(*versions, found.get(versions, Counter()), errors.get(versions, Counter()), margin, alpha)
        for versions in dict.fromkeys([*found, *errors])
    ]
    return sorted(both, key=lambda one: -one.pairs)


def _compared(
    champion: str,
    challenger: str,
    counts: Counter[tuple[int, int, int]],
    errors: Counter[str],
    margin: float,
    alpha: float,
) -> Comparison:
    by_bin: dict[int, tuple[int, int, int]] = {}
    for (score_bin, prediction, other), number in sorted(counts.items()):
        pairs, gained, lost = by_bin.get(score_bin, (0, 0, 0))
        by_bin[score_bin] = (
            pairs + number,
            gained + number * (other > prediction),
            lost + number * (other < prediction),
        )
    pairs, gained, lost = (sum(column) for column in zip(*by_bin.values(), strict=True)) if by_bin else (0, 0, 0)
    approved = sum(number for (_, prediction, _), number in counts.items() if prediction)
    return Comparison(
        champion, challenger, pairs, gained, lost, approved, by_bin, dict(errors.most_common()), margin, alpha
    )


def as_text(comparison: Comparison) -> str:
    """The comparison for people."""
    one, (low, high) = comparison, comparison.interval
    alike = 1 - (one.gained + one.lost) / max(1, one.pairs)
    lines = [
        f"Challenger {one.challenger} beside champion {one.champion}: {VERDICTS[one.verdict]}",
        f"  {one.pairs:,} applications decided by both; {percent(alike)} alike",
        f"  approved instead: {one.gained:,}; denied instead: {one.lost:,}",
        f"  share approved: {percent(one.approved / max(1, one.pairs))} by the champion; the challenger's is "
        f"{points(one.shift)} from that, and with {100 * (1 - one.alpha):g} % confidence at every look "
        f"from {points(low)} to {points(high)}",
    ]
    lines += [
        f"  score bin {score_bin:3}: {pairs:9,} applications, approved instead {gained:6,}, denied instead {lost:6,}"
        for score_bin, (pairs, gained, lost) in one.by_bin.items()
        if gained or lost
    ]
    lines += [f"  could not decide: {number:,} ({error})" for error, number in one.errors.items()]
    return "\n".join(lines) + "\n"


VERDICTS = {
    "alike": "approves as many as the champion, within the margin",
    "more": "approves more, beyond the margin",
    "fewer": "approves fewer, beyond the margin",
    "failing": "cannot decide too many applications",
    "wait": "too few decisions to tell",
}
