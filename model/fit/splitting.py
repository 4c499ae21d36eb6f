"""Divides applications into those that train a model and the hold-out that judges it, and the former into folds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, StratifiedKFold, train_test_split

from model.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lambda_app.manifest import Divided
    from model.contract import Contract
    from model.data.applications import Applications
    from model.fit.settings import TrainingSettings

    Rows = NDArray[np.int64]


def split(applications: Applications, settings: TrainingSettings) -> tuple[Applications, Applications]:
    """Split the applications into training and hold-out rows, as the contract declares (`model.contract.Split`).

    Raises
    ------
    TrainingError
        There are too few rows of one outcome, on either side; a sensitive column has fewer than two groups; a field has
        no value in any training row.
    """
    for column, names in applications.groups.items():
        if len(np.unique(names[names != ""])) < 2:
            raise TrainingError(f"the column {column} has fewer than two groups, so it cannot be used to judge a model")
    _check_outcomes(applications, settings.folds * 2, "")
    judges = _holdout(applications, settings)
    training, holdout = applications.take(np.flatnonzero(~judges)), applications.take(np.flatnonzero(judges))
    _check_outcomes(training, settings.folds, " among the rows that train")
    _check_outcomes(holdout, 1, " in the hold-out")
    for spec, values in zip(training.fields, training.matrix.T, strict=True):
        if np.isnan(values).all():
            raise TrainingError(f"the field {spec.name} has no value in any training row; leave it out of the contract")
    return training, holdout


def folds(training: Applications, settings: TrainingSettings) -> Iterator[tuple[Rows, Rows]]:
    """The rows to fit on and the others, `settings.folds` times; what belongs together stays together.

    Raises
    ------
    TrainingError
        There are fewer groups than folds, or a fold's other rows have one outcome only.
    """
    labels, groups = training.approved.astype(np.int64), training.marks.get("group")
    if groups is None:
        yield from StratifiedKFold(settings.folds, shuffle=True, random_state=settings.seed).split(labels, labels)
        return
    if len(np.unique(groups)) < settings.folds:
        raise TrainingError(f"the split's groups are too few: at least {settings.folds} must train")
    grouped = GroupKFold(settings.folds, shuffle=True, random_state=settings.seed)
    for fit_rows, other_rows in grouped.split(labels, labels, groups):
        if len(np.unique(labels[fit_rows])) < 2:
            raise TrainingError("the split's groups are too few: without one of them, only one outcome is left")
        yield fit_rows, other_rows


def sample(training: Applications, rows: int, seed: int) -> Applications:
    """So many of the applications, drawn by the seed, with the same share of each outcome; all if there are no more."""
    if len(training.approved) <= rows:
        return training
    chosen, _ = train_test_split(
        np.arange(len(training.approved)), train_size=rows, random_state=seed, stratify=training.approved
    )
    return training.take(np.sort(chosen))


def described(contract: type[Contract], training: Applications, holdout: Applications) -> Divided:
    """How the applications were divided, for the manifest."""
    split, dates = contract.split, holdout.marks.get("date")
    ways = {"column": split.column, "date": split.date, "group": split.group, "equal rows": split.equal_rows}
    found: Divided = {
        "by": next((way for way, declared in ways.items() if declared), "seed"),
        "column": split.source,
        "training": len(training.approved),
        "holdout": len(holdout.approved),
    }
    if dates is not None:
        found["since"] = datetime.fromtimestamp(int(dates.min()) / 1e6, UTC).date().isoformat()
    return found


def _check_outcomes(applications: Applications, least: int, where: str) -> None:
    denied, approved = np.bincount(applications.approved.astype(np.int64), minlength=2)
    if min(denied, approved) < least:
        raise TrainingError(
            f"{approved} approvals and {denied} denials{where} are too few: at least {least} of each are needed"
        )


def _holdout(applications: Applications, settings: TrainingSettings) -> NDArray[np.bool_]:
    """Which rows are the hold-out; shape (n,)."""
    marks, rows = applications.marks, np.arange(len(applications.approved))
    if "side" in marks:
        return marks["side"]
    if "date" in marks:
        # The whole of the first date that reaches into the newest share.
        newest = max(1, round(settings.holdout * len(rows)))
        since = np.partition(marks["date"], len(rows) - newest)[len(rows) - newest]
        return np.asarray(marks["date"] >= since)
    if "group" in marks:
        if len(np.unique(marks["group"])) <= settings.folds:
            raise TrainingError(f"the split's groups are too few: more than {settings.folds} are needed")
        shuffled = GroupShuffleSplit(1, test_size=settings.holdout, random_state=settings.seed)
        [(_, chosen)] = shuffled.split(rows, groups=marks["group"])
    else:
        _, chosen = train_test_split(
            rows, test_size=settings.holdout, random_state=settings.seed, stratify=applications.approved
        )
    return np.isin(rows, chosen)
