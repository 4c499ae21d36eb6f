"""95 % intervals for shares and for the area under the ROC curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.stats import binomtest, norm

if TYPE_CHECKING:
    from lambda_app.manifest import Interval

CONFIDENCE = 0.95


def wilson(successes: int, total: int) -> Interval:
    """Wilson's interval for a share; all of [0, 1] if `total` is 0.

    >>> {end: round(value, 4) for end, value in wilson(8, 10).items()}
    {'low': 0.4902, 'high': 0.9433}
    """
    if total == 0:
        return {"low": 0.0, "high": 1.0}
    interval = binomtest(successes, total).proportion_ci(CONFIDENCE, method="wilson")
    return {"low": float(interval.low), "high": float(interval.high)}


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
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * float((variance / (approve * deny)) ** 0.5)
    return {"low": max(0.0, area - half), "high": min(1.0, area + half)}
