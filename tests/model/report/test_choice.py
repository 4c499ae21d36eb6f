"""How the cut-off was chosen, in words: by which rule, whether the limit was binding, what the tie-break was worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from model.report.choice import choice_words, smaller_gaps

if TYPE_CHECKING:
    from model.fit.task import CutoffRule
    from model.judge.comparison import Metrics
    from model.run import TrainingRun

BY_ACCURACY: CutoffRule = {"by": "accuracy"}
MITIGATES = "This mitigates a difference between groups but does not remove it."
DOES_NOT = "it does not mitigate the difference between groups."


def choice(**changes: Any) -> dict[str, Any]:
    """A choice by accuracy that neither the limit nor the tie-break affected."""
    found = {
        "cutoff": 0.55,
        "by": "accuracy",
        "candidates": 90,
        "limit": 0.2,
        "within": 90,
        "tied": 1,
        "value": 0.93,
        "gap": 0.14,
        "best_value": 0.93,
        "best_gap": 0.14,
        "most": 0.93,
        **changes,
    }
    return {**found, "binding": found["best_value"] < found["most"]}


def said(found: dict[str, Any] | None, rule: CutoffRule = BY_ACCURACY, *, groups: bool = True) -> str:
    return " ".join(choice_words(found, rule, 0.55, groups=groups)).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("changes", "expected", "mitigates"),
    [
        pytest.param({}, "was not binding: all of these keep the interval", False, id="met-by-all"),
        pytest.param(
            {"within": 87},
            "was not binding: 87 keep the interval of the equal-opportunity gap, as wide as on the hold-out, within "
            "20.0 percentage points, the policy's limit minus a margin, and no other that the rule allows is better.",
            False,
            id="met-by-the-best",
        ),
        pytest.param(
            {"within": 40, "best_value": 0.92, "value": 0.92},
            "At the best of these, accuracy is 92.00 %; at the best of all, 93.00 %.",
            True,
            id="binding",
        ),
        pytest.param({"within": 0, "most": 0.94}, "None of these keeps the interval", True, id="met-by-none"),
    ],
)
def test_says_whether_the_limit_affected_the_cutoff(changes: dict[str, Any], expected: str, mitigates: bool) -> None:
    words = said(choice(**changes))
    assert expected in words
    assert (MITIGATES in words, DOES_NOT in words) == (mitigates, not mitigates)


@pytest.mark.parametrize(
    ("changes", "expected", "mitigates"),
    [
        pytest.param({}, "No other cut-off is within one standard error of the best.", False, id="alone"),
        pytest.param(
            {"tied": 12}, "12 cut-offs are within one standard error of the best", False, id="best of the ties"
        ),
        pytest.param(
            {"tied": 12, "value": 0.9293, "gap": 0.131},
            "a gap of 13.1 percentage points instead of 14.0 percentage points, at a cost of 0.07 percentage points in "
            "accuracy, which these applications cannot tell from nothing.",
            True,
            id="smaller gap",
        ),
    ],
)
def test_says_what_the_tie_break_was_worth(changes: dict[str, Any], expected: str, mitigates: bool) -> None:
    words = said(choice(**changes))
    assert expected in words
    assert (MITIGATES in words) is mitigates


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        pytest.param(
            BY_ACCURACY, {}, "asks for the cut-off that agrees most often with the recorded outcomes", id="accuracy"
        ),
        pytest.param(
            {"by": "cost", "false_approve": 5, "false_deny": 1},
            {"by": "cost", "tied": 3, "value": -0.205, "best_value": -0.2, "most": -0.2, "gap": 0.1},
            "where a wrong approval costs 5 and a wrong denial 1",
            id="cost",
        ),
        pytest.param(
            {"by": "bad_share", "at_most": 0.02},
            {"by": "bad_share"},
            "approves most, while at most 2.0 % of the approved are labelled deny",
            id="bad share",
        ),
        pytest.param(
            {"by": "approved_share", "share": 0.3},
            {"by": "approved_share", "value": -0.001, "best_value": -0.001, "most": 0},
            "approves closest to 30.0 % of the applicants",
            id="approved share",
        ),
        pytest.param(
            {"by": "value", "cutoff": 0.55}, {"by": "value"}, "is the one that the policy gives: 0.55.", id="given"
        ),
    ],
)
def test_names_the_rule(rule: CutoffRule, changes: dict[str, Any], expected: str) -> None:
    assert expected in said(choice(**changes), rule)


def test_measures_the_tie_break_in_the_rules_own_unit() -> None:
    found = choice(by="cost", tied=3, value=-0.205, best_value=-0.2, most=-0.2, gap=0.1)
    words = said(found, {"by": "cost", "false_approve": 5, "false_deny": 1})
    assert "at a cost of 0.005 an application in the cost of wrong decisions" in words


def test_speaks_of_no_gap_without_groups_and_of_no_choice_without_one() -> None:
    assert "gap" not in said(choice(), groups=False)
    assert "was chosen when the model was first trained" in said(None)


@pytest.mark.parametrize("within", [True, False])
def test_says_which_smaller_gap_costs_no_more_than_chance(within: bool, small: TrainingRun) -> None:
    # Given cut-offs with a smaller gap, of which one has an accuracy inside the interval of the chosen one or none has
    metrics: Any = small.assessment.metrics
    scorecard = metrics["scorecard"]
    low, gap = scorecard["intervals"]["accuracy"]["low"], scorecard["equal_opportunity_gap"]
    others = [
        {"cutoff": 0.2, "accuracy": low - 0.1, "gap": 0.0, "approval_rate": 0.4},
        {"cutoff": 0.4, "accuracy": low + (0.001 if within else -0.001), "gap": gap / 2, "approval_rate": 0.4},
        {"cutoff": 0.8, "accuracy": low + 0.01, "gap": gap * 2, "approval_rate": 0.2},
    ]
    # When they are put in words
    words = smaller_gaps(cast("Metrics", {**metrics, "alternatives": others}))
    # Then the cut-off is named, or that there is none
    assert words.startswith(
        "At 0.4 the gap is" if within else "Every listed cut-off with a smaller gap has an accuracy below"
    )


def test_claims_nothing_about_smaller_gaps_where_there_is_none(small: TrainingRun) -> None:
    metrics: Any = {**small.assessment.metrics, "alternatives": []}
    assert smaller_gaps(metrics) == ""
