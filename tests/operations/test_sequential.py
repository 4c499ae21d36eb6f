"""The tests on counts keep their error rate under any number of looks, and their intervals hold the truth."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.sequential import (
    Arm,
    interval,
    log_evidence,
    log_mixture,
    log_paired_evidence,
    paired_interval,
)

ALPHA = 0.05


def test_the_mixture_is_the_probability_of_a_sequence() -> None:
    # 1/2 for the first, then Laplace-Jeffreys' rule: (hits + 1/2) / (trials + 1)
    assert log_mixture((2, 1)) == pytest.approx(log(1 / 2 * 1.5 / 2 * 0.5 / 3))


@pytest.mark.parametrize("rate", [0.001, 0.05, 0.4, 0.97])
def test_looking_at_every_step_keeps_the_error_rate(rate: float) -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(300):
        first = np.cumsum(rng.binomial(90, rate, size=60))
        second = np.cumsum(rng.binomial(10, rate, size=60))
        alarms += any(
            log_evidence(Arm(int(a), 90 * look), Arm(int(b), 10 * look), 0.0, 0.0) >= -log(ALPHA)
            for look, (a, b) in enumerate(zip(first, second, strict=True), 1)
        )
    assert alarms / 300 <= ALPHA


def test_paired_looks_keep_the_error_rate() -> None:
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(300):
        counts = np.cumsum(rng.multinomial(50, [0.04, 0.04, 0.92], size=80), axis=0)
        alarms += any(
            log_paired_evidence(int(gained), int(lost), int(gained + lost + same), 0.0, 0.0) >= -log(ALPHA)
            for gained, lost, same in counts
        )
    assert alarms / 300 <= ALPHA


def test_an_interval_holds_the_truth_at_all_looks_together() -> None:
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(100):
        a, b = np.cumsum(rng.binomial(400, 0.30, size=12)), np.cumsum(rng.binomial(400, 0.36, size=12))
        bands = [
            interval(Arm(int(x), 400 * look), Arm(int(y), 400 * look), ALPHA)
            for look, (x, y) in enumerate(zip(a, b, strict=True), 1)
        ]
        missed += not all(band.low <= 0.06 <= band.high for band in bands)
    assert missed / 100 <= ALPHA


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 4000))
def test_a_paired_interval_is_around_the_observed_shift(gained: int, lost: int, same: int) -> None:
    trials = gained + lost + same
    low, high = paired_interval(gained, lost, trials, ALPHA)
    shift = (gained - lost) / trials if trials else 0.0
    assert -1 <= low <= shift <= high <= 1


@given(st.integers(0, 300), st.integers(1, 300), st.integers(0, 300), st.integers(1, 300), st.floats(0, 0.2))
def test_a_wider_null_is_never_refuted_more(hits: int, more: int, others: int, some: int, margin: float) -> None:
    first, second = Arm(hits, hits + more), Arm(others, others + some)
    assert log_evidence(first, second, -margin, margin) <= log_evidence(first, second, 0.0, 0.0) + 1e-6


def test_nothing_seen_is_no_evidence() -> None:
    assert log_evidence(Arm(0, 0), Arm(0, 0), 0, 0) == 0
    assert log_paired_evidence(0, 0, 0, 0, 0) == 0
    assert interval(Arm(0, 0), Arm(5, 10), ALPHA).low < -0.4


def test_failures_of_every_call_are_seen_within_a_handful() -> None:
    assert log_evidence(Arm(0, 90), Arm(5, 5), -1.0, 0.005) > log(100)


def test_the_paired_test_needs_far_fewer() -> None:
    # The same shift of 3 points, of 2,000 applications: seen in pairs, and not seen between two groups.
    assert log_paired_evidence(80, 20, 2_000, 0, 0) > log(20)
    assert log_evidence(Arm(760, 2_000), Arm(820, 2_000), 0, 0) < log(20)
