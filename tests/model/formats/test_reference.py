"""A denial is compared with applicants at the cut-off: never a real one, and nearly the same in each training."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.applicant import Applicant
from model.data.applications import Applications, check_frame
from model.data.generator import generate
from model.fit.task import TrainingTask
from model.fit.train import train
from model.formats.export import export
from model.formats.reference import AT_CUTOFF_SHARE, PLACES, at_cutoff
from model.judge.limits import limits_of
from tests.trainings import FAST, loan_task

if TYPE_CHECKING:
    from lambda_app.manifest import Application
    from model.contract.fields import FieldSpec
    from model.fit.task import Limits
    from model.run import TrainingRun


def test_manifest_holds_no_applicant(mixed_sklearn: TrainingRun) -> None:
    reference = mixed_sklearn.manifest["reference"]["values"]
    rows = mixed_sklearn.candidate.training
    found = [
        row
        for row in rows.matrix
        if all(
            (value == wanted) or (value != value and wanted is None)
            for value, wanted in zip(row, encoded(reference, rows.fields), strict=True)
        )
    ]
    assert found == []


def encoded(values: Application, fields: tuple[FieldSpec, ...]) -> list[float | None]:
    """Values as in the matrix; None if missing."""
    return [
        field.words.index(values[field.name]) if field.words and values[field.name] is not None else values[field.name]
        for field in fields
    ]


def test_reference_consists_of_whole_scores_at_and_above_the_cutoff(mixed: TrainingRun) -> None:
    # Given the score of each training row, and the rows that a denial is compared with
    candidate = mixed.candidate
    scores = np.round(candidate.pipeline.predict_proba(candidate.training.matrix)[:, 1], PLACES)
    taken = np.round(candidate.pipeline.predict_proba(at_cutoff(candidate))[:, 1], PLACES)
    approved = scores[scores >= candidate.threshold]
    # Then none of them is denied, all rows with one of their scores are included, and they are about the lowest 15 %
    assert taken.min() == approved.min()
    assert len(taken) == np.count_nonzero(approved <= taken.max())
    assert len(taken) >= int(len(approved) * AT_CUTOFF_SHARE) > np.count_nonzero(approved < taken.max())
    assert mixed.manifest["reference"]["score"] >= math.log(candidate.threshold / (1 - candidate.threshold))


@pytest.mark.parametrize("form", ["scorecard", "sklearn"])
def test_least_share_of_a_reason_is_the_contracts_limit(form: str, mixed: TrainingRun) -> None:
    # Given a task, and the same task with another limit
    task = replace(loan_task(), format=form)
    limits: Limits = {**task.limits, "minimum_reason_share": 0.25}
    # When both are exported, then each reference has its limit, which is part of the model version
    usual, other = (export(each, mixed.candidate).opened.manifest for each in (task, replace(task, limits=limits)))
    assert usual["reference"] == {**other["reference"], "least_share": 0.02}
    assert other["reference"]["least_share"] == 0.25
    assert usual["model_version"] != other["model_version"]


def test_row_order_never_changes_the_reference(mixed: TrainingRun) -> None:
    candidate = mixed.candidate
    shuffled = np.random.default_rng(0).permutation(len(candidate.training.matrix))
    again = at_cutoff(replace(candidate, training=candidate.training.take(shuffled)))
    assert np.array_equal(np.sort(again, axis=0), np.sort(at_cutoff(candidate), axis=0), equal_nan=True)


def generated(seed: int) -> Applications:
    """60,000 generated applications."""
    return check_frame(generate(60_000, seed), Applicant, source="test", dated="2026-01-01")


def test_reference_agrees_between_seeds() -> None:
    # Given three trainings, each on its own applications, at one cut-off
    limits: Limits = {**limits_of(Applicant), "cutoff": {"by": "value", "cutoff": 0.5}}
    candidates = [
        train(TrainingTask(Applicant, generated(seed), limits, replace(FAST, seed=seed))) for seed in range(3)
    ]
    # When the applicants that a denial is compared with are averaged
    means = np.array([at_cutoff(candidate).mean(axis=0) for candidate in candidates])
    # Then incomes, and the shares that own a car or a home, are nearly the same, so reasons keep their order
    children, income, car, housing = np.ptp(means, axis=0)
    assert max(children, car, housing) < 0.2
    assert income < 2_000
