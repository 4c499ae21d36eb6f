"""The report's table of rules: the policy's rules, with this model's values and limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from model.judge.gate import POLICY, judge
from model.report.rules import rules

if TYPE_CHECKING:
    from lambda_app.manifest import Figures
    from model.judge.gate import GateQuestion
    from model.run import TrainingRun


def test_shows_exactly_the_rules_of_the_policy(small: TrainingRun) -> None:
    # given
    in_policy = re.findall(r'"rule": "(\w+)"', POLICY.read_text(encoding="utf-8"))

    # when
    shown = rules(small.assessment.question, small.verdict)

    # then
    assert [rule.name for rule in shown] == in_policy


@pytest.mark.parametrize(
    ("limit", "rule"),
    [
        ("minimum_accuracy", "accuracy"),
        ("maximum_equal_opportunity_gap", "equal_opportunity"),
        ("minimum_group_size", "group_size"),
        ("maximum_parity_difference", "parity"),
        ("maximum_champion_loss", "limits"),
    ],
)
def test_says_when_a_limit_is_not_given(small: TrainingRun, limit: str, rule: str) -> None:
    # given
    original = small.assessment.question
    limits: Any = {name: value for name, value in original["limits"].items() if name != limit}
    question: GateQuestion = {**original, "limits": limits}

    # when
    shown = {found.name: found for found in rules(question, judge(question))}

    # then
    assert not shown["limits"].passed
    assert not shown[rule].passed
    assert rule == "limits" or "not known" in shown[rule].limit


def test_compares_with_the_model_in_service(small: TrainingRun) -> None:
    # given
    champion: Figures = {**small.manifest["metrics"], "accuracy": 0.99, "equal_opportunity_gap": 0.01}
    question: GateQuestion = {**small.assessment.question, "champion": champion}

    # when
    shown = {found.name: found for found in rules(question, judge(question))}

    # then
    lost = (small.manifest["metrics"]["accuracy"] - 0.99) * 100
    assert not shown["champion"].passed
    assert f"accuracy {lost:+.2f}" in shown["champion"].value
