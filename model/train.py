"""Fits the scorecard and the two models that it is compared with, and chooses the cut-off.

Everything here is deterministic for a seed: one thread, because OpenMP's sums depend on the number of threads.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from model.contract import FieldSpec
from model.data import Applications
from model.evaluate import operating_curve

Floats = NDArray[np.float64]

# Two probabilities that differ by less are one to the cut-off: it must not fall between roundings of the same score.
RESOLUTION = 1e-6
CANDIDATES = 1000


class TrainingError(ValueError):
    """The data cannot train a model."""


@dataclass(frozen=True)
class Settings:
    """What shapes a training run.

    Parameters
    ----------
    seed : int
        Seeds the split, the folds and the models.
    holdout : float
        The share of rows that judge and never train.
    folds : int
        Folds of the out-of-fold probabilities on which the cut-off is chosen.
    gap_margin : float
        How far below the policy's limit the gap should stay while the cut-off is chosen, since the hold-out's gap will
        differ from it by sampling error.
    learning_rate, max_iter, max_leaf_nodes, min_samples_leaf, l2_regularization
        As scikit-learn's HistGradientBoostingClassifier takes them.
    """

    seed: int = 0
    holdout: float = 0.2
    folds: int = 5
    gap_margin: float = 0.01
    learning_rate: float = 0.1
    max_iter: int = 150
    max_leaf_nodes: int = 4
    min_samples_leaf: int = 50
    l2_regularization: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain data, for the manifest and the experiment's record."""
        return asdict(self)


