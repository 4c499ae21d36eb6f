"""Whether every denial has a reason: the proof from tables, against a search through all applicants."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app.artifact import Artifact
from lambda_app.formats.scorecard import Scorecard
from model.formats import find
from model.judge.explained import explained
from model.judge.parity import Decided, decide_all

if TYPE_CHECKING:
    from lambda_app.formats.scorecard import ScorecardTables
    from lambda_app.manifest import Reference
    from model.run import TrainingRun

NOBODY = Decided(np.empty(0), np.empty(0, bool), {"rows": 0, "approved": 0, "score": [], "reasons": {}})


def opened(tables: ScorecardTables, reference: Reference, threshold: float) -> Artifact:
    """A scorecard with these tables."""
    manifest: Any = {"format": "scorecard", "reference": reference, "threshold": threshold}
    return Artifact(manifest, Scorecard(tables, reference))


@pytest.mark.parametrize("name", ["small", "mixed"])
def test_a_trained_scorecard_explains_every_denial(name: str, request: pytest.FixtureRequest) -> None:
    outcome: TrainingRun = request.getfixturevalue(name)
    assert outcome.manifest["explained"] == {"method": "tables", "denials": 0, "without_reason": 0}


# Tenths, so that most sums are inexact.
POINTS = st.integers(-30, 30).map(lambda number: number / 10)


@given(
    fields=st.lists(st.lists(POINTS, min_size=1, max_size=4), min_size=1, max_size=4),
    reference=st.lists(POINTS, min_size=4, max_size=4),
    intercept=POINTS,
    threshold=st.sampled_from([0.2, 0.6, 0.8]),  # no sum of tenths is exactly at the cut-off
)
def test_the_proof_agrees_with_a_search_through_all_applicants(
    fields: list[list[float]], reference: list[float], intercept: float, threshold: float
) -> None:
    # Given any tables, with any reference and cut-off
    entries: Any = [{"name": str(place), "edges": [], "points": points} for place, points in enumerate(fields)]
    tables: ScorecardTables = {"intercept": intercept, "fields": entries}
    found = opened(tables, {"points": reference[: len(fields)]}, threshold)
    # When every applicant is decided by the service's own scorer
    unexplained = any(
        found.scorer.probability({}, list(bins)) < threshold and max(found.scorer.shortfalls({}, list(bins))) <= 0
        for bins in product(*(range(len(points)) for points in fields))
    )
    # Then the proof fails if, and only if, a denial has no reason
    assert explained(found, NOBODY) == {"method": "tables", "denials": 0, "without_reason": int(unexplained)}


def test_a_reference_below_the_cutoff_proves_nothing(small: TrainingRun) -> None:
    # Given a model whose reference falls short of its cut-off in every field
    artifact, manifest = small.assessment.artifact, small.manifest
    low: Reference = {"points": [0.0] * len(manifest["reference"]["points"])}
    # When it is checked, then a denial might be without a reason
    found = explained(Artifact({**manifest, "reference": low}, artifact.scorer), NOBODY)
    assert found["without_reason"] == 1


def test_without_tables_the_holdouts_denials_are_counted(mixed_sklearn: TrainingRun) -> None:
    # Given a model without tables, when its hold-out is decided
    artifact, holdout = mixed_sklearn.assessment.artifact, mixed_sklearn.candidate.holdout
    decided = decide_all(artifact, holdout)
    denials = int(np.count_nonzero(~decided.approved))
    # Then all its denials were looked at, and each has a reason
    assert explained(artifact, decided) == {"method": "sampled", "denials": denials, "without_reason": 0}
    assert mixed_sklearn.manifest["explained"]["denials"] == denials > 0


def test_denials_without_a_reason_are_counted(mixed: TrainingRun) -> None:
    # Given a scorecard that compares everyone with an applicant who has the fewest points in each field
    tables = find("scorecard").tables(mixed.assessment.artifact)
    assert tables is not None
    low: Reference = {"points": [min(field["points"]) for field in tables["fields"]]}
    unexplaining = Artifact({**mixed.manifest, "reference": low}, Scorecard(tables, low))
    # When the hold-out is decided, then each of its denials lacks a reason
    decided = decide_all(unexplaining, mixed.candidate.holdout)
    assert decided.without_reason == np.count_nonzero(~decided.approved) > 0
