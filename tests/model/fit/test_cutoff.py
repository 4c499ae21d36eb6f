"""The cut-off: its candidates, the rule that chooses among them, the limit on the gap, and the tie-break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.applicant import Applicant
from model.errors import TrainingError
from model.fit.cutoff import RESOLUTION, candidate_cutoffs, choose_cutoff, operating_curve
from model.judge.limits import limits_of
from tests.applications import invented, judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.fit.task import Limits


def limited(gap: float = 1.0, **cutoff: Any) -> Limits:
    """The default limits with another limit on the gap, and another rule for the cut-off."""
    return {**limits_of(Applicant), "maximum_equal_opportunity_gap": gap, "cutoff": {"by": "accuracy", **cutoff}}  # type: ignore[typeddict-item]  # a rule is checked by the policy


@given(
    probabilities=st.lists(st.floats(0, 1), min_size=2, max_size=60).filter(
        lambda found: max(found) - min(found) > 0.01
    )
)
def test_candidate_cutoffs_keep_a_distance_from_every_probability(probabilities: list[float]) -> None:
    cutoffs = candidate_cutoffs(np.array(probabilities))
    assert 1 <= len(cutoffs) <= len(set(probabilities)) - 1
    assert list(cutoffs) == sorted(cutoffs)
    for cutoff in cutoffs:
        assert min(abs(cutoff - probability) for probability in probabilities) > RESOLUTION / 3
        assert min(probabilities) < cutoff < max(probabilities)


def test_many_probabilities_give_no_more_than_a_thousand_candidates() -> None:
    cutoffs = candidate_cutoffs(np.random.default_rng(0).random(20_000))
    assert 990 <= len(cutoffs) <= 1000
    assert cutoffs[0] < 0.01
    assert cutoffs[-1] > 0.99


def test_model_with_one_probability_for_all_is_refused() -> None:
    with pytest.raises(TrainingError, match="same probability"):
        candidate_cutoffs(np.full(10, 0.4) + np.arange(10) * 1e-9)


RULES: list[dict[str, Any]] = [
    {"by": "accuracy"},
    {"by": "cost", "false_approve": 5.0, "false_deny": 1.0},
    {"by": "bad_share", "at_most": 0.25},
    {"by": "approved_share", "share": 0.4},
]


def measured(rule: dict[str, Any], truth: NDArray[np.bool_], approved: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What each row adds to the rule's measure, calculated from the decisions themselves."""
    match rule["by"]:
        case "cost":
            costs = np.where(approved, rule["false_approve"] * ~truth, rule["false_deny"] * truth)
            return np.asarray(-costs, dtype=np.float64)
        case "bad_share":
            return np.asarray(approved, dtype=np.float64)
        case _:
            return np.asarray(approved == truth, dtype=np.float64)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["by"]))
@settings(max_examples=25)
@given(seed=st.integers(0, 9_999), limit=st.floats(0.2, 0.9))
def test_cutoff_is_as_good_as_the_best_that_the_policy_allows_and_the_fairest_of_these(
    rule: dict[str, Any], seed: int, limit: float
) -> None:
    # Given what each candidate does, calculated one by one
    applications, probabilities, _ = invented(300, seed)
    truth, groups = applications.approved, applications.groups["Group"]
    candidates = candidate_cutoffs(probabilities)[::7]
    curve = operating_curve(probabilities, applications, candidates)
    found = []
    for cutoff, upper in zip(candidates, curve.upper, strict=True):
        approved = probabilities >= cutoff
        rates = [approved[truth & (groups == name)].mean() for name in ("0", "1")]
        gap = abs(rates[0] - rates[1])
        bad = (approved & ~truth).sum() / max(1, approved.sum())
        allowed = rule["by"] != "bad_share" or bad <= rule["at_most"]
        found.append((float(cutoff), gap, upper <= limit and allowed, approved))
    # When one is chosen
    choice = choose_cutoff(candidates, probabilities, applications, limited(limit, **rule))
    # Then it is within the limit, not measurably worse than any that is, and of those as good none has a smaller gap
    assert choice.within == sum(within for _, _, within, _ in found)
    if not choice.within:
        return
    chosen = next(entry for entry in found if entry[0] == choice.cutoff)
    assert chosen[2]
    assert choice.gap == pytest.approx(chosen[1])
    if rule["by"] == "approved_share":
        error = np.sqrt(0.4 * 0.6 / 300)
        away = {cutoff: abs(approved.mean() - 0.4) for cutoff, _, within, approved in found if within}
        tied = [cutoff for cutoff, distance in away.items() if distance <= min(away.values()) + error + 1e-12]
    else:
        values = {cutoff: measured(rule, truth, approved) for cutoff, _, within, approved in found if within}
        best = max(values.values(), key=lambda value: float(value.mean()))
        tied = [
            cutoff
            for cutoff, value in values.items()
            if (best - value).mean() <= (best - value).std() / np.sqrt(300) + 1e-12
        ]
        assert choice.best_value == pytest.approx(best.mean())
        assert choice.value == pytest.approx(values[choice.cutoff].mean())
    assert choice.tied == len(tied)
    assert choice.cutoff in tied
    assert choice.gap == pytest.approx(min(gap for cutoff, gap, _, _ in found if cutoff in tied))


