"""The offline batch: the service's decisions and reasons, and always the same columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app import artifact
from lambda_app.artifact import Artifact
from lambda_app.decision import Decider
from lambda_app.reasons import principal
from model.data.encoding import values_of
from model.formats.batch import decide, reason_codes
from tests.trainings import columns_of, shuffled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Reason, Reference
    from model.data.applications import Applications
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


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_batch_gives_the_services_reasons_for_every_contract(
    explaining: tuple[Artifact, Applications], share: float
) -> None:
    # Given invented applications, and a model whose reasons must explain some share of the shortfall
    opened, training = explaining
    reference: Reference = {**opened.manifest["reference"], "least_share": share}
    sharing = Artifact({**opened.manifest, "reference": reference}, opened.scorer)
    invented = shuffled(training, 3_000, seed=5)
    # When they are decided in a batch, then each has the codes that the service gives
    decider = Decider(sharing)
    answers = [decider.decide(values_of(row, training.fields), "id").answer for row in invented.matrix]
    expected = [";".join(reason["code"] for reason in answer["reasons"]) for answer in answers]
    assert decide(sharing, invented)["reasons"].tolist() == expected
    assert len(set(expected)) >= 4


def test_batch_of_a_pipeline_gives_the_services_reasons(mixed_sklearn: TrainingRun) -> None:
    # Given invented applications that a model without tables denies
    opened, invented = mixed_sklearn.assessment.artifact, shuffled(mixed_sklearn.candidate.training, 4_000, seed=7)
    probabilities = columns_of(mixed_sklearn.directory).probabilities(invented.matrix)
    denied = invented.take(np.flatnonzero(probabilities < opened.manifest["threshold"])[:150])
    # When they are decided in a batch
    found = decide(opened, denied)["reasons"].tolist()
    # Then each has the codes that the service gives, and some are for a missing value or for one word
    decider = Decider(opened)
    answers = [decider.decide(values_of(row, denied.fields), "id").answer for row in denied.matrix]
    assert found == [";".join(reason["code"] for reason in answer["reasons"]) for answer in answers]
    assert {"EMPLOYMENT_NOT_STATED", "NO_SAVINGS", "NO_JOB"} & set(";".join(found).split(";"))


def test_batch_of_an_artifact_without_a_least_share_gives_all_reasons(mixed: TrainingRun) -> None:
    # Given an artifact as it was written before there was such a share
    opened, invented = mixed.assessment.artifact, shuffled(mixed.candidate.training, 2_000, seed=6)
    points: Reference = {"points": opened.manifest["reference"]["points"]}
    before = Artifact({**opened.manifest, "reference": points}, opened.scorer)
    zero = Artifact({**opened.manifest, "reference": {**points, "least_share": 0.0}}, opened.scorer)
    # When it decides a batch, then it gives the reasons of a share of 0
    assert decide(before, invented)["reasons"].tolist() == decide(zero, invented)["reasons"].tolist()


# Few values and codes, so that many shortfalls are equal and codes repeat.
@st.composite
def batches(draw: st.DrawFn) -> tuple[list[list[Reason]], list[NDArray[np.intp]], NDArray[np.float64]]:
    """The reasons of a few fields, and the bins and shortfalls of a few rows."""
    fields, rows = draw(st.integers(1, 7)), draw(st.integers(0, 6))
    codes = draw(st.sampled_from(["ABCDEFGHIJKLMN", "ABC"]))
    reasons: list[list[Reason]] = [
        [{"code": draw(st.sampled_from(codes)), "field": f"f{place}", "text": "text"} for _ in range(2)]
        for place in range(fields)
    ]
    bins = [np.array(draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows)), int) for _ in reasons]
    size = fields * rows
    values = draw(st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.1, 0.3, 0.7, 2.0]), min_size=size, max_size=size))
    return reasons, bins, np.array(values).reshape(rows, fields)


@given(batch=batches(), least_share=st.sampled_from([0.0, 0.1, 0.3, 1.0]))
def test_reason_codes_are_those_of_the_service(
    batch: tuple[list[list[Reason]], list[NDArray[np.intp]], NDArray[np.float64]], least_share: float
) -> None:
    # Given rows of bins and shortfalls, when the service gives each its reasons
    reasons, bins, shortfalls = batch
    expected = [
        ";".join(reason["code"] for reason in principal(reasons, [of[row] for of in bins], short, least_share))
        for row, short in enumerate(shortfalls.tolist())
    ]
    # Then the batch's codes are the same, in the same order
    assert reason_codes(reasons, bins, shortfalls, least_share) == expected
