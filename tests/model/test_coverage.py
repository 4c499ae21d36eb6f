"""Intervals between groups hold the truth in simulated hold-outs, and a gap above the limit hardly ever passes."""

from __future__ import annotations

import numpy as np
import pytest

from model.intervals import critical, delong, largest_gap, pairs, smallest_ratio

DRAWN = 4_000
# For each sensitive column, the share approved of each group's creditworthy applicants, and how many these are.
SITUATIONS = {
    "two-alike": [([0.85, 0.85], [200, 300])],
    "two-5-points-apart": [([0.9, 0.85], [200, 300])],
    "two-20-points-apart": [([0.9, 0.7], [200, 300])],
    "unequal-sizes": [([0.8, 0.9], [20, 500])],
    "one-at-100-percent": [([1.0, 0.9], [60, 400])],
    "three-alike": [([0.8, 0.8, 0.8], [169, 285, 186])],
    # The sizes of examples/credit_data.
    "two-columns": [([0.92, 0.88], [495, 145]), ([0.87, 0.92, 0.97], [169, 285, 186])],
}
# The columns of examples/credit_data: the creditworthy applicants of each group in the hold-out.
EXAMPLE = {"married or not": [495, 145], "age": [169, 285, 186]}


@pytest.mark.parametrize("columns", SITUATIONS.values(), ids=SITUATIONS)
def test_the_intervals_of_all_columns_hold_the_truth_at_once(columns: list[tuple[list[float], list[int]]]) -> None:
    # given: many hold-outs
    generator = np.random.default_rng(0)
    z = critical(pairs(len(sizes) for _, sizes in columns))
    gap_held, ratio_held = np.ones((2, DRAWN), dtype=np.bool_)
    for shares, sizes in columns:
        approved = generator.binomial(sizes, shares, size=(DRAWN, len(sizes)))

        # when
        _, low, high = largest_gap(approved, sizes, z)
        _, ratio_low, ratio_high = smallest_ratio(approved, sizes, z)

        # then: with rounding allowed for where a bound is met exactly
        gap, ratio = max(shares) - min(shares), min(shares) / max(shares)
        gap_held &= (low <= gap + 1e-12) & (gap <= high + 1e-12)
        ratio_held &= (ratio_low <= ratio + 1e-12) & (ratio <= ratio_high + 1e-12)
    assert gap_held.mean() >= 0.93
    assert ratio_held.mean() >= 0.93


@pytest.mark.parametrize("limit", [0.05, 0.1, 0.15, 0.2])
@pytest.mark.parametrize("sizes", EXAMPLE.values(), ids=EXAMPLE)
def test_a_gap_5_points_above_the_limit_hardly_ever_passes(sizes: list[int], limit: float) -> None:
    # given: hold-outs in which the true gap is wider than the limit, whichever group it is that is approved less often
    generator = np.random.default_rng(1)
    z = critical(pairs(len(groups) for groups in EXAMPLE.values()))
    for place in range(len(sizes)):
        shares = np.full(len(sizes), 0.92)
        shares[place] -= limit + 0.05
        approved = generator.binomial(sizes, shares, size=(2_000, len(sizes)))

        # when: the gate compares the upper end with the limit
        _, _, high = largest_gap(approved, sizes, z)

        # then
        assert np.mean(high <= limit) <= 0.05


def test_the_difference_of_two_areas_lies_in_its_interval() -> None:
    # given: two models whose noise partly is the same, so that both have the same area
    generator = np.random.default_rng(2)
    held = []
    for _ in range(600):
        truth = generator.random(300) < 0.6
        shared, own, other = generator.normal(0, 1, (3, 300))

        # when
        found = delong(truth + shared + own, truth + shared + other, truth)

        # then
        assert found is not None
        held.append(found["low"] <= 0 <= found["high"])
    assert 0.93 <= np.mean(held) <= 0.98
