"""`python -m benchmarks.quality` (or `make quality`): the scorecard against other models, on the same folds.

Prints a table for each of two public data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.lending_club import lending_club
from benchmarks.peers import PEERS, SETTINGS
from benchmarks.search_path import ROOT
from model.contract.loading import load_contract
from model.data.applications import read
from model.intervals import critical
from model.judge.calibration import calibration_fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.data.applications import Applications

    Floats = NDArray[np.float64]

EXAMPLE = ROOT / "examples" / "credit_data"
FOLDS, REPEATS = 5, 3
OURS = "scorecard"


@dataclass(frozen=True)
class Fold:
    """The figures of one model on the rows of one fold; `entries` is the model's size."""

    loss: float
    area: float
    slope: float
    entries: int


def main() -> None:
    """Measure, and print."""
    example = read(EXAMPLE / "credit_data.csv", load_contract(f"{EXAMPLE / 'applicant.py'}:Applicant"))
    for name, applications in (("examples/credit_data", example), ("Lending Club", lending_club())):
        print(_table(name, applications, measured(applications)))


def measured(applications: Applications) -> dict[str, list[Fold]]:
    """Each model's figures, fold by fold; all models see the same folds."""
    splits = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SETTINGS.seed)
    rows = splits.split(applications.matrix, applications.approved)
    tries = (delayed(_fold)(applications, training, others) for training, others in rows)
    done = Parallel(n_jobs=-1, return_as="generator")(tries)
    folds = list(tqdm(done, total=FOLDS * REPEATS, unit="fold", desc="compare", leave=False, disable=None))
    return {name: [fold[name] for fold in folds] for name in PEERS}


def _fold(applications: Applications, training: NDArray[np.int64], others: NDArray[np.int64]) -> dict[str, Fold]:
    judged = applications.take(others)
    with threadpool_limits(limits=1):
        return {
            name: _figures(*peer(applications.take(training), judged), judged.approved) for name, peer in PEERS.items()
        }


def _figures(probabilities: Floats, entries: int, approved: NDArray[np.bool_]) -> Fold:
    fit = calibration_fit(probabilities, approved)
    slope = float("nan") if fit is None else fit["slope"]["value"]
    return Fold(
        log_loss(approved, probabilities), roc_auc_score(approved, probabilities), float(slope or "nan"), entries
    )


def _table(name: str, applications: Applications, found: dict[str, list[Fold]]) -> str:
    lines = [
        f"{name}: {len(applications.approved):,} applications, {np.mean(~applications.approved):.1%} denied, "
        f"{FOLDS} folds, {REPEATS} times",
        "",
        "| | log loss | less the scorecard's, 95 % | ROC AUC | less the scorecard's, 95 % | slope | entries |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for peer, folds in found.items():
        loss, area, slope, entries = (
            float(np.mean([getattr(fold, what) for fold in folds])) for what in ("loss", "area", "slope", "entries")
        )
        behind, ahead = "", ""
        if peer != OURS:
            behind, ahead = (_difference(folds, found[OURS], what) for what in ("loss", "area"))
        lines.append(f"| {peer} | {loss:.4f} | {behind} | {area:.4f} | {ahead} | {slope:.2f} | {entries:,.0f} |")
    return "\n".join([*lines, ""])


def _difference(folds: list[Fold], others: list[Fold], what: str) -> str:
    """The mean paired difference of a figure, with an interval that allows for folds that share training rows.

    C. Nadeau and Y. Bengio: Inference for the generalization error. Machine Learning 52 (2003), 239-281.
    """
    differences = np.array(
        [getattr(fold, what) - getattr(other, what) for fold, other in zip(folds, others, strict=True)]
    )
    half = critical(1) * np.sqrt((1 / len(differences) + 1 / (FOLDS - 1)) * differences.var(ddof=1))
    return f"{differences.mean():+.4f} [{differences.mean() - half:+.4f}, {differences.mean() + half:+.4f}]"


if __name__ == "__main__":
    main()
