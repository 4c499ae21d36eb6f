"""The intervals of a model's figures, compared with values that were published or calculated by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.intervals import (
    critical,
    delong,
    donner_zou,
    estimate,
    hanley_mcneil,
    largest_gap,
    newcombe,
    smallest_ratio,
    wilson,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_a_share_has_wilsons_interval() -> None:
    # (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n) for 8 of 10, z = 1.959964
    assert wilson(8, 10) == pytest.approx({"low": 0.490162, "high": 0.943318}, abs=1e-6)


@pytest.mark.parametrize(("count_of", "total"), [(0, 50), (50, 50), (0, 0)])
def test_a_share_at_its_bounds_stays_inside_them(count_of: int, total: int) -> None:
    interval = wilson(count_of, total)
    assert 0 <= interval["low"] < interval["high"] <= 1


def test_an_area_has_hanley_and_mcneils_interval() -> None:
    # At 0.5 both Q1 and Q2 are 1/3, so the variance is (0.25 + 2 · 99 · (1/3 - 1/4)) / 100² = 0.001675.
    half = 1.959964 * 0.001675**0.5
    assert hanley_mcneil(0.5, 100, 100) == pytest.approx({"low": 0.5 - half, "high": 0.5 + half}, abs=1e-6)


# R. G. Newcombe (1998), table II, method 10.
PUBLISHED = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
]


def test_a_difference_of_shares_has_newcombes_published_interval() -> None:
    one, one_total, other, other_total = np.array([counts for counts, _ in PUBLISHED]).T
    low, high = newcombe(one, one_total, other, other_total, critical(1))
    published = np.array([ends for _, ends in PUBLISHED])
    assert np.column_stack([low, high]) == pytest.approx(published, abs=5e-5)


def test_a_difference_without_rows_may_be_anything() -> None:
    low, high = newcombe(3, 4, 0, 0, critical(1))
    assert low <= 0.75 - 1
    assert high >= 0.75


def test_a_ratio_of_shares_has_donner_and_zous_interval() -> None:
    # An end R is where the interval of the difference, one share - R x the other, ends at 0.
    one, other = wilson(30, 80), wilson(50, 70)
    low, high = donner_zou(30, 80, 50, 70, critical(1))
    share, other_share = 30 / 80, 50 / 70
    assert share - low * other_share == pytest.approx(np.hypot(share - one["low"], low * (other["high"] - other_share)))
    assert high * other_share - share == pytest.approx(
        np.hypot(one["high"] - share, high * (other_share - other["low"]))
    )


@pytest.mark.parametrize("counts", [(30, 80, 50, 70), (1, 10, 10, 10), (3, 3, 1, 500)], ids=str)
def test_the_inverse_ratio_has_the_inverse_interval(counts: tuple[int, int, int, int]) -> None:
    low, high = donner_zou(*counts, critical(1))
    inverse_low, inverse_high = donner_zou(*counts[2:], *counts[:2], critical(1))
    assert (float(inverse_low), float(inverse_high)) == pytest.approx((1 / high, 1 / low))


def test_a_ratio_of_a_share_that_is_0_has_an_open_end() -> None:
    assert donner_zou(0, 10, 5, 10, critical(1))[0] == 0
    assert donner_zou(5, 10, 0, 10, critical(1))[1] == np.inf


def test_the_largest_gap_is_that_of_its_widest_pair() -> None:
    # given: groups at 90, 60 and 75 %
    approved, rows = np.array([90, 30, 75]), np.array([100, 50, 100])

    # when
    value, low, high = largest_gap(approved, rows, critical(3))

    # then
    pair_low, pair_high = newcombe(90, 100, 30, 50, critical(3))
    assert (float(value), float(low), float(high)) == pytest.approx((0.3, float(pair_low), float(pair_high)))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=2, max_size=5))
def test_the_largest_gap_and_the_smallest_ratio_lie_in_their_intervals(groups: list[tuple[int, int]]) -> None:
    rows = [total for _, total in groups]
    approved = [min(count, total) for count, total in groups]
    for value, low, high in (largest_gap(approved, rows, critical(3)), smallest_ratio(approved, rows, critical(3))):
        assert np.isnan(value) or low - 1e-12 <= value <= high + 1e-12
        assert 0 <= low <= high <= 1


def test_groups_that_may_be_alike_have_a_gap_that_may_be_0() -> None:
    value, low, high = largest_gap([80, 82], [100, 100], critical(1))
    assert 0 == low < value < high


def test_a_group_at_100_percent_has_an_uncertain_gap() -> None:
    _, low, high = largest_gap([30, 30], [30, 30], critical(1))
    assert low == 0 < high


def test_gaps_of_many_tables_are_found_at_once() -> None:
    # given: three tables of two groups
    approved, rows = np.array([[9, 8], [5, 8], [0, 8]]), np.array([10, 10])

    # when
    at_once = largest_gap(approved, rows, critical(1)), smallest_ratio(approved, rows, critical(1))

    # then
    for table, counts in enumerate(approved):
        one_by_one = largest_gap(counts, rows, critical(1)), smallest_ratio(counts, rows, critical(1))
        assert [[end[table] for end in ends] for ends in at_once] == [[*ends] for ends in one_by_one]


def test_the_smallest_ratio_stays_between_0_and_1() -> None:
    value, low, high = smallest_ratio([100, 95, 0], [100, 100, 40], critical(3))
    assert value == low == 0
    assert 0 < high < 1
    _, low, high = smallest_ratio([80, 82], [100, 100], critical(1))
    assert 0 < low < high == 1
    assert np.isnan(smallest_ratio([0, 0], [100, 100], critical(1))[0])


def test_a_mean_has_its_normal_interval() -> None:
    # A share of 0.8 in 100 rows has the standard error 0.04.
    values = np.repeat([1.0, 0.0], [80, 20])
    assert estimate(values, 0.8) == pytest.approx({"value": 0.8, "low": 0.8 - 0.0784, "high": 0.8 + 0.0784}, abs=1e-4)


def ranked(estimates: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Whether each creditworthy row is above each other one, and half if they are equal; shape (approve, deny)."""
    found: NDArray[np.float64] = 0.5 + 0.5 * np.sign(estimates[truth][:, np.newaxis] - estimates[~truth])
    return found


def test_the_difference_of_two_areas_has_delongs_interval() -> None:
    # given: two models, one of which gives many rows the same estimate
    generator = np.random.default_rng(3)
    truth = generator.random(200) < 0.4
    one = truth + generator.normal(0, 1, 200)
    other = np.round(one + generator.normal(0, 1, 200))

    # when
    found = delong(one, other, truth)

    # then: the variance of the means over each outcome's rows, from all pairs of rows
    wins = ranked(one, truth) - ranked(other, truth)
    half = 1.959964 * (wins.mean(axis=1).var() / truth.sum() + wins.mean(axis=0).var() / (~truth).sum()) ** 0.5
    expected = {"value": wins.mean(), "low": wins.mean() - half, "high": wins.mean() + half}
    assert found == pytest.approx(expected, abs=1e-6)


def test_areas_of_the_same_model_do_not_differ() -> None:
    truth, estimates = np.array([True, False, True, False]), np.array([0.9, 0.2, 0.4, 0.5])
    assert delong(estimates, estimates, truth) == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert delong(estimates, estimates, np.ones(4, dtype=np.bool_)) is None
