"""The boosting models, not fitted yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.ensemble import HistGradientBoostingClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.contract.fields import FieldSpec
    from model.fit.settings import TrainingSettings


def additive(fields: Sequence[FieldSpec], settings: TrainingSettings) -> HistGradientBoostingClassifier:
    """The additive, monotone model of the scorecard.

    Without interactions, each tree splits on one field only, so the model is a sum of one function per field. Each of
    these functions is a sum of trees, hence a step function: a table of points.
    """
    return boosting(
        fields,
        settings,
        max_leaf_nodes=settings.max_leaf_nodes,
        interaction_cst="no_interactions",
        monotonic_cst=[spec.monotonic for spec in fields],
    )


def boosting(
    fields: Sequence[FieldSpec], settings: TrainingSettings, **constraints: Any
) -> HistGradientBoostingClassifier:
    """A model on the contract's columns, or on their codes. Words that have an order count as numbers."""
    return HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate,
        max_iter=settings.max_iter,
        min_samples_leaf=settings.min_samples_leaf,
        l2_regularization=settings.l2_regularization,
        categorical_features=[spec.kind == "choice" and not spec.monotonic for spec in fields],
        early_stopping=False,
        random_state=settings.seed,
        **constraints,
    )
