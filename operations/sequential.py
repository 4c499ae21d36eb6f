"""Tests on counts that hold however often one looks, and whenever one stops.

Each compares the probability of the counts under a mixture of all rates (Jeffreys' prior) with the greatest probability
that the null hypothesis could give them. Under the null, that ratio is an e-value at every moment: it exceeds 1/alpha,
ever, with a probability of at most alpha (Ville's inequality). It depends on the counts alone, so nothing needs to be
remembered between two looks.

Ramdas et al., Game-theoretic statistics and safe anytime-valid inference, 2023: https://doi.org/10.1214/23-STS894
"""

from __future__ import annotations

from math import inf, lgamma, log
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PRIOR = 0.5
STEPS = 60


class Arm(NamedTuple):
    """How often something happened among some trials."""

    hits: int
    trials: int

    @property
    def rate(self) -> float:
        """Hits per trial; 0 without trials."""
        return self.hits / self.trials if self.trials else 0.0


class Interval(NamedTuple):
    """An interval that holds at every look at once."""

    low: float
    high: float


def log_mixture(counts: Sequence[float], prior: Sequence[float] | float = PRIOR) -> float:
    """The log probability of a sequence with these counts, mixed over all rates by a Dirichlet prior.

    >>> round(log_mixture([1, 0]), 6) == round(log(1 / 2), 6)
    True
    """
    weights = [prior] * len(counts) if isinstance(prior, int | float) else prior
    total = sum(weights)
    each = sum(lgamma(weight + count) - lgamma(weight) for weight, count in zip(weights, counts, strict=True))
    return each + lgamma(total) - lgamma(total + sum(counts))


def log_evidence(first: Arm, second: Arm, low: float, high: float) -> float:
    """The log e-value against: the second rate minus the first lies from `low` to `high`.

    >>> log_evidence(Arm(50, 1000), Arm(50, 1000), 0, 0) < 0
    True
    >>> log_evidence(Arm(50, 1000), Arm(150, 1000), -0.01, 0.01) > log(20)
    True
    """
    mixture = sum(log_mixture((arm.hits, arm.trials - arm.hits)) for arm in (first, second))
    shift = second.rate - first.rate
    if not first.trials or not second.trials or low <= shift <= high:
        return min(0.0, mixture - _binomial(first, first.rate) - _binomial(second, second.rate))
    edge = low if shift < low else high

    def likelihood(rate: float) -> float:
        return _binomial(first, rate) + _binomial(second, rate + edge)

    return mixture - _greatest(likelihood, max(0.0, -edge), min(1.0, 1.0 - edge))


def log_paired_evidence(gained: int, lost: int, trials: int, low: float, high: float) -> float:
    """The log e-value against: of all pairs, the share gained minus the share lost lies from `low` to `high`.

    Parameters
    ----------
    gained, lost : int
        The pairs in which only the second, and only the first, said yes.
    trials : int
        All pairs.
    low, high : float

    >>> log_paired_evidence(30, 3, 1000, 0, 0) > log(20)
    True
    """
    same = trials - gained - lost
    mixture = log_mixture((gained, lost, same))
    shift = (gained - lost) / trials if trials else 0.0
    if low <= shift <= high:
        return min(0.0, mixture - _multinomial((gained, lost, same)))
    edge = low if shift < low else high

    def likelihood(loss: float) -> float:
        return _times(gained, loss + edge) + _times(lost, loss) + _times(same, 1.0 - edge - 2.0 * loss)

    return mixture - _greatest(likelihood, max(0.0, -edge), (1.0 - edge) / 2.0)


def interval(first: Arm, second: Arm, alpha: float) -> Interval:
    """The second rate minus the first, with confidence 1 - alpha at all looks together."""
    return _inverted(second.rate - first.rate, lambda shift: log_evidence(first, second, shift, shift), alpha)


def paired_interval(gained: int, lost: int, trials: int, alpha: float) -> Interval:
    """The share gained minus the share lost, with confidence 1 - alpha at all looks together."""
    centre = (gained - lost) / trials if trials else 0.0
    return _inverted(centre, lambda shift: log_paired_evidence(gained, lost, trials, shift, shift), alpha)


def _inverted(centre: float, evidence: Callable[[float], float], alpha: float) -> Interval:
    """The shifts that are not refuted: they form an interval around the observed one."""
    ends = []
    for end in (-1.0, 1.0):
        kept, refuted = centre, end
        for _ in range(STEPS):
            middle = (kept + refuted) / 2
            if evidence(middle) < -log(alpha):
                kept = middle
            else:
                refuted = middle
        ends.append(kept)
    return Interval(ends[0], ends[1])


def _greatest(likelihood: Callable[[float], float], low: float, high: float) -> float:
    """The greatest value of a concave function, by golden sections."""
    ratio = 0.6180339887498949
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = likelihood(left), likelihood(right)
    for _ in range(STEPS):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = likelihood(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = likelihood(left)
    return max(at_left, at_right, likelihood(low), likelihood(high))


def _binomial(arm: Arm, rate: float) -> float:
    return _times(arm.hits, rate) + _times(arm.trials - arm.hits, 1.0 - rate)


def _multinomial(counts: Sequence[int]) -> float:
    total = sum(counts)
    return sum(_times(count, count / total) for count in counts if count)


def _times(count: int, rate: float) -> float:
    """`count` times the log of a rate."""
    if not count:
        return 0.0
    return count * log(rate) if rate > 0 else -inf