def test_limit_that_costs_nothing_is_not_binding() -> None:
    applications, probabilities, _ = invented(2_000, 3)
    candidates = candidate_cutoffs(probabilities)
    free = choose_cutoff(candidates, probabilities, applications, limited(1.0))
    held = choose_cutoff(candidates, probabilities, applications, limited(0.15))
    assert not free.binding
    assert held.binding
    assert held.best_value < free.best_value == held.most


def test_tie_break_is_worth_a_smaller_gap_at_no_measurable_cost() -> None:
    # Given a cut-off that agrees with one outcome more of a hundred, and another without any gap
    truth = np.arange(100) % 2 == 0
    applications = judged(truth, Group=np.where(np.arange(100) < 50, "a", "b"))
    probabilities = np.where(truth, 0.8, 0.2)
    probabilities[[0, 1, 3]] = [0.6, 0.5, 0.55]
    choice = choose_cutoff(np.array([0.3, 0.57, 0.7]), probabilities, applications, limited())
    # Then the second is the best, the first as good within one standard error; neither has a gap
    assert (choice.cutoff, choice.best_value, choice.tied) == (0.57, 1.0, 1)
    # When the best has a gap
    probabilities[0] = 0.1
    choice = choose_cutoff(np.array([0.05, 0.57]), probabilities, applications, limited())
    assert choice.gap <= choice.best_gap


def test_narrower_limit_than_any_gap_leaves_the_smallest() -> None:
    applications, probabilities, _ = invented(400, 1)
    candidates = candidate_cutoffs(probabilities)
    choice = choose_cutoff(candidates, probabilities, applications, limited(0.0))
    curve = operating_curve(probabilities, applications, candidates)
    assert choice.within == 0
    assert curve.upper[candidates == choice.cutoff] == curve.upper.min()


def test_limit_counts_with_the_interval_of_the_holdout() -> None:
    # Given the same rows, of which a fifth or a half will judge the model: the smaller hold-out shows less
    applications, probabilities, _ = invented(4_000, 2)
    candidates = candidate_cutoffs(probabilities)
    small, large = (
        choose_cutoff(candidates, probabilities, applications, limited(0.25), rows=len(probabilities) * share)
        for share in (0.05, 1.0)
    )
    assert small.within < large.within


def test_fixed_cutoff_is_taken_as_given() -> None:
    applications, probabilities, _ = invented(300, 4)
    choice = choose_cutoff(
        candidate_cutoffs(probabilities), probabilities, applications, limited(by="value", cutoff=0.4321)
    )
    assert (choice.cutoff, choice.candidates, choice.by) == (0.4321, 1, "value")


def test_share_of_bad_that_no_cutoff_reaches_is_refused_with_the_smallest_one() -> None:
    applications = judged(np.array([True, False] * 50), Group=np.array(["a", "b"] * 50))
    probabilities = np.tile([0.6, 0.6, 0.4, 0.4], 25)
    with pytest.raises(TrainingError, match=r"at most 10.0% .* the smallest share is 50.0%"):
        choose_cutoff(np.array([0.5]), probabilities, applications, limited(by="bad_share", at_most=0.1))
