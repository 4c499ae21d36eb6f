"""Skill: decisions are compared with the best constant one, in the measure of the cut-off's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.judge.skill import skill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.fit.task import CutoffRule

    Flags = NDArray[np.bool_]

ACCURACY: CutoffRule = {"by": "accuracy"}
COST: CutoffRule = {"by": "cost", "false_approve": 5.0, "false_deny": 1.0}
RULES: list[CutoffRule] = [
    ACCURACY,
    COST,
    {"by": "bad_share", "at_most": 0.1},
    {"by": "approved_share", "share": 0.3},
    {"by": "value", "cutoff": 0.5},
]
NOTHING = {"value": 0.0, "low": 0.0, "high": 0.0}


def by(rule: CutoffRule) -> str:
    """The name of a test's parameter."""
    return rule["by"]


def drawn(rows: int, seed: int, agreement: float) -> tuple[Flags, Flags]:
    """Decisions and outcomes, 70 % of these approve; as many decisions agree, the others are drawn like outcomes."""
    generator = np.random.default_rng(seed)
    truth = generator.random(rows) < 0.7
    return np.where(generator.random(rows) < agreement, truth, generator.random(rows) < 0.7), truth


def test_accuracy_is_compared_with_the_larger_outcome() -> None:
    # Given decisions of which 8 agree with 10 outcomes, 6 of them approve: the model is right where approving all is
    # wrong three times, and wrong where it is right once
    truth = np.array([True] * 6 + [False] * 4)
    approved = np.array([True] * 5 + [False] * 4 + [True])
    # When they are compared with approving all
    found = skill(approved, truth, ACCURACY)
    # Then 0.2 is gained: the standard error is that of three rows at 1, one at -1 and six at 0
    half = 1.959964 * (np.var([1, 1, 1, -1, 0, 0, 0, 0, 0, 0]) / 10) ** 0.5
    assert found["measure"] == "accuracy"
    assert found["constant"] == "approve all"
    assert (found["value"], found["constant_value"]) == pytest.approx((0.8, 0.6))
    assert found["difference"] == pytest.approx({"value": 0.2, "low": 0.2 - half, "high": 0.2 + half}, abs=1e-6)


def test_cost_is_compared_with_the_cheaper_constant() -> None:
    # Given outcomes for which approving all costs 4 · 5, and denying all 6 · 1
    truth = np.array([True] * 6 + [False] * 4)
    approved = np.array([True] * 5 + [False] * 5)
    # When the model, which costs 1 · 1, is compared
    found = skill(approved, truth, COST)
    # Then more is better: the costs count as negative
    assert found["measure"] == "cost"
    assert found["constant"] == "deny all"
    assert (found["value"], found["constant_value"], found["difference"]["value"]) == pytest.approx((-0.1, -0.6, 0.5))


def test_the_approved_are_compared_with_everybody() -> None:
    # Given 4 approved, 3 of them creditworthy, of 10, half of them creditworthy
    truth = np.array([True] * 5 + [False] * 5)
    approved = np.array([True] * 3 + [False] * 6 + [True])
    # When they are compared, then approving all is the constant
    found = skill(approved, truth, {"by": "bad_share", "at_most": 0.3})
    assert (found["measure"], found["constant"]) == ("good_share", "approve all")
    assert (found["value"], found["constant_value"], found["difference"]["value"]) == pytest.approx((0.75, 0.5, 0.25))


@pytest.mark.parametrize("rule", RULES, ids=by)
@pytest.mark.parametrize("approves", [True, False], ids=["approves-all", "denies-all"])
@pytest.mark.parametrize("creditworthy", [0, 5, 50, 95, 100])
def test_a_constant_model_has_no_skill(rule: CutoffRule, approves: bool, creditworthy: int) -> None:
    # Given the same decision for everybody
    truth, approved = np.arange(100) < creditworthy, np.full(100, approves)
    # When it is compared with the best constant, then it is that constant, or a worse one
    found = skill(approved, truth, rule)
    difference = found["difference"]
    if found["measure"] == "good_share" or found["constant"] == ("approve all" if approves else "deny all"):
        assert difference == NOTHING
    else:
        assert difference["low"] <= difference["value"] < 0


@pytest.mark.parametrize("approves", [True, False])
def test_of_two_equal_constants_a_constant_model_is_its_own(approves: bool) -> None:
    truth = np.arange(100) % 2 == 0
    found = skill(np.full(100, approves), truth, ACCURACY)
    assert found["constant"] == ("approve all" if approves else "deny all")
    assert found["difference"] == NOTHING


@pytest.mark.parametrize("rule", RULES, ids=by)
def test_informed_decisions_have_skill_and_random_ones_have_none(rule: CutoffRule) -> None:
    assert skill(*drawn(2_000, 0, agreement=0.8), rule)["difference"]["low"] > 0
    assert skill(*drawn(2_000, 0, agreement=0.0), rule)["difference"]["low"] < 0


@pytest.mark.parametrize("rule", RULES, ids=by)
def test_the_interval_holds_the_truth(rule: CutoffRule) -> None:
    # Given the skill on many rows, and its intervals on few
    expected = skill(*drawn(1_000_000, 0, agreement=0.6), rule)["difference"]["value"]
    found = [skill(*drawn(400, seed, agreement=0.6), rule)["difference"] for seed in range(1, 801)]
    # When these are counted, then about 95 % hold it
    held = np.mean([interval["low"] <= expected <= interval["high"] for interval in found])
    assert 0.925 <= held <= 0.975
