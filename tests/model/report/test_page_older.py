"""The report about an artifact whose manifest lacks figures: it shows them as not known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambda_app.artifact import Artifact
from model.report.page import render
from tests.pages import Page

if TYPE_CHECKING:
    from lambda_app.manifest import Manifest
    from model.judge.comparison import Metrics
    from model.run import TrainingRun

IN_MANIFEST = ("explained", "leakage", "strength", "unsupported", "no_sensitive_reason")
IN_FIGURES = ("calibration_fit", "brier_skill", "log_loss", "ks", "gini", "gains", "skill", "intersections")


def older(found: Any) -> Any:
    """The same without what older manifests lack."""
    if isinstance(found, list):
        return [older(each) for each in found]
    if not isinstance(found, dict):
        return found
    lacking = {*IN_MANIFEST, *IN_FIGURES, "recorded_rate", "estimated_rate", "lowest", "highest", "interval", "method"}
    return {key: older(each) for key, each in found.items() if key not in lacking}


@pytest.fixture(scope="module")
def words(small: TrainingRun) -> str:
    opened, assessment = small.assessment.artifact, small.assessment
    artifact = Artifact(cast("Manifest", older(opened.manifest)), opened.scorer)
    metrics = cast("Metrics", {**older(assessment.metrics), "choice": assessment.metrics["choice"]})
    return Page.of(render(replace(assessment, artifact=artifact, metrics=metrics))).words()


@pytest.mark.parametrize(
    "unknown",
    [
        "How much better this is than the same decision for everybody is not known",
        "KS not known",
        "Gini not known",
        "Log loss not known",
        "Calibration slope not known",
        "The slope of the calibration is not known",
        "The Brier skill is not known",
        "The gains by tenth of the applicants are not known",
        "Whether the estimates fit each group of Group is not known",
        "How groups of two columns together are treated is not known",
        "Whether training could support every value that the contract allows is not known",
        "Whether every denial has a reason is not known",
        "Whether the hold-out contains copies of training applications is not known",
        "Income not known not known not known",
        "that of the score is not known",
        "is evidence, not a proof",
    ],
)
def test_says_what_an_older_manifest_lacks(unknown: str, words: str) -> None:
    assert unknown in words


def test_still_names_the_groups(words: str) -> None:
    assert "Group 0 is approved" in words
    assert "as often as Group 1" in words
