"""What the report says about the groups of a sensitive column, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.intervals import wilson
from model.report import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_app.manifest import ColumnFigures, Difference, Figures, GroupFigures


def approved_less(column: str, figures: ColumnFigures) -> str:
    """Which group is approved least often, against which, and by how much."""
    ratio = figures["adverse_impact_ratio"]
    ends = _ends(figures, ratio, lambda group: group["approval_rate"])
    if ratio["value"] is None or ends is None:
        return f"Whether the groups of {column} are approved equally often, this data cannot show."
    (lowest, low), (highest, high) = ends
    return (
        f"{column} {lowest} is approved {words.fraction(ratio['value'])} as often as {column} {highest}: "
        f"{words.percent(low['approval_rate'])} against {words.percent(high['approval_rate'])} (adverse impact ratio "
        f"{words.hundredths(ratio['value'])}, 95\xa0% interval {words.interval(ratio, 2, 1)})."
    )


def gap(column: str, figures: ColumnFigures) -> str:
    """How differently the creditworthy of two groups are approved, and between which groups."""
    difference = figures["equal_opportunity_difference"]
    ends = _ends(figures, difference, lambda group: group["true_positive_rate"])
    if ends is None:
        return f"How often the creditworthy of each group of {column} are approved, this data cannot show."
    (lowest, low), (highest, high) = ends
    found = (
        f"Of the creditworthy, {words.percent(low['true_positive_rate'])} are approved in {column} {lowest} and "
        f"{words.percent(high['true_positive_rate'])} in {column} {highest}: "
    )
    if difference["value"] is None:
        return f"{found}a gap that this data cannot show, because a group has no such applicants."
    size = f"{words.percentage_points(difference['value'])} (95\xa0% interval {words.interval(difference)})"
    return f"{found}a gap of {size}."


def misjudged(column: str, figures: ColumnFigures) -> str:
    """Which groups are estimated higher or lower than on record, by more than chance explains."""
    by_group = figures["by_group"]
    estimates = {name: group.get("estimated_rate") for name, group in by_group.items()}
    if None in estimates.values():
        return f"Whether the estimates fit each group of {column} is {words.NONE}."
    found = [_misjudged(f"{column} {name}", by_group[name], estimate) for name, estimate in estimates.items()]
    if not any(found):
        return f"The mean estimate of each group of {column} is within chance of the share on record."
    return f"{'; '.join(filter(None, found))}."


def _misjudged(name: str, group: GroupFigures, estimate: float) -> str:
    """How a group's estimate misses the record; empty if chance explains it."""
    recorded = wilson(group["creditworthy"], group["rows"])
    if recorded["low"] <= estimate <= recorded["high"]:
        return ""
    return (
        f"{name} is {'over' if estimate > recorded['high'] else 'under'}estimated: estimated {words.percent(estimate)} "
        f"against {words.percent(group['creditworthy'] / group['rows'])} on record"
    )


def widest(judged: Figures) -> Difference | None:
    """The largest gap between groups, with its interval; None if the data cannot show it."""
    gaps = [column["equal_opportunity_difference"] for column in judged["groups"].values()]
    return next((gap for gap in gaps if gap["value"] == judged["equal_opportunity_gap"] is not None), None)


def _ends(
    figures: ColumnFigures, difference: Difference, rate: Callable[[GroupFigures], float | None]
) -> tuple[tuple[str, GroupFigures], tuple[str, GroupFigures]] | None:
    """The two groups that a difference lies between, by name; None if no group has the rate.

    An undefined difference lies between the extremes of the groups that have the rate; so does that of an artifact
    which does not name them.
    """
    by_group: Mapping[str, GroupFigures] = figures["by_group"]
    lowest, highest = difference.get("lowest"), difference.get("highest")
    if lowest is None or highest is None:
        known = {name: found for name, group in by_group.items() if (found := rate(group)) is not None}
        if not known:
            return None
        lowest, highest = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    return (lowest, by_group[lowest]), (highest, by_group[highest])
