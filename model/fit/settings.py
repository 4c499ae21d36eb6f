"""The settings of a training run."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training run.

    Parameters
    ----------
    seed : int
        Seeds the split, the folds and the models.
    holdout : float
        The share of rows used to judge the model and never to train it.
    folds : int
        Number of folds for the out-of-fold probabilities on which the cut-off is chosen.
    gap_margin : float
        How far below the policy's limit the gap should stay while the cut-off is chosen: the gap on the hold-out will
        differ by sampling error.
    learning_rate, max_iter, max_leaf_nodes, min_samples_leaf, l2_regularization
        As in scikit-learn's HistGradientBoostingClassifier.
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

    def as_dict(self) -> dict[str, int | float]:
        """The settings as plain data, for the manifest."""
        return asdict(self)
