"""Fits the scorecard and the two models it is compared with, and chooses the cut-off.

The same seed gives the same models. That requires a single thread: OpenMP's sums depend on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from model.data.applications import Applications
from model.fit.boosting import boosting
from model.fit.cutoff import Choice, candidate_cutoffs, choose_cutoff
from model.fit.estimates import estimates
from model.fit.iterations import best_iterations
from model.fit.scorecard import fit_scorecard
from model.fit.settings import TrainingSettings
from model.fit.splitting import folds, sample, split
from model.fit.task import TrainingTask

if TYPE_CHECKING:
    from lambda_app.manifest import Unsupported

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# More rows than this choose hardly a better cut-off, but take longer.
JUDGING = 500_000


@dataclass(frozen=True)
class Candidate:
    """A fitted model that may be written as an artifact and judged.

    Attributes
    ----------
    pipeline : Pipeline
        The model that ships. It takes rows of `Applications.matrix`.
    threshold : float
        The cut-off: applicants at or above this probability are approved.
    training, holdout : Applications
        The rows that trained it, and the rows that judge it.
    rivals : dict of str to Pipeline
        The models it is compared with; empty if an existing pipeline is exported again.
    choice : Choice, optional
        How the cut-off was chosen; None if an existing pipeline is exported again.
    unsupported : tuple of Unsupported
        The values that training cannot support, and the values whose points they get.
    settings : TrainingSettings, optional
        The task's settings with the number of iterations that was used, as `max_iter` and as `most_iterations`; None if
        an existing pipeline is exported again.
    """

    pipeline: Pipeline
    threshold: float
    training: Applications
    holdout: Applications
    rivals: dict[str, Pipeline] = field(default_factory=dict)
    choice: Choice | None = None
    unsupported: tuple[Unsupported, ...] = ()
    settings: TrainingSettings | None = None


def train(task: TrainingTask) -> Candidate:
    """Split the applications, fit the three models, and choose the scorecard's cut-off.

    The rivals are the tutorial's depth-3 "tree" and "boosted", a model without constraints.

    Raises
    ------
    TrainingError
        The data cannot train a model (see `split` and `candidate_cutoffs`).
    """
    fields, settings = task.applications.fields, task.settings
    training, holdout = split(task.applications, settings)
    rivals = {
        "tree": Pipeline([("tree", DecisionTreeClassifier(max_depth=3, random_state=settings.seed))]),
        "boosted": Pipeline([("boosting", boosting(fields, settings, max_leaf_nodes=31))]),
    }
    labels, weights = training.approved.astype(np.int64), training.weights
    with threadpool_limits(limits=1):
        for pipeline in tqdm(rivals.values(), desc="fit rivals", unit="model", leave=False, disable=None):
            pipeline.fit(training.matrix, labels, **{f"{pipeline.steps[-1][0]}__sample_weight": weights})
        iterations = best_iterations(training, settings)
        # With these settings, another training of the same data need not search again.
        settings = replace(settings, max_iter=iterations, most_iterations=iterations)
        fitted = fit_scorecard(fields, training.matrix, labels, settings, weights)
        seen = estimates(fitted.pipeline, training.matrix)
    judging = sample(training, JUDGING, settings.seed)
    unseen = out_of_fold(judging, settings, judging.weights, threads=cpu_count())
    choice = choose_cutoff(
        candidate_cutoffs(seen), unseen, judging, task.limits, settings.gap_margin, len(holdout.approved)
    )
    return Candidate(
        fitted.pipeline, choice.cutoff, training, holdout, rivals, choice, fitted.unsupported, settings=settings
    )


def out_of_fold(
    training: Applications, settings: TrainingSettings, weights: Floats | None = None, threads: int = 1
) -> Floats:
    """Each row's probability from a scorecard that was fitted without it.

    Parameters
    ----------
    training : Applications
    settings : TrainingSettings
    weights : ndarray of float64, shape (n,), optional
        How much each row counts in the fits.
    threads : int
        Folds fitted at a time; each needs a copy of its rows.
    """
    labels = training.approved.astype(np.int64)

    def fold(fit_rows: Rows, other_rows: Rows) -> tuple[Rows, Floats]:
        given = None if weights is None else weights[fit_rows]
        with threadpool_limits(limits=1):
            fitted = fit_scorecard(training.fields, training.matrix[fit_rows], labels[fit_rows], settings, given)
        return other_rows, estimates(fitted.pipeline, training.matrix[other_rows])

    done = Parallel(n_jobs=threads, prefer="threads", return_as="generator")(
        delayed(fold)(*rows) for rows in folds(training, settings)
    )
    probabilities = np.empty(len(labels))
    for other_rows, found in tqdm(
        done, desc="cross-validate", total=settings.folds, unit="fold", leave=False, disable=None
    ):
        probabilities[other_rows] = found
    return probabilities
