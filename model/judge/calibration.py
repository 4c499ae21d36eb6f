"""Whether the estimates can be taken at their word: of the applicants estimated at 0.8, are 80 % creditworthy?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from model.intervals import critical, estimate, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Calibration, CalibrationFit, Estimate

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

TENTHS = 10
# Estimates nearer to 0 or 1 than this count as this near: log-odds must stay finite.
NEAREST = 1e-6
# Newton's method takes 5 to 10 steps; a step is halved until it climbs.
MOST_STEPS = 100
MOST_HALVINGS = 50
# The last step of a fit that has arrived, in log-odds for one standard deviation of the score.
LAST_STEP = 1e-9


def tenths(probabilities: Floats, truth: Flags) -> list[Calibration]:
    """The mean estimate and the share labelled approve in each tenth of the applicants, by estimate.

    Equal estimates stay together, so there may be fewer than ten, of different sizes. The interval is Wilson's.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
    truth : ndarray of bool, shape (n,)
    """
    edges = np.percentile(probabilities, np.linspace(0, 100, TENTHS + 1)[1:-1])
    tenth = np.searchsorted(edges, probabilities)
    found: list[Calibration] = []
    for number in np.unique(tenth):
        rows = tenth == number
        count, approve = int(np.count_nonzero(rows)), int(np.count_nonzero(truth[rows]))
        found.append(
            {
                "predicted": float(probabilities[rows].mean()),
                "observed": approve / count,
                "rows": count,
                "interval": wilson(approve, count),
            }
        )
    return found


def calibration_fit(probabilities: Floats, truth: Flags) -> CalibrationFit | None:
    """The logistic regression of the outcome on the estimate's log-odds, which is Cox's test of calibration.

    D. R. Cox: Two further applications of a model for binary regression. Biometrika 45 (1958), 562-565. A slope below 1
    means that the estimates are too extreme, as after overfitting; above 1, too timid. The interval follows from the
    observed information.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
    truth : ndarray of bool, shape (n,)

    Returns
    -------
    CalibrationFit or None
        None if there is no finite slope: all estimates or all outcomes are the same, or an estimate separates the
        applicants by outcome.
    """
    score = logit(np.clip(probabilities, NEAREST, 1 - NEAREST))
    approve, deny = score[truth], score[~truth]
    if not (approve.size and deny.size and deny.min() < approve.max() and approve.min() < deny.max()):
        return None
    # Scaled, because scores that hardly differ would make the equations nearly singular.
    centre, scale = float(score.mean()), float(score.std())
    (intercept, slope), variance = _logistic((score - centre) / scale, truth)
    half = critical(1) * variance**0.5
    return {
        "slope": {"value": slope / scale, "low": (slope - half) / scale, "high": (slope + half) / scale},
        "intercept": intercept - slope / scale * centre,
    }


def brier_skill(probabilities: Floats, truth: Flags) -> Estimate | None:
    """1 - Brier score / that of the recorded share as everybody's estimate: 0 is worthless, 1 perfect.

    G. W. Brier: Verification of forecasts expressed in terms of probability. Monthly Weather Review 78 (1950), 1-3. The
    interval is paired, because both are judged on the same rows (the delta method for a ratio of means).

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
    truth : ndarray of bool, shape (n,)

    Returns
    -------
    Estimate or None
        None if all outcomes are the same.
    """
    if truth.all() or not truth.any():
        return None
    errors, of_share = (truth - probabilities) ** 2, (truth - truth.mean()) ** 2
    ratio = float(errors.mean() / of_share.mean())
    return estimate((ratio * of_share - errors) / of_share.mean(), 1 - ratio)


def _logistic(score: Floats, truth: Flags) -> tuple[tuple[float, float], float]:
    """The intercept and the slope of a logistic regression, by Newton's method, and the variance of the slope."""
    design = np.column_stack([np.ones(len(score)), score])
    found, likelihood = np.zeros(2), _likelihood(np.zeros(len(score)), truth)
    for _ in range(MOST_STEPS):
        fitted = expit(design @ found)
        information = (design * (fitted * (1 - fitted))[:, np.newaxis]).T @ design
        step = np.linalg.solve(information, design.T @ (truth - fitted))
        for _ in range(MOST_HALVINGS):
            climbed = _likelihood(design @ (found + step), truth)
            if climbed >= likelihood:
                break
            step /= 2
        found, likelihood = found + step, climbed
        if np.abs(step).max() < LAST_STEP:
            break
    return (float(found[0]), float(found[1])), float(np.linalg.inv(information)[1, 1])


def _likelihood(score: Floats, truth: Flags) -> float:
    """The logarithm of the likelihood of the outcomes."""
    return float(-np.logaddexp(0, np.where(truth, -score, score)).sum())
