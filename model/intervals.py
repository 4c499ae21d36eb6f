"""95 % intervals: for shares, for their differences and ratios, for means, and for the area under the ROC curve.

Several pairs of groups are compared at once, so that the largest of their differences would leave an interval for one
pair more often than in 5 % of cases. `critical` widens the intervals (Bonferroni): with 95 % confidence, all of them
hold their true differences at the same time, and therefore the largest too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, rankdata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from lambda_app.manifest import Estimate, Interval

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

CONFIDENCE = 0.95


def critical(comparisons: int) -> float:
    """How many standard errors an interval reaches, if as many comparisons are to hold at once with 95 % confidence.

    >>> round(critical(1), 3), round(critical(4), 3)
    (1.96, 2.498)
    """
    return float(norm.isf((1 - CONFIDENCE) / 2 / max(1, comparisons)))


def pairs(groups: Iterable[int]) -> int:
    """How many pairs of groups there are, given the number of groups in each column.

    >>> pairs([2, 3])
    4
    """
    return sum(count * (count - 1) // 2 for count in groups)


def wilson(successes: int, total: int) -> Interval:
    """Wilson's interval for a share; all of [0, 1] if `total` is 0.

    >>> {end: round(value, 4) for end, value in wilson(8, 10).items()}
    {'low': 0.4902, 'high': 0.9433}
    """
    low, high = _wilson(successes, total, critical(1))
    return {"low": float(low), "high": float(high)}


def newcombe(
    one_successes: ArrayLike, one_total: ArrayLike, other_successes: ArrayLike, other_total: ArrayLike, z: float
) -> tuple[Floats, Floats]:
    """Newcombe's hybrid score interval for the difference of two shares, the one minus the other.

    Unlike a bootstrap, it covers at small counts, and where a share is 0 or 1. R. G. Newcombe: Interval estimation for
    the difference between independent proportions: comparison of eleven methods. Statistics in Medicine 17 (1998),
    873-890, method 10.

    Parameters
    ----------
    one_successes, one_total, other_successes, other_total : array_like of counts
        Arrays of any shapes that broadcast. Where a total is 0, that share may be anything.
    z : float
        From `critical`.

    Returns
    -------
    low, high : ndarray of float64
    """
    one, one_low, one_high = _share(one_successes, one_total, z)
    other, other_low, other_high = _share(other_successes, other_total, z)
    difference = one - other
    return (
        difference - np.hypot(one - one_low, other_high - other),
        difference + np.hypot(one_high - one, other - other_low),
    )


def donner_zou(
    one_successes: ArrayLike, one_total: ArrayLike, other_successes: ArrayLike, other_total: ArrayLike, z: float
) -> tuple[Floats, Floats]:
    """Donner and Zou's interval (MOVER-R) for the ratio of two shares, the one over the other.

    A. Donner, G. Y. Zou: Closed-form confidence intervals for functions of the normal mean and standard deviation.
    Statistical Methods in Medical Research 21 (2012), 347-359. It needs an interval for each share; here Wilson's.

    Parameters
    ----------
    one_successes, one_total, other_successes, other_total, z
        As in `newcombe`.

    Returns
    -------
    low, high : ndarray of float64
        `high` is infinite where the other share is 0.
    """
    one, one_low, one_high = _share(one_successes, one_total, z)
    other, other_low, other_high = _share(other_successes, other_total, z)
    product = one * other
    # Each end solves a quadratic equation. The lower root is written with the square root below the line, so that
    # nothing is divided by (nearly) 0 where the upper end of the other share is (nearly) twice that share.
    lower = one_low * (2 * one - one_low)
    upper = one_high * (2 * one - one_high)
    over_lower = other_high * (2 * other - other_high)
    over_upper = other_low * (2 * other - other_low)
    with np.errstate(divide="ignore", invalid="ignore"):
        low = lower / (product + np.sqrt(product**2 - lower * over_lower))
        high = (product + np.sqrt(product**2 - upper * over_upper)) / over_upper
    return np.where(one_low > 0, low, 0.0), np.where(other_low > 0, high, np.inf)


def largest_gap(successes: ArrayLike, totals: ArrayLike, z: float) -> tuple[Floats, Floats, Floats]:
    """The largest difference between the shares of any two groups.

    Parameters
    ----------
    successes : array_like of counts, shape (…, groups)
    totals : array_like of counts, shape (…, groups)
        All above 0; at least two groups. Leave a group without rows out.
    z : float
        From `critical`, for as many comparisons as there are pairs, in all columns that are judged together.

    Returns
    -------
    value, low, high : ndarray of float64, shape (…)
        `low` is 0 if the interval of every pair holds 0.
    """
    counts, sizes = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(totals, dtype=np.float64))
    one, other = np.triu_indices(counts.shape[-1], 1)
    low, high = newcombe(counts[..., one], sizes[..., one], counts[..., other], sizes[..., other], z)
    nearer = np.maximum(np.maximum(low, -high), 0.0)
    farther = np.maximum(-low, high)
    shares = counts / sizes
    return np.ptp(shares, axis=-1), nearer.max(axis=-1), farther.max(axis=-1)


def smallest_ratio(successes: ArrayLike, totals: ArrayLike, z: float) -> tuple[Floats, Floats, Floats]:
    """The smallest ratio between the shares of any two groups, at most 1; see `largest_gap`.

    Returns
    -------
    value, low, high : ndarray of float64, shape (…)
        `value` is NaN if all shares are 0.
    """
    counts, sizes = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(totals, dtype=np.float64))
    one, other = np.nonzero(~np.eye(counts.shape[-1], dtype=np.bool_))
    low, high = donner_zou(counts[..., one], sizes[..., one], counts[..., other], sizes[..., other], z)
    shares = counts / sizes
    with np.errstate(invalid="ignore"):
        value = shares.min(axis=-1) / shares.max(axis=-1)
    return value, np.minimum(low.min(axis=-1), 1.0), np.minimum(high.min(axis=-1), 1.0)


def estimate(influences: Floats, value: float) -> Estimate:
    """A figure with its normal interval.

    Parameters
    ----------
    influences : ndarray of float64, shape (n,)
        What each row contributes to the figure. For a mean, the values themselves; for a function of means, its
        derivatives times the values (the delta method). A constant may be added to all.
    value : float
        The figure.

    Examples
    --------
    >>> estimate(np.zeros(10), 0.0)
    {'value': 0.0, 'low': 0.0, 'high': 0.0}
    """
    half = critical(1) * float(np.std(influences)) / len(influences) ** 0.5
    return {"value": value, "low": value - half, "high": value + half}


def hanley_mcneil(area: float, approve: int, deny: int) -> Interval:
    """Hanley and McNeil's interval for the area under the ROC curve, cut off at 0 and 1.

    J. A. Hanley, B. J. McNeil: The meaning and use of the area under a receiver operating characteristic (ROC) curve.
    Radiology 143 (1982), 29-36, formula 2.

    Parameters
    ----------
    area : float
    approve, deny : int
        How many applicants have each outcome.
    """
    both_above = area / (2 - area)
    both_below = 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (approve - 1) * (both_above - area**2) + (deny - 1) * (both_below - area**2)
    half = critical(1) * float((variance / (approve * deny)) ** 0.5)
    return {"low": max(0.0, area - half), "high": min(1.0, area + half)}


def delong(one: Floats, other: Floats, truth: Flags) -> Estimate | None:
    """The difference of the areas under two ROC curves on the same rows, with DeLong's interval.

    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson: Comparing the areas under two or more correlated receiver
    operating characteristic curves: a nonparametric approach. Biometrics 44 (1988), 837-845. Computed from ranks, as in
    X. Sun, W. Xu: Fast implementation of DeLong's algorithm. IEEE Signal Processing Letters 21 (2014), 1389-1393.

    Parameters
    ----------
    one, other : ndarray of float64, shape (n,)
        The estimates of two models.
    truth : ndarray of bool, shape (n,)

    Returns
    -------
    Estimate or None
        The one minus the other; None if all outcomes are the same.
    """
    if truth.all() or not truth.any():
        return None
    approve, deny = (mine - theirs for mine, theirs in zip(_placed(one, truth), _placed(other, truth), strict=True))
    value, variance = float(approve.mean()), float(approve.var() / len(approve) + deny.var() / len(deny))
    half = critical(1) * variance**0.5
    return {"value": value, "low": value - half, "high": value + half}


def _placed(estimates: Floats, truth: Flags) -> tuple[Floats, Floats]:
    """For each creditworthy row, the share of the others ranked below it; for each other, of the creditworthy above it.

    Of equal estimates, half count as below. The mean of either is the area under the ROC curve.
    """
    approve, deny = estimates[truth], estimates[~truth]
    ranks = rankdata(np.concatenate([approve, deny]))
    below = (ranks[: len(approve)] - rankdata(approve)) / len(deny)
    above = 1 - (ranks[len(approve) :] - rankdata(deny)) / len(approve)
    return below, above


def _share(successes: ArrayLike, total: ArrayLike, z: float) -> tuple[Floats, Floats, Floats]:
    """Shares with the ends of their intervals; without rows, 0.5 within [0, 1]."""
    counts, sizes = np.asarray(successes, dtype=np.float64), np.asarray(total, dtype=np.float64)
    share = np.where(sizes > 0, counts / np.maximum(sizes, 1.0), 0.5)
    return share, *_wilson(counts, sizes, z)


def _wilson(successes: ArrayLike, total: ArrayLike, z: float) -> tuple[Floats, Floats]:
    """The ends of Wilson's interval; exactly 0 or 1 where the share is, so that rounding leaves no trace."""
    counts, sizes = np.asarray(successes, dtype=np.float64), np.asarray(total, dtype=np.float64)
    share = counts / np.maximum(sizes, 1.0)
    centre = counts + z**2 / 2
    half = z * np.sqrt(counts * (1 - share) + z**2 / 4)
    low, high = (centre - half) / (sizes + z**2), (centre + half) / (sizes + z**2)
    return np.where(counts == 0, 0.0, low), np.where(counts == sizes, 1.0, high)
