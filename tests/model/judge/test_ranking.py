"""The figures of the ranking: the ROC curve, what follows from it, and the gains table."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from model.judge.ranking import ranking, roc_points
from tests.applications import invented


def test_the_roc_curve_goes_from_corner_to_corner() -> None:
    # given
    generator = np.random.default_rng(0)
    truth = generator.random(5_000) < 0.4
    probabilities = np.clip(0.3 * truth + 0.7 * generator.random(5_000), 0, 1)

    # when
    curve = roc_points(probabilities, truth)

    # then
    across = [point["false_positive_rate"] for point in curve]
    up = [point["true_positive_rate"] for point in curve]
    assert len(curve) <= 100
    assert (across[0], up[0], across[-1], up[-1]) == (0, 0, 1, 1)
    assert across == sorted(across)
    assert up == sorted(up)


def test_ks_is_kolmogorov_and_smirnovs_distance() -> None:
    # given: estimates with ties
    applications, probabilities, _ = invented(2_000, seed=1)
    truth, probabilities = applications.approved, np.round(probabilities, 1)

    # when
    found = ranking(probabilities, truth)

    # then
    assert found["ks"] == pytest.approx(ks_2samp(probabilities[truth], probabilities[~truth]).statistic)
    assert found["roc_auc"] is not None
    assert found["gini"] == pytest.approx(2 * found["roc_auc"] - 1)


def test_a_model_that_ranks_the_wrong_way_has_no_distance() -> None:
    found = ranking(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))
    assert (found["roc_auc"], found["gini"], found["ks"]) == (0, -1, 0)


def test_gains_are_cumulated_from_the_best_tenth() -> None:
    # given: 20 applicants in order, of whom the best 4 and the 7th are creditworthy
    probabilities = np.arange(20, 0, -1) / 20
    truth = np.isin(np.arange(20), [0, 1, 2, 3, 6])

    # when
    gains = ranking(probabilities, truth)["gains"]

    # then: after the fourth tenth, 8 applicants, 5 creditworthy and 3 others
    assert len(gains) == 10
    assert gains[3] == pytest.approx({"share": 0.4, "lowest": 0.65, "bad_share": 3 / 8, "approve": 1.0, "deny": 3 / 15})
    assert gains[-1] == pytest.approx({"share": 1.0, "lowest": 0.05, "bad_share": 15 / 20, "approve": 1.0, "deny": 1.0})


def test_equal_estimates_stay_in_one_line_of_the_gains_table() -> None:
    # given: three estimates, in whatever order the rows come
    probabilities = np.repeat([0.2, 0.9, 0.5], [10, 5, 5])
    truth = np.arange(20) % 3 == 0

    # when
    gains = ranking(probabilities, truth)["gains"]

    # then
    assert [(gain["lowest"], gain["share"]) for gain in gains] == [(0.9, 0.25), (0.5, 0.5), (0.2, 1.0)]
    shuffled = np.random.default_rng(0).permutation(20)
    assert ranking(probabilities[shuffled], truth[shuffled])["gains"] == gains


@pytest.mark.parametrize("outcome", [True, False])
def test_one_outcome_alone_cannot_be_ranked(outcome: bool) -> None:
    found = ranking(np.linspace(0.1, 0.9, 10), np.full(10, outcome))
    assert found == {"roc_auc": None, "gini": None, "ks": None, "gains": []}
