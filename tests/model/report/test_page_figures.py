"""The report shows the figures of the manifest: quality, groups, strength, leaks, values without support."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambda_app.artifact import Artifact
from model.report.page import FILE, render
from tests.pages import Page

if TYPE_CHECKING:
    from lambda_app.manifest import Manifest
    from model.run import TrainingRun


@pytest.fixture(scope="module", params=["small", "mixed_sklearn"])
def outcome(request: pytest.FixtureRequest) -> TrainingRun:
    """A published model, with points and without."""
    found: TrainingRun = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def words(outcome: TrainingRun) -> str:
    return said((outcome.directory / FILE).read_text(encoding="utf-8"))


def said(html: str) -> str:
    return Page.of(html).words().replace("\u00a0", " ")


def with_manifest(run: TrainingRun, **changes: Any) -> str:
    """The words of the page about a model with a changed manifest."""
    opened = run.assessment.artifact
    artifact = Artifact(cast("Manifest", {**opened.manifest, **changes}), opened.scorer)
    return said(render(replace(run.assessment, artifact=artifact)))


def test_shows_the_quality_of_the_estimates(outcome: TrainingRun, words: str) -> None:
    figures = outcome.manifest["metrics"]
    fit = figures["calibration_fit"]
    assert fit is not None
    for fact in (
        f"Log loss {figures['log_loss']:.4f}",
        f"KS {figures['ks']:.4f}",
        f"Gini {figures['gini']:.4f}",
        f"has a slope of {fit['slope']['value']:.2f} (95 % interval {fit['slope']['low']:.2f} to",
        "The squared error is",
        "The largest deviation by tenth of the applicants",
        f"{figures['skill']['difference']['value'] * 100:.2f} percentage points (95 % interval of the difference",
    ):
        assert fact in words


def test_lists_calibration_and_gains_line_by_line(outcome: TrainingRun, words: str) -> None:
    figures = outcome.manifest["metrics"]
    assert len(figures["calibration"]) > 5
    for tenth in figures["calibration"]:
        assert f"{tenth['predicted'] * 100:.1f} % {tenth['rows']:,} {tenth['observed'] * 100:.1f} %" in words
    assert len(figures["gains"]) > 5
    for gain in figures["gains"]:
        assert f"{gain['share'] * 100:.0f} % {gain['lowest'] * 100:.1f} % {gain['bad_share'] * 100:.1f} %" in words


def test_shows_record_estimate_and_approvals_of_each_group(outcome: TrainingRun, words: str) -> None:
    [(column, figures)] = outcome.manifest["metrics"]["groups"].items()
    for name, group in figures["by_group"].items():
        ends = group["intervals"]["approval_rate"]
        shown = (
            f"{group['approval_rate'] * 100:.1f} % {ends['low'] * 100:.1f} to {ends['high'] * 100:.1f}; "
            f"on record {group['recorded_rate'] * 100:.1f} %"
        )
        assert f"{column} {name} {group['rows']:,} applications {shown}" in words
        assert f" {group['estimated_rate'] * 100:.1f} % {group['accuracy'] * 100:.1f} %" in words
    assert "an interval that holds for all pairs of groups and columns together" in words


def test_shows_what_each_field_is_worth_and_gives_away(outcome: TrainingRun, words: str) -> None:
    strength, leakage = outcome.manifest["strength"], outcome.manifest["leakage"]
    for name, field in strength["fields"].items():
        assert f"{field['information_value']:.3f}" in words
        leak = leakage["fields"][name]
        shares = [leak["outcome"], *(next(iter(groups.values())) for groups in leak["groups"].values())]
        shown = " ".join(f"{share * 100:.1f} %" for share in shares)
        assert f"{name} {shown} {field['stability_index']:.3f}" in words
    assert f"that of the score is {strength['score_stability_index']:.3f}" in words
    assert f"{leakage['copied_share'] * 100:.1f} % of the hold-out is estimated to be copies" in words


def test_shows_groups_of_two_columns_together(small: TrainingRun) -> None:
    # Given figures of two columns together
    figures = small.manifest["metrics"]
    together = {"Sex, Age": figures["groups"]["Group"]}
    # When the page is written, then they have a table
    words = with_manifest(small, metrics={**figures, "intersections": together})
    assert "Sex, Age: groups of both columns together" in words
    assert "groups of both columns together" not in with_manifest(small, metrics={**figures, "intersections": {}})


def test_lists_values_without_support(small: TrainingRun) -> None:
    # Given a value that training does not support, and none
    value = {"field": "Income", "value": "over 99,000", "rows": 3, "scored_as": "up to 64,866"}
    # When the page is written, then it says what it scores like
    words = with_manifest(small, unsupported=[value])
    assert "Income over 99,000 3 up to 64,866" in words
    assert "scores like the lowest supported one" in words
    assert "Training supports every value" in with_manifest(small, unsupported=[])


def test_lists_the_sentences_of_missing_values_and_words(mixed: TrainingRun) -> None:
    # Given a field with sentences for a missing value and for one word
    contract: Any = mixed.manifest["contract"]
    own = {
        "missing": {"code": "JOB_NOT_STATED", "text": "Job not stated"},
        "by_word": {"none": {"code": "JOB_NONE", "text": "No job at all"}},
    }
    fields = [{**field, **(own if field["name"] == "Job" else {})} for field in contract["fields"]]
    # When the page is written, then each has a row
    words = with_manifest(mixed, contract={**contract, "fields": fields})
    assert "Job falls short otherwise Kind of employment JOB" in words
    assert "Job none No job at all JOB_NONE" in words
    assert "Job not given Job not stated JOB_NOT_STATED" in words


def test_says_which_share_of_the_shortfall_a_reason_explains(mixed: TrainingRun) -> None:
    words = with_manifest(mixed, reference={**mixed.manifest["reference"], "least_share": 0.02})
    assert "A reason after the first explains at least 2.0 % of the shortfall." in words


def test_gives_the_reason_for_having_no_sensitive_column(small: TrainingRun) -> None:
    # Given a model without a sensitive column, and the contract's reason
    figures = {**small.manifest["metrics"], "groups": {}, "intersections": {}, "equal_opportunity_gap": None}
    # When the page is written
    words = with_manifest(small, metrics=figures, no_sensitive_reason="the bank may not collect them")
    # Then the reason is there
    assert "there is no sensitive column, because the bank may not collect them." in words
    assert "The contract's reason: the bank may not collect them." in words
