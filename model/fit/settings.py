"""The settings of a training run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


def _setting(default: float, least: float, most: float, about: str) -> Any:
    """A setting with its range, both ends included, and what its option says about it."""
    return field(default=default, metadata={"least": least, "most": most, "about": about})


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training run. Each but the seed is an option of `python -m model train`.

    Parameters
    ----------
    seed : int
        Seeds the split, the folds and the models.
    holdout : float
        The share of rows used to judge the model and never to train it.
    folds : int
        Number of folds, both for the out-of-fold probabilities on which the cut-off is chosen and for the search for
        the number of iterations.
    gap_margin : float
        How far below the policy's limit the gap should stay while the cut-off is chosen: the gap on the hold-out will
        differ by sampling error.
    learning_rate, max_iter, max_leaf_nodes, min_samples_leaf, l2_regularization
        As in scikit-learn's HistGradientBoostingClassifier. A bin of fewer than `min_samples_leaf` rows counts as
        unsupported (`model.fit.support`).
    most_iterations : int
        Another number of iterations than `max_iter`, up to this one, is used if it is measurably better
        (`model.fit.iterations`). Nothing is searched for if this is not larger than `max_iter`.
    base_score, base_odds, points_to_double
        How scores are shown to people: `base_score` at odds of `base_odds` to 1 for approval, and `points_to_double`
        more for each doubling of the odds. They decide nothing.
    """

    seed: int = 0
    holdout: float = _setting(0.2, 0.05, 0.5, "share of the rows that judge the model and never train it")
    folds: int = _setting(5, 2, 20, "folds of every cross-validation")
    gap_margin: float = _setting(0.01, 0, 1, "how far below the limit the gap stays while the cut-off is chosen")
    learning_rate: float = _setting(0.1, 0.001, 1, "share of each tree that is added")
    max_iter: int = _setting(150, 1, 5_000, "trees, unless another number is measurably better")
    most_iterations: int = _setting(600, 1, 5_000, "most trees to try; nothing is tried beyond --max-iter")
    max_leaf_nodes: int = _setting(4, 2, 255, "leaves of each tree")
    min_samples_leaf: int = _setting(50, 1, 1_000_000, "fewest rows of a leaf, and of a value that may have own points")
    l2_regularization: float = _setting(1.0, 0, 1_000_000, "L2 penalty of the leaves")
    base_score: float = _setting(600.0, 0, 1_000_000, "score shown at the base odds")
    base_odds: float = _setting(50.0, 0.001, 1_000_000, "odds of approval, to 1, that have the base score")
    points_to_double: float = _setting(20.0, 0.001, 1_000_000, "points shown for each doubling of the odds")

    def as_dict(self) -> dict[str, int | float]:
        """The settings as plain data, for the manifest."""
        return asdict(self)
