"""Other ways to train on the same rows: fewer fields, other constraints, other numbers of iterations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from model.data.applications import Applications
    from model.fit.settings import TrainingSettings

    Floats = NDArray[np.float64]

# Fields that are left out together come from this many that each can be spared best.
SPARED = 3


@dataclass(frozen=True)
class Recipe:
    """One way to train.

    Attributes
    ----------
    name : str
        As people read it.
    settings : TrainingSettings
    left_out : tuple of str
        Fields that the model does not see.
    reweighed_by : str, optional
        The sensitive column by which rows are weighed while fitting; None if fitting reads no group.
    strength : float
        How much of the dependence between group and outcome the weights take away, 0 to 1.
    how : str
        How to train it, as people read it; empty if `train` cannot.
    """

    name: str
    settings: TrainingSettings
    left_out: tuple[str, ...] = ()
    reweighed_by: str | None = None
    strength: float = 0.0
    how: str = ""

    def rows(self, applications: Applications) -> Applications:
        """The applications without the fields that are left out."""
        kept = [place for place, spec in enumerate(applications.fields) if spec.name not in self.left_out]
        return replace(
            applications,
            fields=tuple(applications.fields[place] for place in kept),
            matrix=applications.matrix[:, kept],
        )

    def weights(self, training: Applications) -> Floats | None:
        """Each row's weight while fitting, shape (n,); None if all weigh the same.

        Reweighing: a row of group g with outcome y weighs P(g) P(y) / P(g, y), to the power of `strength`. With these
        weights, outcome and group are independent. F. Kamiran, T. Calders: Data preprocessing techniques for
        classification without discrimination. Knowledge and Information Systems 33 (2012), 1-33. Rows without a group
        weigh 1. The applications' own weights, if they have any, are multiplied by these.
        """
        if self.reweighed_by is None:
            return training.weights
        names, weights = training.groups[self.reweighed_by], np.ones(len(training.approved))
        known = names != ""
        for name in np.unique(names[known]):
            for outcome in (False, True):
                cell = (names == name) & (training.approved == outcome)
                if cell.any():
                    alike = np.mean(names[known] == name) * np.mean(training.approved[known] == outcome)
                    weights[cell] = (alike / np.mean(cell[known])) ** self.strength
        return weights if training.weights is None else weights * training.weights


def first_round(fields: Sequence[str], columns: Iterable[str], settings: TrainingSettings) -> list[Recipe]:
    """The recipes that each change one thing; the first changes nothing.

    Parameters
    ----------
    fields : sequence of str
        The contract's fields.
    columns : iterable of str
        The sensitive columns.
    settings : TrainingSettings
        Those of the chosen model, with its number of iterations.
    """
    found = [Recipe("as chosen", settings, how="train as before")]
    if len(fields) > 1:
        found += [_without((name,), settings) for name in fields]
    found += [
        _with(settings, f"{rounds} iterations", **_iterations(rounds))
        for rounds in (max(1, settings.max_iter // 4), max(1, settings.max_iter // 2), settings.max_iter * 2)
    ]
    found += [
        _with(settings, f"L2 regularization {penalty:g}", l2_regularization=penalty)
        for penalty in (max(settings.l2_regularization, 1.0) * times for times in (30, 1000))
    ]
    rows = settings.min_samples_leaf * 20
    found.append(_with(settings, f"at least {rows} rows a leaf", min_samples_leaf=rows))
    found += [
        _with(settings, f"{leaves} leaves a tree", max_leaf_nodes=leaves)
        for leaves in (2, settings.max_leaf_nodes * 2)
        if leaves != settings.max_leaf_nodes
    ]
    found += [
        Recipe(f"reweighed by {column}, strength {strength:g}", settings, (), column, strength)
        for column in columns
        for strength in (0.25, 0.5, 1.0)
    ]
    return found


def second_round(spared: Sequence[str], settings: TrainingSettings) -> list[Recipe]:
    """The recipes that leave out several fields, or one and use more trees or larger ones.

    Parameters
    ----------
    spared : sequence of str
        The fields, the one first that can best be spared. At least one stays.
    settings : TrainingSettings
    """
    together = [
        _without(names, settings)
        for count in (2, 3)
        if count < len(spared)
        for names in combinations(spared[:SPARED], count)
    ]
    finer = (
        _with(settings, f"{settings.max_iter * 2} iterations", **_iterations(settings.max_iter * 2)),
        _with(settings, f"{settings.max_leaf_nodes * 2} leaves a tree", max_leaf_nodes=settings.max_leaf_nodes * 2),
    )
    return together + [
        replace(
            recipe, name=f"without {name}, {recipe.name}", left_out=(name,), how=f"{_take_out((name,))}; {recipe.how}"
        )
        for name in spared[:SPARED]
        if len(spared) > 1
        for recipe in finer
    ]


def _without(names: tuple[str, ...], settings: TrainingSettings) -> Recipe:
    return Recipe(f"without {' and '.join(names)}", settings, names, how=_take_out(names))


def _take_out(names: tuple[str, ...]) -> str:
    return f"take {' and '.join(names)} out of the contract"


def _iterations(rounds: int) -> dict[str, int]:
    """The settings that fix the number of iterations."""
    return {"max_iter": rounds, "most_iterations": rounds}


def _with(settings: TrainingSettings, name: str, **changes: float) -> Recipe:
    options = (f"--{key.replace('_', '-')} {value:g}" for key, value in changes.items())
    return Recipe(name, replace(settings, **changes), how=f"train {' '.join(options)}")  # type: ignore[arg-type]  # mypy cannot match the values' types with the names
