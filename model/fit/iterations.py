"""Finds out by cross-validation how many iterations the boosting should have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from model.fit.boosting import additive
from model.fit.splitting import folds, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.data.applications import Applications
    from model.fit.settings import TrainingSettings

    Floats = NDArray[np.float64]

# More rows than this tell a better number of iterations hardly more reliably, but take longer.
ROWS = 50_000
# Every tenth number of iterations is tried.
STEP = 10


def best_iterations(training: Applications, settings: TrainingSettings) -> int:
    """The number of iterations to use, `settings.max_iter` unless another one is measurably better.

    Each sampled row gets its log loss after every tenth iteration from a model that was fitted without it. The setting
    stays unless the best number beats it by more than one standard error of the rows' paired differences. If it does,
    the smallest number within one such standard error of the best one is used.

    Parameters
    ----------
    training : Applications
        Labelled rows. Of more than 50,000, a sample is taken by the seed.
    settings : TrainingSettings
    """
    if settings.most_iterations <= settings.max_iter:
        return settings.max_iter
    numbers = np.union1d(np.arange(STEP, settings.most_iterations, STEP), [settings.max_iter, settings.most_iterations])
    losses = _losses(sample(training, ROWS, settings.seed), settings, numbers)
    best = int(np.argmin(losses.mean(axis=0)))
    behind = losses - losses[:, [best]]
    close = behind.mean(axis=0) <= behind.std(axis=0, ddof=1) / np.sqrt(len(behind))
    if close[np.searchsorted(numbers, settings.max_iter)]:
        return settings.max_iter
    return int(numbers[np.argmax(close)])


def _losses(rows: Applications, settings: TrainingSettings, numbers: NDArray[np.int64]) -> Floats:
    """Each row's log loss, times its weight, after each number of iterations; shape (rows, numbers)."""
    model = additive(rows.fields, replace(settings, max_iter=settings.most_iterations))
    labels, weights = rows.approved.astype(np.int64), rows.weights
    losses = np.empty((len(labels), len(numbers)))
    for fit_rows, other_rows in tqdm(
        folds(rows, settings),
        desc="find the number of iterations",
        total=settings.folds,
        unit="fold",
        leave=False,
        disable=None,
    ):
        model.fit(rows.matrix[fit_rows], labels[fit_rows], None if weights is None else weights[fit_rows])
        # The log-odds against the recorded outcome.
        sign = np.where(rows.approved[other_rows], -1.0, 1.0)
        stages = model.staged_decision_function(rows.matrix[other_rows])
        for iteration, scores in enumerate(stages, start=1):
            place = np.searchsorted(numbers, iteration)
            if numbers[place] == iteration:
                losses[other_rows, place] = np.logaddexp(0, sign * scores.ravel())
    return losses if weights is None else losses * (weights / weights.mean())[:, None]
