"""Information value and stability index: known by hand, finite where a cell is empty, and 0 where nothing differs."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, log
from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.judge.parity import decide_all
from model.judge.strength import divergence, strength

if TYPE_CHECKING:
    from lambda_app.manifest import Strength
    from model.data.applications import Applications
    from model.run import TrainingRun


def test_is_the_divergence_that_a_hand_finds() -> None:
    # Given ten rows of each set in two bins, with half a row added to each cell
    p, q = (2.5 / 11, 8.5 / 11), (7.5 / 11, 3.5 / 11)
    # When it is computed, then it is the sum over both bins, whichever set comes first
    expected = (p[0] - q[0]) * log(p[0] / q[0]) + (p[1] - q[1]) * log(p[1] / q[1])
    assert divergence(np.array([2, 8]), np.array([7, 3])) == pytest.approx(expected)
    assert divergence(np.array([7, 3]), np.array([2, 8])) == pytest.approx(expected)


@pytest.mark.parametrize("rows", [[5, 10, 85], [1], [0, 7]])
def test_equal_sets_do_not_diverge(rows: list[int]) -> None:
    assert divergence(np.array(rows), np.array(rows)) == 0


def test_empty_cells_are_finite_and_empty_bins_do_not_count() -> None:
    # Given a bin that only one set has, and the same with two bins that neither has
    one, other = np.array([10, 90]), np.array([0, 100])
    wider = [np.append(rows, [0, 0]) for rows in (one, other)]
    # When they are computed
    found = divergence(one, other)
    # Then the figure is finite and large, and does not depend on bins without rows
    assert isfinite(found)
    assert found > 0.25
    assert divergence(*wider) == found


def judged(run: TrainingRun, holdout: Applications) -> Strength:
    """The strength of a model's fields, with another hold-out."""
    opened = run.assessment.artifact
    probabilities = decide_all(opened, holdout).probabilities
    return strength(opened.manifest, replace(run.candidate, holdout=holdout), probabilities)


@pytest.mark.parametrize("fixture", ["small", "mixed", "mixed_sklearn"])
def test_is_in_the_manifest_for_every_field(fixture: str, request: pytest.FixtureRequest) -> None:
    # Given a trained model
    run: TrainingRun = request.getfixturevalue(fixture)
    # When its manifest is read
    found = run.manifest["strength"]
    # Then each field has both figures, and a random split changes neither fields nor score much
    assert list(found["fields"]) == [spec.name for spec in run.candidate.training.fields]
    assert all(field["information_value"] >= 0 for field in found["fields"].values())
    assert max(field["stability_index"] for field in found["fields"].values()) < 0.1
    assert 0 <= found["score_stability_index"] < 0.1


def test_ranks_fields_and_sees_a_changed_population(small: TrainingRun) -> None:
    # Given a hold-out in which every income is 500,000
    changed = small.candidate.holdout.matrix.copy()
    changed[:, [spec.name for spec in small.candidate.holdout.fields].index("Income")] = 500_000
    # When it is compared with the training rows
    found = judged(small, replace(small.candidate.holdout, matrix=changed))
    before = small.manifest["strength"]
    # Then income and the score have changed and nothing else, and the information values are those of the training
    moved = {name for name, field in found["fields"].items() if field["stability_index"] > 0.25}
    assert moved == {"Income"}
    assert found["score_stability_index"] > 0.25
    values = {name: field["information_value"] for name, field in found["fields"].items()}
    assert values == {name: field["information_value"] for name, field in before["fields"].items()}
    assert max(values, key=lambda name: values[name]) == "Income"


def test_a_field_with_one_value_is_worth_nothing(mixed: TrainingRun) -> None:
    assert mixed.manifest["strength"]["fields"]["Constant"] == {"information_value": 0, "stability_index": 0}
