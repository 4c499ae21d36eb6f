"""The search for pairs that a model ranks against a field's direction: what is compared, and how it is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lambda_app.artifact import Artifact
from model import formats
from model.formats.columns import RowByRow
from model.judge.monotonicity import PAIRS, monotonicity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.formats.scorecard import ScorecardTables
    from model.contract.declarations import Direction
    from model.data.applications import Applications
    from model.fit.train import Candidate
    from model.formats import Written
    from model.run import TrainingRun


def directed(judged: Applications, direction: Direction) -> Applications:
    """The same applications, under a contract whose fields all have one direction."""
    fields = tuple(replace(spec, scored=replace(spec.scored, direction=direction)) for spec in judged.fields)
    return replace(judged, fields=fields)


class Recorded(RowByRow):
    """Columns that record what they were asked to score."""

    def __init__(self, opened: Artifact) -> None:
        super().__init__(opened)
        self.scored: list[NDArray[np.float64]] = []

    def probabilities(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        self.scored.append(matrix)
        return np.zeros(len(matrix))


class Recording:
    """A format whose columns are `Recorded`; it writes nothing."""

    def __init__(self) -> None:
        self.made: list[Recorded] = []

    def write(self, candidate: Candidate) -> Written:
        raise NotImplementedError

    def columns(self, opened: Artifact) -> Recorded:
        self.made.append(Recorded(opened))
        return self.made[-1]

    def tables(self, _opened: Artifact) -> ScorecardTables | None:
        return None


@pytest.mark.parametrize("name", ["small", "mixed"])
def test_every_pair_differs_in_one_directed_field_present_in_both(name: str, request: pytest.FixtureRequest) -> None:
    # Given a format that records the pairs
    outcome: TrainingRun = request.getfixturevalue(name)
    judged, opened = outcome.candidate.holdout, outcome.assessment.artifact
    recording = Recording()
    formats.register(f"recording-{name}", recording)
    # When they are drawn
    found = monotonicity(Artifact({**opened.manifest, "format": f"recording-{name}"}, opened.scorer), judged, 0)
    # Then each pair differs in exactly one field, with a direction and a value on both sides, and all pairs are counted
    [scored] = [columns.scored for columns in recording.made]
    ones, others = np.concatenate(scored[0::2]), np.concatenate(scored[1::2])
    different = (ones != others) & ~(np.isnan(ones) & np.isnan(others))
    places = different.argmax(axis=1)
    rows = np.arange(len(ones))
    assert np.array_equal(different.sum(axis=1), np.ones(len(ones)))
    assert not np.isnan(ones[rows, places] + others[rows, places]).any()
    assert {judged.fields[place].name for place in np.unique(places)} == {
        spec.name for spec in judged.fields if spec.monotonic
    }
    assert found["pairs"] == len(ones) >= PAIRS
    assert found["directed_fields"] == len(np.unique(places))


def test_model_respects_its_directions_and_violates_the_opposite_ones(small: TrainingRun) -> None:
    judged = small.candidate.holdout
    assert monotonicity(small.assessment.artifact, judged, 0)["violations"] == 0
    turned = directed(judged, "down" if judged.fields[1].monotonic > 0 else "up")
    assert monotonicity(small.assessment.artifact, turned, 0)["violations"] > PAIRS / 10


def test_contract_without_a_direction_has_no_pairs(small: TrainingRun) -> None:
    found = monotonicity(small.assessment.artifact, directed(small.candidate.holdout, "free"), 0)
    assert found == {"directed_fields": 0, "pairs": 0, "violations": 0}


def test_field_with_a_single_value_is_never_compared(small: TrainingRun) -> None:
    # Given a hold-out in which all fields but one have a single value, and another in which all have
    matrix = small.candidate.holdout.matrix.copy()
    matrix[:, [0, 2, 3]] = 1.0
    one = monotonicity(small.assessment.artifact, replace(small.candidate.holdout, matrix=matrix), 0)
    none = monotonicity(small.assessment.artifact, replace(small.candidate.holdout, matrix=np.ones_like(matrix)), 0)
    # Then all pairs differ in that field, and the other hold-out has no pairs
    assert one == {"directed_fields": 4, "pairs": PAIRS, "violations": 0}
    assert none == {"directed_fields": 4, "pairs": 0, "violations": 0}
