"""The sentences about groups: who is approved less, who is misjudged, and what the data cannot show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from model.report import groups

if TYPE_CHECKING:
    from lambda_app.manifest import ColumnFigures, Difference, GroupFigures

UNKNOWN: Difference = {"value": None, "low": None, "high": None, "lowest": None, "highest": None}


def group(rows: int, creditworthy: int, approved: float, qualified: float | None, estimated: float) -> GroupFigures:
    return {
        "rows": rows,
        "creditworthy": creditworthy,
        "recorded_rate": creditworthy / rows,
        "estimated_rate": estimated,
        "approval_rate": approved,
        "true_positive_rate": qualified,
        "accuracy": 0.9,
        "intervals": {},
    }


def column(**changes: Any) -> ColumnFigures:
    """Two groups: the first is approved half as often, and its creditworthy more often."""
    figures: Any = {
        "by_group": {"0": group(1000, 199, 0.287, 0.99, 0.269), "1": group(1000, 577, 0.563, 0.85, 0.575)},
        "smallest_group": 1000,
        "smallest_creditworthy": 199,
        "rows_without_group": 0,
        "equal_opportunity_difference": {"value": 0.14, "low": 0.1, "high": 0.18, "lowest": "1", "highest": "0"},
        "demographic_parity_difference": {"value": 0.276, "low": 0.2, "high": 0.3, "lowest": "0", "highest": "1"},
        "adverse_impact_ratio": {"value": 0.51, "low": 0.46, "high": 0.56, "lowest": "0", "highest": "1"},
    }
    return cast("ColumnFigures", {**figures, **changes})


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_says_which_group_is_approved_less() -> None:
    assert plain(groups.approved_less("Group", column())) == (
        "Group 0 is approved about half as often as Group 1: 28.7 % against 56.3 % "
        "(adverse impact ratio 0.51, 95 % interval 0.46 to 0.56)."
    )


def test_says_between_which_groups_the_gap_lies() -> None:
    assert plain(groups.gap("Group", column())) == (
        "Of the creditworthy, 85.0 % are approved in Group 1 and 99.0 % in Group 0: a gap of 14.0 percentage points "
        "(95 % interval 10.0 to 18.0)."
    )


def test_finds_the_groups_that_an_older_artifact_does_not_name() -> None:
    # Given differences without the names of their groups
    named = column()
    older = column(
        equal_opportunity_difference={"value": 0.14, "low": 0.1, "high": 0.18},
        adverse_impact_ratio={"value": 0.51, "low": 0.46, "high": 0.56},
    )
    # When they are put in words, then the groups are found by their rates
    assert groups.gap("Group", older) == groups.gap("Group", named)
    assert groups.approved_less("Group", older) == groups.approved_less("Group", named)


def test_names_groups_that_are_estimated_too_high_or_too_low() -> None:
    # Given a group whose estimates exceed its record by more than chance, and one that is within chance
    assert plain(groups.misjudged("Group", column())) == (
        "Group 0 is overestimated: estimated 26.9 % against 19.9 % on record."
    )
    # When the other is estimated too low as well, then both are named
    lower = column(by_group={"0": group(1000, 199, 0.3, 0.9, 0.269), "1": group(1000, 577, 0.5, 0.9, 0.5)})
    assert "Group 1 is underestimated: estimated 50.0 % against 57.7 % on record." in plain(
        groups.misjudged("Group", lower)
    )


def test_estimates_within_chance_are_not_called_wrong() -> None:
    near = column(by_group={"0": group(1000, 199, 0.3, 0.9, 0.21), "1": group(1000, 577, 0.5, 0.9, 0.57)})
    assert groups.misjudged("Group", near) == (
        "The mean estimate of each group of Group is within chance of the share on record."
    )


@pytest.mark.parametrize(
    ("by_group", "expected"),
    [
        ({"0": group(9, 0, 0.0, None, 0.1), "1": group(9, 9, 1.0, 1.0, 0.9)}, "a gap that this data cannot show"),
        ({}, "How often the creditworthy of each group of Group are approved, this data cannot show."),
    ],
    ids=["one group without creditworthy", "no groups"],
)
def test_says_what_the_data_cannot_show(by_group: dict[str, GroupFigures], expected: str) -> None:
    figures = column(by_group=by_group, equal_opportunity_difference=UNKNOWN, adverse_impact_ratio=UNKNOWN)
    assert expected in groups.gap("Group", figures)
    assert "this data cannot show" in groups.approved_less("Group", figures)


def test_an_artifact_without_estimates_by_group_says_so() -> None:
    by_group: Any = {name: {**figures} for name, figures in column()["by_group"].items()}
    for figures in by_group.values():
        del figures["estimated_rate"]
    assert groups.misjudged("Group", column(by_group=by_group)).endswith("is not known.")
