"""Calibration: the fit finds how far estimates are off, and the Brier skill what they are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from model.judge.calibration import brier_skill, calibration_fit, tenths
from tests.applications import invented

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


def drawn(rows: int, seed: int) -> tuple[Floats, Flags]:
    """Estimates, and outcomes drawn with these very probabilities."""
    generator = np.random.default_rng(seed)
    probabilities = expit(generator.normal(0.5, 1.5, rows))
    return probabilities, generator.random(rows) < probabilities


@pytest.mark.parametrize(("factor", "slope"), [(1.0, 1.0), (2.0, 0.5), (0.5, 2.0)], ids=["right", "extreme", "timid"])
def test_the_slope_shows_whether_estimates_are_too_extreme(factor: float, slope: float) -> None:
    # Given estimates whose log-odds are off by a factor
    probabilities, truth = drawn(20_000, seed=0)
    # When the outcomes are regressed on them
    found = calibration_fit(expit(factor * logit(probabilities)), truth)
    # Then the slope undoes the factor
    assert found is not None
    assert found["slope"]["low"] < slope < found["slope"]["high"]
    assert found["slope"]["value"] == pytest.approx(slope, abs=0.05 * slope)
    assert found["intercept"] == pytest.approx(0, abs=0.05)


def test_the_intercept_shows_whether_estimates_are_too_low() -> None:
    probabilities, truth = drawn(20_000, seed=1)
    found = calibration_fit(expit(logit(probabilities) - 1), truth)
    assert found is not None
    assert found["intercept"] == pytest.approx(1, abs=0.06)


def test_the_fit_is_that_of_an_unpenalised_logistic_regression() -> None:
    # Given few estimates
    probabilities, truth = drawn(200, seed=2)
    # When scikit-learn fits them without a penalty, then it finds the same
    theirs = LogisticRegression(C=1e12, tol=1e-10, solver="newton-cholesky").fit(logit(probabilities)[:, None], truth)
    found = calibration_fit(probabilities, truth)
    assert found is not None
    assert found["slope"]["value"] == pytest.approx(theirs.coef_[0, 0], rel=1e-4)
    assert found["intercept"] == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_the_interval_of_the_slope_holds_1() -> None:
    held = []
    for seed in range(400):
        found = calibration_fit(*drawn(400, seed))
        assert found is not None
        held.append(found["slope"]["low"] <= 1 <= found["slope"]["high"])
    assert 0.925 <= np.mean(held) <= 0.98


@pytest.mark.parametrize(
    ("probabilities", "truth"),
    [
        pytest.param([0.2, 0.4, 0.6, 0.8], [True] * 4, id="one-outcome"),
        pytest.param([0.5] * 4, [True, False, True, False], id="one-estimate"),
        pytest.param([0.2, 0.4, 0.6, 0.8], [False, False, True, True], id="separated"),
        pytest.param([0.2, 0.5, 0.5, 0.8], [False, False, True, True], id="separated-but-for-a-tie"),
        pytest.param([0.2, 0.4, 0.6, 0.8], [True, True, False, False], id="separated-the-wrong-way"),
    ],
)
def test_no_slope_is_found_where_none_is_finite(probabilities: list[float], truth: list[bool]) -> None:
    assert calibration_fit(np.array(probabilities), np.array(truth)) is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40))
def test_any_estimates_have_a_finite_fit_or_none(rows: list[tuple[float, bool]]) -> None:
    found = calibration_fit(np.array([estimate for estimate, _ in rows]), np.array([truth for _, truth in rows]))
    if found is not None:
        assert np.isfinite([found["slope"]["low"], found["slope"]["high"], found["intercept"]]).all()
        assert found["slope"]["low"] < found["slope"]["value"] < found["slope"]["high"]


def test_the_brier_skill_is_0_for_the_recorded_share_and_1_for_the_truth() -> None:
    # Given outcomes, and estimates of different worth
    truth = np.arange(100) < 30
    worthless, perfect = brier_skill(np.full(100, 0.3), truth), brier_skill(truth.astype(np.float64), truth)
    misleading = brier_skill(np.full(100, 0.9), truth)
    # When they are scored, then 0 is the recorded share, known exactly, 1 the truth, and less than 0 worse
    assert worthless == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert perfect == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert misleading is not None
    assert misleading["high"] < 0


def test_the_interval_of_the_brier_skill_holds_the_truth() -> None:
    expected = brier_skill(*drawn(1_000_000, seed=0))
    assert expected is not None
    held = []
    for seed in range(1, 801):
        found = brier_skill(*drawn(400, seed))
        assert found is not None
        held.append(found["low"] <= expected["value"] <= found["high"])
    assert 0.925 <= np.mean(held) <= 0.975


def test_tenths_are_those_of_scikit_learn_with_their_size_and_interval() -> None:
    # Given estimates with many ties
    applications, probabilities, _ = invented(2_000, seed=1)
    truth, probabilities = applications.approved, np.round(probabilities, 2)
    # When they are divided into tenths
    found = tenths(probabilities, truth)
    # Then scikit-learn finds the same, all rows are counted, and each share lies in its interval
    observed, predicted = calibration_curve(truth, probabilities, n_bins=10, strategy="quantile")
    assert [tenth["observed"] for tenth in found] == pytest.approx(observed)
    assert [tenth["predicted"] for tenth in found] == pytest.approx(predicted)
    assert sum(tenth["rows"] for tenth in found) == 2_000
    assert all(tenth["interval"]["low"] <= tenth["observed"] <= tenth["interval"]["high"] for tenth in found)
