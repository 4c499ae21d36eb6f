"""The offline batch: the service's decisions and reasons, and always the same columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app import artifact
from lambda_app.reasons import MOST, ranked
from model.formats.batch import decide, reason_codes
from tests.trainings import columns_of

if TYPE_CHECKING:
    from model.run import TrainingRun


@pytest.mark.parametrize("form", ["mixed", "mixed_sklearn"])
@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_batch_with_only_one_kind_of_decision(form: str, decision: str, request: pytest.FixtureRequest) -> None:
    # Given applications that are all approved, or all denied
    outcome: TrainingRun = request.getfixturevalue(form)
    holdout = outcome.candidate.holdout
    approved = columns_of(outcome.directory).probabilities(holdout.matrix) >= outcome.manifest["threshold"]
    wanted = np.flatnonzero(approved == (decision == "approve"))[:40]
    # When they are scored offline
    scored = decide(outcome.assessment.artifact, holdout.take(wanted))
    # Then each has its decision, and reasons if it is a denial
    assert len(scored) == 40
    assert set(scored["decision"]) == {decision}
    assert all(bool(reasons) is (decision == "deny") for reasons in scored["reasons"])


@pytest.mark.parametrize("form", ["mixed", "mixed_sklearn"])
def test_empty_batch_has_the_same_columns_as_any_other(form: str, request: pytest.FixtureRequest) -> None:
    outcome: TrainingRun = request.getfixturevalue(form)
    opened = artifact.load(str(outcome.directory))
    nothing, some = (outcome.candidate.holdout.take(np.arange(rows)) for rows in (0, 3))
    assert list(decide(opened, nothing)) == list(decide(opened, some))
    assert len(decide(opened, nothing)) == 0


# Few values, so that many shortfalls are equal.
SHORTFALLS = st.integers(1, 7).flatmap(
    lambda fields: st.lists(
        st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.25, 0.5, 2.0]), min_size=fields, max_size=fields), max_size=6
    ).map(lambda rows: np.array(rows, dtype=np.float64).reshape(-1, fields))
)


@given(shortfalls=SHORTFALLS)
def test_reason_codes_are_ranked_as_the_service_ranks_them(shortfalls: np.ndarray) -> None:
    # Given rows of shortfalls, many of them tied
    codes = [f"C{place}" for place in range(shortfalls.shape[1])]
    # When the service ranks each row
    expected = [";".join(codes[place] for place in ranked(row)[:MOST] if row[place] > 0) for row in shortfalls.tolist()]
    # Then the batch's codes are the same, in the same order
    assert reason_codes(shortfalls, codes) == expected
