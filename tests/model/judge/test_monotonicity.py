"""The search for pairs that a model orders against a field's direction: what is compared, and that it is counted so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.judge import parity
from model.judge.parity import PAIRS, monotonicity

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from model.contract.declarations import Direction
    from model.data.applications import Applications
    from model.run import TrainingRun


def directed(judged: Applications, direction: Direction) -> Applications:
    """The same applications, under a contract whose fields all have one direction."""
    fields = tuple(replace(spec, scored=replace(spec.scored, direction=direction)) for spec in judged.fields)
    return replace(judged, fields=fields)


class Recorder:
    """A scorer that keeps what it was asked."""

    asked: list[NDArray[np.float64]]

    def __init__(self, _directory: Path) -> None:
        Recorder.asked = []

    def probabilities(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        Recorder.asked.append(matrix)
        return np.zeros(len(matrix))


@pytest.mark.parametrize("name", ["small", "mixed"])
def test_every_pair_differs_in_one_directed_field_and_lacks_it_in_neither(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a scorer that records the pairs
    outcome: TrainingRun = request.getfixturevalue(name)
    judged = outcome.trained.holdout
    monkeypatch.setattr(parity, "BatchScorer", Recorder)
    # When they are drawn
    found = monotonicity(outcome.directory, judged, 0)
    # Then each differs in exactly one field, which has a direction and a value on both sides; and all are counted
    ones, others = np.concatenate(Recorder.asked[0::2]), np.concatenate(Recorder.asked[1::2])
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


def test_model_keeps_its_directions_and_breaks_the_opposite_ones(small: TrainingRun) -> None:
    judged = small.trained.holdout
    assert monotonicity(small.directory, judged, 0)["violations"] == 0
    turned = directed(judged, "down" if judged.fields[1].monotonic > 0 else "up")
    assert monotonicity(small.directory, turned, 0)["violations"] > PAIRS / 10


def test_contract_without_a_direction_compares_nothing_and_says_so(small: TrainingRun) -> None:
    found = monotonicity(small.directory, directed(small.trained.holdout, "free"), 0)
    assert found == {"directed_fields": 0, "pairs": 0, "violations": 0}


def test_field_of_one_value_is_never_compared(small: TrainingRun) -> None:
    # Given a hold-out in which all fields but one have a single value, and then all
    matrix = small.trained.holdout.matrix.copy()
    matrix[:, [0, 2, 3]] = 1.0
    one = monotonicity(small.directory, replace(small.trained.holdout, matrix=matrix), 0)
    none = monotonicity(small.directory, replace(small.trained.holdout, matrix=np.ones_like(matrix)), 0)
    # Then the pairs are of that field, and at last there are none
    assert one == {"directed_fields": 4, "pairs": PAIRS, "violations": 0}
    assert none == {"directed_fields": 4, "pairs": 0, "violations": 0}
