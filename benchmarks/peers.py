"""`make peers`: the scorecard against an explainable boosting machine (EBM) without interactions, on the same folds.

An EBM is the usual choice for an additive model (interpret-core, https://interpret.ml). The scorecard is also fitted
with the default number of iterations and no search for another, which is what the search is worth.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from interpret.glassbox import ExplainableBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.search_path import ROOT
from model.contract.loading import load_contract
from model.data.applications import read
from model.fit.iterations import best_iterations
from model.fit.scorecard import fit_scorecard
from model.fit.settings import TrainingSettings
from model.intervals import critical
from model.judge.calibration import calibration_fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from model.data.applications import Applications

    Floats = NDArray[np.float64]
    # Fits on the first applications and gives the probabilities of the second ones.
    Peer = Callable[[Applications, Applications], Floats]

EXAMPLE = ROOT / "examples" / "credit_data"
FOLDS, REPEATS = 5, 3
SETTINGS = TrainingSettings()


@dataclass(frozen=True)
class Fold:
    """The figures of one model on the rows of one fold."""

    loss: float
    area: float
    slope: float


def scorecard(training: Applications, others: Applications) -> Floats:
    """The project's scorecard as `model train` fits it, on training rows only."""
    iterations = best_iterations(training, SETTINGS)
    return _scorecard(replace(SETTINGS, max_iter=iterations), training, others)


def default_iterations(training: Applications, others: Applications) -> Floats:
    """The scorecard without a search for the number of iterations."""
    return _scorecard(SETTINGS, training, others)


def explainable_boosting(training: Applications, others: Applications) -> Floats:
    """An EBM with its own settings, but without interactions."""
    kinds = ["nominal" if spec.words else "continuous" for spec in training.fields]
    model: Any = ExplainableBoostingClassifier(
        feature_types=kinds, interactions=0, n_jobs=1, random_state=SETTINGS.seed
    )
    with warnings.catch_warnings():
        # Its plots would not show missing values; nothing is plotted here.
        warnings.filterwarnings("ignore", "Missing values detected")
        model.fit(training.matrix, training.approved)
    found: Floats = model.predict_proba(others.matrix)[:, 1]
    return found


PEERS: dict[str, Peer] = {
    "scorecard": scorecard,
    f"scorecard, {SETTINGS.max_iter} iterations": default_iterations,
    "EBM": explainable_boosting,
}


def main() -> None:
    """Measure on the example's data, and print a table."""
    applications = read(EXAMPLE / "credit_data.csv", load_contract(f"{EXAMPLE / 'applicant.py'}:Applicant"))
    splits = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SETTINGS.seed)
    found: dict[str, list[Fold]] = {name: [] for name in PEERS}
    with threadpool_limits(limits=1):
        for training, others in tqdm(
            splits.split(applications.matrix, applications.approved),
            desc="folds",
            total=FOLDS * REPEATS,
            leave=False,
            disable=None,
        ):
            for name, peer in PEERS.items():
                judged = applications.take(others)
                found[name].append(_figures(peer(applications.take(training), judged), judged.approved))
    print(f"{len(applications.approved):,} applications, {FOLDS * REPEATS} folds ({FOLDS} folds, {REPEATS} times)")
    print(f"{'':<26} {'log loss':>8} {'ROC AUC':>8} {'slope':>6}   log loss less the scorecard's, 95 %")
    for name, folds in found.items():
        loss, area, slope = (np.mean([getattr(fold, what) for fold in folds]) for what in ("loss", "area", "slope"))
        behind = _difference(folds, found["scorecard"]) if name != "scorecard" else ""
        print(f"{name:<26} {loss:8.4f} {area:8.4f} {slope:6.3f}   {behind}".rstrip())


def _scorecard(settings: TrainingSettings, training: Applications, others: Applications) -> Floats:
    labels = training.approved.astype(np.int64)
    pipeline = fit_scorecard(training.fields, training.matrix, labels, settings).pipeline
    found: Floats = pipeline.predict_proba(others.matrix)[:, 1]
    return found


def _figures(probabilities: Floats, approved: NDArray[np.bool_]) -> Fold:
    fit = calibration_fit(probabilities, approved)
    slope = float("nan") if fit is None else fit["slope"]["value"]
    return Fold(log_loss(approved, probabilities), roc_auc_score(approved, probabilities), float(slope or "nan"))


def _difference(folds: list[Fold], others: list[Fold]) -> str:
    """The mean paired difference of the log loss, with an interval that allows for folds that share training rows.

    C. Nadeau and Y. Bengio: Inference for the generalization error. Machine Learning 52 (2003), 239-281.
    """
    differences = np.array([fold.loss - other.loss for fold, other in zip(folds, others, strict=True)])
    half = critical(1) * np.sqrt((1 / len(differences) + 1 / (FOLDS - 1)) * differences.var(ddof=1))
    return f"{differences.mean():+.4f} [{differences.mean() - half:+.4f}, {differences.mean() + half:+.4f}]"


if __name__ == "__main__":
    main()
