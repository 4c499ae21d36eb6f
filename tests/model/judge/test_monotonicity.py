"""Pairs that a model ranks against a field's direction: what is compared, and how it is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lambda_app.artifact import Artifact
from lambda_app.formats.scorecard import Scorecard
from model import formats
from model.contract import Scored
from model.contract.fields import FieldSpec
from model.data.applications import Applications
from model.data.rejects import Rejects
from model.formats.columns import RowByRow
from model.formats.scorecard import ScorecardColumns
from model.judge.monotonicity import PAIRS, monotonicity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.formats.scorecard import ScorecardTables
    from model.contract.declarations import Direction
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


class Sampled:
    """A format that scores like a scorecard, and hides its tables."""

    def write(self, candidate: Candidate) -> Written:
        raise NotImplementedError

    def columns(self, opened: Artifact) -> ScorecardColumns:
        return ScorecardColumns(opened)

    def tables(self, _opened: Artifact) -> ScorecardTables | None:
        return None


formats.register("sampled", Sampled())


def hiding_tables(opened: Artifact) -> Artifact:
    """The same model in the format that hides its tables."""
    return Artifact({**opened.manifest, "format": "sampled"}, opened.scorer)


def test_model_respects_its_directions_and_violates_the_opposite_ones(small: TrainingRun) -> None:
    # Given a model, when its directions are turned around
    judged, opened = small.candidate.holdout, small.assessment.artifact
    turned = directed(judged, "down" if judged.fields[1].monotonic > 0 else "up")
    # Then tables and samples agree that it respected the right ones alone
    assert monotonicity(opened, judged, 0)["violations"] == 0
    assert monotonicity(opened, turned, 0)["violations"] > 10
    assert monotonicity(hiding_tables(opened), judged, 0)["violations"] == 0
    assert monotonicity(hiding_tables(opened), turned, 0)["violations"] > PAIRS / 10


def test_tables_compare_all_neighbouring_bins(mixed: TrainingRun) -> None:
    # Given the tables of a model with missing values
    opened, fields = mixed.assessment.artifact, mixed.candidate.holdout.fields
    tables = formats.find("scorecard").tables(opened)
    assert tables is not None
    # When they are compared, then each edge of a directed field parts one pair, and a missing value is part of none
    assert monotonicity(opened, mixed.candidate.holdout, 0) == {
        "method": "tables",
        "directed_fields": sum(spec.monotonic != 0 for spec in fields),
        "pairs": sum(
            len(table["edges"]) for table, spec in zip(tables["fields"], fields, strict=True) if spec.monotonic
        ),
        "violations": 0,
    }


def by_hand(points: list[float], **bins: Any) -> Artifact:
    """A scorecard of one field, which has these points."""
    tables: Any = {"intercept": 0.0, "fields": [{"name": "field", "points": points, **bins}]}
    manifest: Any = {"format": "scorecard", "reference": {"points": [0.0]}}
    return Artifact(manifest, Scorecard(tables, manifest["reference"]))


def one_field(direction: Direction, words: tuple[str, ...] = ()) -> Applications:
    """Applications of one optional field with values from 0 to 3, or words."""
    scored = Scored(direction, "unit", "CODE", "Text")
    spec = FieldSpec("field", "choice" if words else "float", True, "description", scored, 0.0, 3.0, words)
    column = np.array([[0.0], [1.0], [2.0], [3.0], [np.nan]])
    return Applications((spec,), column, np.ones(5, bool), {}, Rejects(0, 0), np.arange(5), "", "test")


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize(
    ("points", "rises", "falls"),
    [
        pytest.param([0.0, 1.0, 2.0, 3.0, -9.0], 3, 0, id="rises"),
        pytest.param([0.0, 1.0, 1.0, 0.5, 9.0], 1, 1, id="flat-then-falls"),
        pytest.param([3.0, 2.0, 1.0, 1.0 - 1e-10, 9.0], 0, 3, id="falls"),
    ],
)
@pytest.mark.parametrize("words", [(), ("none", "some", "more", "most")], ids=["numbers", "words"])
def test_each_wrong_step_of_a_table_is_a_violation(
    points: list[float], rises: int, falls: int, direction: Direction, words: tuple[str, ...]
) -> None:
    # Given a table of numbers or of words in order, and the points of a missing value
    bins: dict[str, Any] = {"words": list(words)} if words else {"edges": [0.5, 1.5, 2.5]}
    opened, judged = by_hand(points, **bins), one_field(direction, words)
    # When it is checked, then the steps against the direction are counted, and the missing value is not
    wrong = falls if direction == "up" else rises
    assert monotonicity(opened, judged, 0) == {
        "method": "tables",
        "directed_fields": 1,
        "pairs": 3,
        "violations": wrong,
    }
    assert (monotonicity(hiding_tables(opened), judged, 0)["violations"] > 0) is (wrong > 0)


@pytest.mark.parametrize("method", ["tables", "sampled"])
def test_contract_without_a_direction_has_no_pairs(method: str, small: TrainingRun) -> None:
    opened = small.assessment.artifact if method == "tables" else hiding_tables(small.assessment.artifact)
    found = monotonicity(opened, directed(small.candidate.holdout, "free"), 0)
    assert found == {"method": method, "directed_fields": 0, "pairs": 0, "violations": 0}


def test_field_with_a_single_value_is_never_compared(small: TrainingRun) -> None:
    # Given a hold-out in which all fields but one have a single value, and another in which all have
    opened, matrix = hiding_tables(small.assessment.artifact), small.candidate.holdout.matrix.copy()
    matrix[:, [0, 2, 3]] = 1.0
    one = monotonicity(opened, replace(small.candidate.holdout, matrix=matrix), 0)
    none = monotonicity(opened, replace(small.candidate.holdout, matrix=np.ones_like(matrix)), 0)
    # Then all pairs differ in that field, and the other hold-out has no pairs
    assert one == {"method": "sampled", "directed_fields": 4, "pairs": PAIRS, "violations": 0}
    assert none == {"method": "sampled", "directed_fields": 4, "pairs": 0, "violations": 0}
