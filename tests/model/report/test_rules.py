"""The report's table of rules: the policy's rules, with this model's values and limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from model.judge.gate import POLICY, against, judge
from model.report.rules import Rule, rules

if TYPE_CHECKING:
    from model.judge.champion import Comparison
    from model.judge.gate import GateQuestion
    from model.run import TrainingRun

UNCHANGED = {"value": 0.0, "low": -0.01, "high": 0.01}


def shown(question: GateQuestion) -> dict[str, Rule]:
    """The table's rows by the rules' names."""
    return {rule.name: rule for rule in rules(question, judge(question))}


def champion(run: TrainingRun, **changes: Any) -> Comparison:
    """A champion that decides just like the model, except for these changes."""
    groups = {
        column: dict.fromkeys(figures["by_group"], UNCHANGED)
        for column, figures in run.manifest["metrics"]["groups"].items()
    }
    same: Any = {"model_version": "v", "same_rows": True, "roc_auc": UNCHANGED, "accuracy": UNCHANGED, "gap": 0.0}
    compared: Comparison = same | {"groups": groups} | changes
    return compared


def asked_against(run: TrainingRun, compared: Comparison) -> GateQuestion:
    """The question about the model in place of a champion."""
    return against(run.assessment.question, compared, run.assessment.question["contract"]["model"])


def test_shows_exactly_the_rules_of_the_policy(small: TrainingRun) -> None:
    # given
    in_policy = re.findall(r'"rule": "(\w+)"', POLICY.read_text(encoding="utf-8"))

    # when
    found = rules(small.assessment.question, small.verdict)

    # then
    assert [rule.name for rule in found] == list(dict.fromkeys(in_policy))


def test_every_row_says_what_it_asks_what_it_found_and_the_limit(small: TrainingRun) -> None:
    found = rules(asked_against(small, champion(small)), small.verdict)
    assert all(rule.asks and rule.value and rule.limit for rule in found)
    assert not [rule.name for rule in found if "not known" in rule.value + rule.limit]
    assert [rule.name for rule in found if not rule.passed] == []


@pytest.mark.parametrize(
    ("limit", "rule"),
    [
        ("minimum_roc_auc", "ranking"),
        ("minimum_calibration_slope", "calibration"),
        ("minimum_brier_skill", "calibration"),
        ("minimum_accuracy", "accuracy"),
        ("maximum_approval_shift", "approvals"),
        ("maximum_unknown_group_share", "known_groups"),
        ("maximum_equal_opportunity_gap", "equal_opportunity"),
        ("minimum_group_size", "group_size"),
        ("minimum_creditworthy", "group_size"),
        ("maximum_copied_share", "duplicates"),
        ("maximum_outcome_explained", "giveaway"),
        ("maximum_roc_auc", "giveaway"),
        ("maximum_group_explained", "proxy"),
        ("maximum_data_age_days", "data_age"),
        ("maximum_parity_difference", "parity"),
        ("maximum_champion_loss", "champion"),
    ],
)
def test_says_when_a_limit_is_not_given(small: TrainingRun, limit: str, rule: str) -> None:
    # given
    original = asked_against(small, champion(small))
    limits: Any = {name: value for name, value in original["limits"].items() if name != limit}

    # when
    found = shown({**original, "limits": limits})

    # then
    assert not found["limits"].passed
    assert not found[rule].passed
    assert "not known" in found[rule].limit


@pytest.mark.parametrize("key", ["skill", "calibration_fit", "brier_skill", "roc_auc"])
def test_says_when_the_data_cannot_show_a_figure(small: TrainingRun, key: str) -> None:
    # given
    original = small.assessment.question
    metrics: Any = {**original["metrics"], key: None}

    # when
    found = shown({**original, "metrics": metrics})

    # then
    assert [rule.name for rule in found.values() if "not known" in rule.value and not rule.passed]


def test_compares_with_the_model_in_service(small: TrainingRun) -> None:
    lost = {"value": -0.0567, "low": -0.06, "high": -0.05}

    # when
    found = shown(asked_against(small, champion(small, accuracy=lost)))["champion"]

    # then
    assert not found.passed
    assert "accuracy -5.67" in found.value
    assert "the same rows" in found.value


def test_without_a_model_in_service_there_is_nothing_to_compare(small: TrainingRun) -> None:
    assert shown(small.assessment.question)["champion"].passed is None


def test_shows_why_there_is_no_sensitive_column(small: TrainingRun) -> None:
    # given
    original = small.assessment.question
    metrics: Any = {**original["metrics"], "groups": {}, "equal_opportunity_gap": None}

    # when
    excused = shown({**original, "metrics": metrics, "no_sensitive_reason": "Companies have no age."})
    denied = shown({**original, "metrics": metrics})

    # then
    assert "Companies have no age." in excused["sensitive"].value
    assert excused["sensitive"].passed is None
    assert denied["sensitive"].passed is False
    for name in ("known_groups", "group_size", "equal_opportunity"):
        assert excused[name].passed is None


def test_undated_data_has_no_age_to_judge(small: TrainingRun) -> None:
    assert shown({**small.assessment.question, "data_age_days": None})["data_age"].passed is None


@pytest.mark.parametrize(
    ("method", "without", "told"),
    [("tables", 0, "proved from"), ("tables", 1, "not proved"), ("sampled", 3, "3 of 40 denials without")],
)
def test_says_how_reasons_were_checked(small: TrainingRun, method: Any, without: int, told: str) -> None:
    # given
    denials = 40 if method == "sampled" else 0
    original = small.assessment.question

    # when
    found = shown({**original, "explained": {"method": method, "denials": denials, "without_reason": without}})[
        "reasons"
    ]

    # then
    assert found.value.startswith(told)
    assert found.passed is (without == 0)
