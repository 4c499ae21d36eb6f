"""The intervals of a model's figures, compared with values that were published or calculated by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from model.intervals import hanley_mcneil, wilson
from model.judge.figures import evaluate, roc_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.run import TrainingRun


def figure(figures: Mapping[str, Any], name: str) -> float:
    """A figure by its name."""
    return float(figures[name])


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


def test_every_figure_lies_in_its_interval(small: TrainingRun) -> None:
    # given
    judged = small.candidate.holdout
    probabilities = small.candidate.pipeline.predict_proba(judged.matrix)[:, 1]

    # when
    found = evaluate(probabilities, probabilities >= 0.5, judged, seed=0)

    # then
    assert set(found["intervals"]) == {"accuracy", "precision", "recall", "approval_rate", "roc_auc"}
    for name, interval in found["intervals"].items():
        assert interval is not None
        assert interval["low"] < figure(found, name) < interval["high"]
    for group in found["groups"]["Group"]["by_group"].values():
        for name, inside in group["intervals"].items():
            assert inside["low"] <= figure(group, name) <= inside["high"]


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