@dataclass(frozen=True)
class Choice:
    """How the cut-off was chosen, on training rows and out of fold.

    Attributes
    ----------
    cutoff : float
        Approve from this probability on.
    candidates : int
        Cut-offs that were compared.
    limit : float
        The widest equal-opportunity gap allowed while choosing: the policy's limit less the margin.
    within : int
        Candidates whose gap is not wider than that.
    accuracy : float
        Of the chosen one.
    most_accurate : float
        The accuracy of the most accurate candidate, whatever its gap.
    """

    cutoff: float
    candidates: int
    limit: float
    within: int
    accuracy: float
    most_accurate: float

    @property
    def binding(self) -> bool:
        """Whether the limit on the gap cost accuracy; otherwise it did not shape the cut-off."""
        return self.accuracy < self.most_accurate

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as `metrics.json` holds it."""
        return {**asdict(self), "binding": self.binding}


@dataclass(frozen=True)
class Trained:
    """A training run's outcome.

    Attributes
    ----------
    scorecard : Pipeline
        The model that ships.
    others : dict of str to Pipeline
        What it is compared with: the tutorial's depth-3 "tree" and an unconstrained "boosted" model.
    threshold : float
        The cut-off: approve from this probability on.
    training, holdout : Applications
        The split.
    choice : Choice, optional
        How the cut-off was chosen; None for a pipeline that was trained before and is exported again.
    """

    scorecard: Pipeline
    others: dict[str, Pipeline]
    threshold: float
    training: Applications
    holdout: Applications
    choice: Choice | None = None


def train(applications: Applications, limits: dict[str, float], settings: Settings) -> Trained:
    """Split, fit the three models, and choose the scorecard's cut-off.

    Parameters
    ----------
    applications : Applications
        Checked and labelled.
    limits : dict
        The gate's; the cut-off is chosen to meet `maximum_equal_opportunity_gap`, where one does.

    Raises
    ------
    TrainingError
        The data cannot train a model (see `split` and `candidate_cutoffs`).
    """
    training, holdout = split(applications, settings)
    scorecard = scorecard_pipeline(applications.fields, settings)
    others = {
        "tree": Pipeline([("tree", DecisionTreeClassifier(max_depth=3, random_state=settings.seed))]),
        "boosted": Pipeline([("boosting", _boosting(applications.fields, settings, max_leaf_nodes=31))]),
    }
    labels = training.approved.astype(np.int64)
    with threadpool_limits(limits=1):
        for pipeline in tqdm((scorecard, *others.values()), desc="fit models", unit="model", leave=False, disable=None):
            pipeline.fit(training.matrix, labels)
        unseen = _out_of_fold(training, settings)
        seen = scorecard.predict_proba(training.matrix)[:, 1]
    choice = choose_cutoff(candidate_cutoffs(seen), unseen, training, limits, settings.gap_margin)
    return Trained(scorecard, others, choice.cutoff, training, holdout, choice)


def split(applications: Applications, settings: Settings) -> tuple[Applications, Applications]:
    """Part the applications into those that train and those that judge.

    Raises
    ------
    TrainingError
        Too few of one outcome to train and to judge, a sensitive column with fewer than two groups, or a field that is
        missing everywhere.
    """
    for spec, column in zip(applications.fields, applications.matrix.T, strict=True):
        if np.isnan(column).all():
            raise TrainingError(f"the field {spec.name} has no value in any row; leave it out of the contract")
    for column, names in applications.groups.items():
        if len(np.unique(names[names != ""])) < 2:
            raise TrainingError(f"the column {column} has fewer than two groups, so no model could be judged by it")
    denied, approved = np.bincount(applications.approved.astype(np.int64), minlength=2)
    if min(denied, approved) < settings.folds * 2:
        raise TrainingError(
            f"{approved} approvals and {denied} denials are too few: {settings.folds * 2} of each are needed"
        )
    training, holdout = train_test_split(
        np.arange(len(applications.approved)),
        test_size=settings.holdout,
        random_state=settings.seed,
        stratify=applications.approved,
    )
    return applications.take(np.sort(training)), applications.take(np.sort(holdout))


def scorecard_pipeline(fields: tuple[FieldSpec, ...], settings: Settings) -> Pipeline:
    """The additive monotone scorecard, not yet fitted.

    Without interactions each tree splits on one field only, so the sum of all trees is a sum of one function a field;
    being trees, each of these is a step function: a table of points.
    """
    return Pipeline(
        [
            (
                "scorecard",
                _boosting(
                    fields,
                    settings,
                    max_leaf_nodes=settings.max_leaf_nodes,
                    interaction_cst="no_interactions",
                    monotonic_cst=[spec.monotonic for spec in fields],
                ),
            )
        ]
    )


def candidate_cutoffs(probabilities: Floats) -> Floats:
    """At most 1000 cut-offs, each halfway between two probabilities that the model really gives.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (at most 1000,)
        Rounded to nine places, so that every platform writes the same one.

    Raises
    ------
    TrainingError
        All probabilities are the same.
    """
    distinct = np.unique(probabilities)
    apart = np.flatnonzero(np.diff(distinct) > RESOLUTION)
    if not len(apart):
        raise TrainingError("the model gives every applicant the same probability; there is nothing to cut off")
    chosen = apart[np.unique(np.linspace(0, len(apart) - 1, CANDIDATES).round().astype(np.int64))]
    cutoffs: Floats = np.round((distinct[chosen] + distinct[chosen + 1]) / 2, 9)
    return cutoffs


def choose_cutoff(
    cutoffs: Floats, unseen: Floats, training: Applications, limits: dict[str, float], margin: float
) -> Choice:
    """The most accurate cut-off that stays the margin below the policy's limit on the gap.

    Judged on probabilities of rows that their model had not seen. Where no cut-off does, the most accurate of those
    with the smallest gap: it is for the gate to deny the model, and for the report to show what there was to choose.
    """
    curve = operating_curve(unseen, training, cutoffs)
    limit = limits["maximum_equal_opportunity_gap"] - margin
    within = curve.gap <= limit
    eligible = within if within.any() else curve.gap == curve.gap.min()
    chosen = int(np.argmax(np.where(eligible, curve.accuracy, -1.0)))
    return Choice(
        cutoff=float(cutoffs[chosen]),
        candidates=len(cutoffs),
        limit=limit,
        within=int(np.count_nonzero(within)),
        accuracy=float(curve.accuracy[chosen]),
        most_accurate=float(curve.accuracy.max()),
    )


def _boosting(fields: tuple[FieldSpec, ...], settings: Settings, **constraints: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate,
        max_iter=settings.max_iter,
        min_samples_leaf=settings.min_samples_leaf,
        l2_regularization=settings.l2_regularization,
        categorical_features=[spec.kind == "choice" for spec in fields],
        early_stopping=False,
        random_state=settings.seed,
        **constraints,
    )


def _out_of_fold(training: Applications, settings: Settings) -> Floats:
    """Each row's probability from a scorecard that was fitted without it."""
    folds = StratifiedKFold(settings.folds, shuffle=True, random_state=settings.seed)
    labels = training.approved.astype(np.int64)
    probabilities = np.empty(len(labels))
    splits = folds.split(training.matrix, labels)
    for fit_rows, other_rows in tqdm(
        splits, desc="cross-validate", total=settings.folds, unit="fold", leave=False, disable=None
    ):
        pipeline = scorecard_pipeline(training.fields, settings).fit(training.matrix[fit_rows], labels[fit_rows])
        probabilities[other_rows] = pipeline.predict_proba(training.matrix[other_rows])[:, 1]
    return probabilities
