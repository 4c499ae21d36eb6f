"""The report on the cut-off: the cut-offs of the compared models, and the effect of others on the groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from model.contract.loading import load_contract
from model.data.applications import check_frame
from model.data.generator import generate
from model.fit.settings import TrainingSettings
from model.judge.comparison import models_of
from model.report import page
from model.report.rules import rules
from model.run import run
from tests.pages import Page
from tests.trainings import CONTRACTS, task_of

if TYPE_CHECKING:
    from pathlib import Path

    from model.judge.comparison import Metrics
    from model.run import TrainingRun


def with_metrics(outcome: TrainingRun, **changes: object) -> str:
    """The words of the page about a model with changed metrics."""
    metrics = cast("Metrics", {**outcome.assessment.metrics, **changes})
    return Page.of(page.render(replace(outcome.assessment, metrics=metrics))).words()


def test_shows_each_models_cutoff_and_a_wider_gap(small: TrainingRun) -> None:
    # given
    models, gaps = models_of(small.assessment.metrics), {"scorecard": 0.3, "tree": 0.1, "boosted": 0.4}

    # when
    words = with_metrics(small, **{name: {**models[name], "equal_opportunity_gap": gap} for name, gap in gaps.items()})

    # then
    assert f"Cut-off {small.manifest['threshold']:.4f} 0.5000 0.5000" in words
    assert "Its gap is wider than that of one of the models it was compared with: Tree of depth 3, 10.0" in words


def test_lists_the_effect_of_other_cutoffs(small: TrainingRun) -> None:
    # given: the decisions of the pipeline at each cut-off
    judged = small.candidate.holdout
    estimated = small.candidate.pipeline.predict_proba(judged.matrix)[:, 1]
    words = Page.of((small.directory / page.FILE).read_text(encoding="utf-8")).words().replace("\u00a0", " ")

    # then
    for cutoff in (0.1, 0.5, 0.9, small.manifest["threshold"]):
        approved = estimated >= cutoff
        good = judged.approved
        rates = [approved[good & (judged.groups["Group"] == name)].mean() for name in ("0", "1")]
        name = cutoff if cutoff in (0.1, 0.5, 0.9) else f"{cutoff:.4f} (chosen)"
        accuracy, gap = (approved == good).mean(), abs(rates[0] - rates[1])
        assert f"{name} {accuracy * 100:.1f} % {gap * 100:.1f} % {approved.mean() * 100:.1f} %" in words


def test_says_that_a_contract_has_no_sensitive_column(tmp_path: Path) -> None:
    # given
    contract = load_contract(f"{CONTRACTS / 'unjudged.py'}:Applicant")
    applications = check_frame(generate(4_000, 0), contract, source="the generator, seed 0", dated="2026-01-01")

    # when
    found = run(task_of(contract, applications, TrainingSettings(max_iter=20, folds=2)), tmp_path)

    # then
    words = Page.of((found.directory / page.FILE).read_text(encoding="utf-8")).words()
    denials = dict(found.verdict.denials)
    assert f"Stopped at the policy gate: {', '.join(denials)}" in words
    assert f"Rule sensitive: {denials['sensitive']}" in words
    assert [each.passed for each in rules(found.assessment.question, found.verdict)].count(None) == words.count(
        "not applicable"
    )
    assert "How it treats groups was not assessed: there is no sensitive column" in words
    assert "a gap of at most" not in words
