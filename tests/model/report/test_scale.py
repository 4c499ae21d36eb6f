"""The scale of points: its two fixed points, and agreement with the log-odds that decide."""

from __future__ import annotations

from math import log

import pytest

from model.report.scale import Scale


@pytest.mark.parametrize(("odds", "score"), [(50, 600), (100, 620), (200, 640), (25, 580), (1, 487)])
def test_a_score_stands_for_its_odds(odds: float, score: int) -> None:
    assert Scale(600, 50.0, 20).score(log(odds)) == score


def test_settings_that_state_a_scale_are_followed() -> None:
    # Given a manifest's settings with a scale, and those of an older artifact
    stated = {"seed": 3, "base_score": 500, "base_odds": 1.0, "points_to_double": 40}
    # When they are read, then the scale is theirs, or else the default one
    assert Scale.of(stated) == Scale(500, 1.0, 40)
    assert Scale.of({"seed": 3}) == Scale() == Scale(600, 50.0, 20)


def test_base_and_points_add_up_but_for_rounding() -> None:
    # Given an intercept and some fields' points
    scale, intercept, points = Scale(), -9.7, [2.401, 0.972, 2.425, 0.0, 0.333]
    # When they are added up on the scale
    added = scale.score(intercept) + sum(scale.points(each) for each in points)
    # Then each summand can be half a point off
    assert abs(added - scale.score(intercept + sum(points))) <= (len(points) + 2) / 2
