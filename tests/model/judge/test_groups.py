"""The differences between groups: which pair they are about, and groups of two columns together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.intervals import critical, newcombe
from model.judge.groups import compare_groups, intersections
from tests.applications import invented

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Names = NDArray[np.object_]


def at_rates(**rates: float) -> tuple[Flags, Names]:
    """The decisions on 100 creditworthy applicants of each group, at these rates."""
    approved = np.concatenate([np.arange(100) < 100 * rate for rate in rates.values()])
    return approved, np.repeat(np.array(list(rates), dtype=object), 100)


def test_a_difference_names_its_groups() -> None:
    # given
    approved, names = at_rates(middle=0.75, best=0.9, worst=0.6)

    # when
    found = compare_groups(approved.astype(np.float64), approved, np.ones_like(approved), {"Group": names})["Group"]

    # then
    for figure in (
        found["equal_opportunity_difference"],
        found["demographic_parity_difference"],
        found["adverse_impact_ratio"],
    ):
        assert (figure["lowest"], figure["highest"]) == ("worst", "best")
    assert found["adverse_impact_ratio"]["value"] == pytest.approx(0.6 / 0.9)


def test_groups_that_are_alike_are_still_two() -> None:
    # given
    approved, names = at_rates(one=0.8, other=0.8)

    # when
    found = compare_groups(approved.astype(np.float64), approved, np.ones_like(approved), {"Group": names})["Group"]

    # then
    gap = found["equal_opportunity_difference"]
    assert (gap["value"], gap["low"], gap["lowest"], gap["highest"]) == (0, 0, "one", "other")


def test_the_intervals_allow_for_the_pairs_of_all_columns() -> None:
    # given: a column of two groups, and another of three
    approved, names = at_rates(a=0.8, b=0.6)
    thirds = np.array(["x", "y", "z"], dtype=object)[np.arange(200) % 3]
    truth = np.ones_like(approved)

    # when
    alone = compare_groups(approved.astype(np.float64), approved, truth, {"Group": names})["Group"]
    together = compare_groups(approved.astype(np.float64), approved, truth, {"Group": names, "Third": thirds})["Group"]

    # then: one comparison alone, four together
    for found, comparisons in ((alone, 1), (together, 4)):
        low, high = newcombe(80, 100, 60, 100, critical(comparisons))
        gap = found["equal_opportunity_difference"]
        assert (gap["low"], gap["high"]) == pytest.approx((float(low), float(high)))


def test_a_column_that_cannot_be_compared_widens_no_interval() -> None:
    # given: a column in which a group has no creditworthy applicant, and one with a single group
    approved, names = at_rates(a=0.8, b=0.6)
    truth = np.arange(200) % 100 != 99
    unjudged = np.where(truth, "creditworthy", "other").astype(object)
    single = np.full(200, "all", dtype=object)

    # when
    found = compare_groups(
        approved.astype(np.float64), approved, truth, {"Group": names, "Unjudged": unjudged, "Single": single}
    )

    # then
    alone = compare_groups(approved.astype(np.float64), approved, truth, {"Group": names})
    assert found["Unjudged"]["equal_opportunity_difference"]["high"] is None
    assert found["Unjudged"]["demographic_parity_difference"]["high"] is not None
    assert found["Single"]["demographic_parity_difference"]["high"] is None
    assert found["Group"]["equal_opportunity_difference"] == alone["Group"]["equal_opportunity_difference"]


def test_a_group_shows_recorded_and_estimated_rates() -> None:
    # given
    applications, probabilities, approved = invented(1_000, seed=1)

    # when
    found = compare_groups(probabilities, approved, applications.approved, applications.groups)["Group"]["by_group"]

    # then
    for name, group in found.items():
        rows = applications.groups["Group"] == name
        assert group["recorded_rate"] == pytest.approx(applications.approved[rows].mean())
        assert group["estimated_rate"] == pytest.approx(probabilities[rows].mean())
        assert group["accuracy"] == pytest.approx((approved == applications.approved)[rows].mean())


def test_two_columns_together_make_groups_of_30_creditworthy_applicants() -> None:
    # given: 30 creditworthy women under 30, 29 women over 30, and a row whose age is unknown
    sex = np.array(["women"] * 60 + ["men"] * 200, dtype=object)
    age = np.array(["under 30"] * 30 + ["over 30"] * 30 + ["under 30", "over 30"] * 100, dtype=object)
    truth = np.ones(260, dtype=np.bool_)
    truth[59] = False
    age[-1] = ""

    # when
    together = intersections({"Sex": sex, "Age": age}, truth)["Sex, Age"]

    # then: the women over 30 and the row without an age have no group
    names, rows = np.unique(together, return_counts=True)
    assert dict(zip(names, rows.tolist(), strict=True)) == {
        "": 31,
        "men, over 30": 99,
        "men, under 30": 100,
        "women, under 30": 30,
    }


def test_each_two_columns_are_taken_together() -> None:
    names = np.array(["a", "b"] * 50, dtype=object)
    found = intersections({"A": names, "B": names, "C": names}, np.ones(100, dtype=np.bool_))
    assert list(found) == ["A, B", "A, C", "B, C"]
    assert intersections({"A": names}, np.ones(100, dtype=np.bool_)) == {}
