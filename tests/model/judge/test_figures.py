"""Figures match their definitions and fairlearn, and are None if the data cannot show them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
)
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from model.fit.cutoff import operating_curve
from model.judge.figures import evaluate
from model.judge.gate import judge
from tests.applications import invented, judged
from tests.model.judge.test_gate import question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lambda_app.manifest import Difference, Interval


def ends(figure: Difference | Interval | None) -> tuple[float, float]:
    """The two ends of an interval that is known."""
    assert figure is not None
    assert figure["low"] is not None
    assert figure["high"] is not None
    return figure["low"], figure["high"]


def named(figures: Mapping[str, Any], name: str) -> float:
    """A figure by its name."""
    return float(figures[name])


def test_differences_agree_with_fairlearn() -> None:
    applications, probabilities, approved = invented(5_000, seed=1)
    figures = evaluate(probabilities, approved, applications)["groups"]["Group"]
    given_to = {
        "y_true": applications.approved,
        "y_pred": approved,
        "sensitive_features": applications.groups["Group"].astype(str),
    }
    for found, theirs in (
        (figures["equal_opportunity_difference"], equal_opportunity_difference),
        (figures["demographic_parity_difference"], demographic_parity_difference),
        (figures["adverse_impact_ratio"], demographic_parity_ratio),
    ):
        value = theirs(**given_to)
        low, high = ends(found)
        assert found["value"] == pytest.approx(value, abs=1e-12)
        assert low < value < high


def test_every_figure_lies_in_its_interval() -> None:
    # Given a model's figures
    applications, probabilities, approved = invented(2_000, seed=3)
    figures = evaluate(probabilities, approved, applications)
    # When they are compared with their intervals, then each lies between the ends
    assert set(figures["intervals"]) == {"accuracy", "precision", "recall", "approval_rate", "roc_auc"}
    for name, interval in figures["intervals"].items():
        low, high = ends(interval)
        assert low < named(figures, name) < high
    for group in figures["groups"]["Group"]["by_group"].values():
        assert set(group["intervals"]) == {"recorded_rate", "approval_rate", "true_positive_rate", "accuracy"}
        for name, inside in group["intervals"].items():
            assert inside["low"] < named(group, name) < inside["high"]


def test_figures_follow_from_the_confusion_counts() -> None:
    applications, probabilities, approved = invented(2_000, seed=4)
    figures = evaluate(probabilities, approved, applications)
    counts = figures["confusion"]
    right, wrong = counts["true_approve"] + counts["true_deny"], counts["false_approve"] + counts["false_deny"]
    assert right + wrong == figures["rows"] == 2_000
    assert figures["accuracy"] == pytest.approx(right / 2_000)
    precision = counts["true_approve"] / (counts["true_approve"] + counts["false_approve"])
    recall = counts["true_approve"] / (counts["true_approve"] + counts["false_deny"])
    assert (figures["precision"], figures["recall"]) == pytest.approx((precision, recall))
    assert figures["f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert figures["brier"] == pytest.approx(np.mean((probabilities - applications.approved) ** 2))
    assert figures["approval_rate"] == pytest.approx(approved.mean())
    assert sum(group["rows"] for group in figures["groups"]["Group"]["by_group"].values()) == 2_000


def test_rows_without_a_group_are_counted_and_left_out() -> None:
    applications, probabilities, approved = invented(1_000, seed=5)
    names = applications.groups["Group"].copy()
    names[:100] = ""
    figures = evaluate(probabilities, approved, judged(applications.approved, Group=names))["groups"]["Group"]
    assert figures["rows_without_group"] == 100
    assert sum(group["rows"] for group in figures["by_group"].values()) == 900
    assert "" not in figures["by_group"]


def test_gap_is_the_widest_over_all_columns() -> None:
    applications, probabilities, approved = invented(2_000, seed=6)
    halves = np.arange(2_000) % 2
    both = judged(applications.approved, Group=applications.groups["Group"], Half=halves.astype(str))
    figures = evaluate(probabilities, approved, both)
    wide, narrow = (column["equal_opportunity_difference"]["value"] for column in figures["groups"].values())
    assert wide is not None
    assert narrow is not None
    assert figures["equal_opportunity_gap"] == wide > narrow


UNKNOWN = {
    "group-without-creditworthy": np.array(["a", "a", "b", "b"] * 25),
    "one-group": np.array(["a"] * 100),
    "no-group-known": np.array([""] * 100),
}


@pytest.mark.parametrize("names", UNKNOWN.values(), ids=UNKNOWN)
def test_difference_that_the_data_cannot_show_is_none_and_denied(names: NDArray[Any]) -> None:
    # Given groups between which creditworthy applicants cannot be compared
    truth = np.array([True, False, False, False] * 25)
    probabilities = np.linspace(0.1, 0.9, 100)
    # When the model is judged
    figures = evaluate(probabilities, probabilities >= 0.5, judged(truth, Group=names))
    # Then the figure is None, the figures are still JSON, and the gate says no
    assert set(figures["groups"]["Group"]["equal_opportunity_difference"].values()) == {None}
    assert figures["equal_opportunity_gap"] is None
    json.dumps(figures, allow_nan=False)
    denials = {rule for rule, _ in judge({**question("passes"), "metrics": figures, "champion": None}).denials}
    assert "equal_opportunity" in denials


def test_gap_without_a_sensitive_column_is_unknown() -> None:
    probabilities = np.linspace(0.1, 0.9, 100)
    figures = evaluate(probabilities, probabilities >= 0.5, judged(np.array([True, False] * 50)))
    assert figures["equal_opportunity_gap"] is None


@pytest.mark.parametrize("outcome", [True, False], ids=["all-creditworthy", "none-creditworthy"])
@pytest.mark.parametrize("cutoff", [0.0, 0.5, 2.0], ids=["all-approved", "half-approved", "none-approved"])
def test_figures_of_one_sided_data_are_json(outcome: bool, cutoff: float) -> None:
    probabilities = np.linspace(0.1, 0.9, 100)
    applications = judged(np.full(100, outcome), Group=np.array(["a", "b"] * 50))
    figures = evaluate(probabilities, probabilities >= cutoff, applications)
    json.dumps(figures, allow_nan=False)
    assert figures["roc_auc"] is None
    assert figures["intervals"]["roc_auc"] is None
    assert figures["calibration_fit"] is None
    assert figures["brier_skill"] is None
    if cutoff > 1:
        assert figures["groups"]["Group"]["adverse_impact_ratio"]["value"] is None


@given(seed=st.integers(0, 10_000), cutoffs=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_operating_curve_is_accuracy_and_gap_at_each_cutoff(seed: int, cutoffs: list[float]) -> None:
    applications, probabilities, _ = invented(80, seed)
    truth, groups = applications.approved, applications.groups["Group"]
    curve = operating_curve(probabilities, applications, np.array(cutoffs))
    for cutoff, accuracy, gap, share in zip(cutoffs, curve.accuracy, curve.gap, curve.approval_rate, strict=True):
        approved = probabilities >= cutoff
        assert share == pytest.approx(approved.mean())
        assert accuracy == pytest.approx(accuracy_score(truth, approved))
        rates = [
            approved[truth & (groups == name)].mean() for name in np.unique(groups) if (truth & (groups == name)).any()
        ]
        assert gap == pytest.approx(max(rates) - min(rates))
        assert not math.isnan(gap)
