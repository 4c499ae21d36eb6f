"""Compares the generated applications with the figures that the tutorial publishes.

A published figure is a share counted in one sample; ours is counted in another. Two samples of one population differ
by less than four standard errors of their difference in all but one of 16,000 comparisons. So the tolerance is 4 ·
sqrt(p (1 - p) (1 / published rows + 1 / generated rows)), plus half a unit of the last digit where the publication
rounds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from model.applicant import Applicant
from model.data.applications import check_frame
from model.data.generator import generate
from tests.serving import ROOT

ROWS = 500_000
TRAINED = 400_000
BANDS = ("to 68,187", "to 71,909", "to 80,210", "to 88,440", "to 90,837", "above")
EDGES = (68187.5, 71909.5, 80210.5, 88440.5, 90837.5)


@dataclass(frozen=True)
class Figure:
    """A published share: of the rows in `where`, how many have `column` = 1."""

    name: str
    share: float
    counted_in: float
    where: dict[str, int]
    column: str = "Target"
    rounding: float = 0.0


def counted(band: int, deny: int, approve: int, **where: int) -> Figure:
    group = "".join(f", {key} {value}" for key, value in where.items())
    name = f"approved, income {BANDS[band]}{group}"
    return Figure(name, approve / (deny + approve), deny + approve, {"band": band, **where})


def rounded(name: str, share: float, column: str, counted_in: int = ROWS, **where: int) -> Figure:
    return Figure(name, share, counted_in, where, column, rounding=0.0005)


SHARES = (
    rounded("approved, all", 0.386, "Target"),
    rounded("approved, Group 0", 0.195, "Target", ROWS // 2, Group=0),
    rounded("approved, Group 1", 0.577, "Target", ROWS // 2, Group=1),
    rounded("Own_Housing, all", 0.396, "Own_Housing"),
    counted(0, 178907, 290),
    counted(1, 17869, 2079),
    counted(2, 23208, 602, Group=0),
    counted(2, 7560, 13245, Group=1),
    counted(2, 23485, 3493, Own_Housing=0),
    counted(2, 7283, 10354, Own_Housing=1),
    counted(3, 15429, 8182, Group=0),
    counted(3, 264, 20461, Group=1),
    counted(3, 14217, 12536, Own_Housing=0),
    counted(3, 1476, 16107, Own_Housing=1),
    counted(4, 1547, 11298),
    counted(5, 517, 98542),
)
SIZES = {
    "band 0": (179197, {"band": 0}),
    "band 1": (19948, {"band": 1}),
    "band 2, Group 0": (23810, {"band": 2, "Group": 0}),
    "band 2, Group 1": (20805, {"band": 2, "Group": 1}),
    "band 2, Own_Housing 0": (26978, {"band": 2, "Own_Housing": 0}),
    "band 2, Own_Housing 1": (17637, {"band": 2, "Own_Housing": 1}),
    "band 3, Group 0": (23611, {"band": 3, "Group": 0}),
    "band 3, Group 1": (20725, {"band": 3, "Group": 1}),
    "band 3, Own_Housing 0": (26753, {"band": 3, "Own_Housing": 0}),
    "band 3, Own_Housing 1": (17583, {"band": 3, "Own_Housing": 1}),
    "band 4": (12845, {"band": 4}),
    "band 5": (99059, {"band": 5}),
}
FEATURES = ["Num_Children", "Income", "Own_Car", "Own_Housing"]


@cache
def generated() -> pd.DataFrame:
    rows = generate(ROWS, seed=0)
    return rows.assign(band=np.searchsorted(EDGES, rows["Income"]))


def select(where: dict[str, int]) -> pd.DataFrame:
    rows = generated()
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows


def tolerance(share: float, published_rows: float, generated_rows: float) -> float:
    return float(4 * np.sqrt(share * (1 - share) * (1 / published_rows + 1 / generated_rows)))


@pytest.mark.parametrize("figure", [pytest.param(figure, id=figure.name) for figure in SHARES])
def test_a_published_share_is_met(figure: Figure) -> None:
    # Given the generated rows that the figure is about
    rows = select(figure.where)
    # When their share is taken, then it is the published one within sampling error
    margin = tolerance(figure.share, figure.counted_in, len(rows)) + figure.rounding
    assert rows[figure.column].mean() == pytest.approx(figure.share, abs=margin)


@pytest.mark.parametrize(("published", "where"), [pytest.param(*size, id=name) for name, size in SIZES.items()])
def test_a_published_count_of_applicants_is_met(published: int, where: dict[str, int]) -> None:
    # Given the share of all applicants that the publication counts in a cell
    share = published / TRAINED
    # When ours is counted, then it agrees within sampling error
    assert len(select(where)) / ROWS == pytest.approx(share, abs=tolerance(share, TRAINED, ROWS))


def test_the_table_in_the_documentation_matches_the_generator() -> None:
    # Given the figures, published and generated
    lines = []
    for figure in SHARES:
        share = select(figure.where)[figure.column].mean()
        lines.append(f"| {figure.name} | {figure.share:.4f} | {share:.4f} |")
    # When the page is read, then its table consists of exactly these lines
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert "\n".join(lines) in page, "docs/data.md should have:\n" + "\n".join(lines)


@pytest.mark.parametrize(
    ("with_group", "published", "rounding"),
    [pytest.param(True, 0.948, 0.0005, id="with-Group"), pytest.param(False, 0.92662, 0.0, id="without")],
)
def test_the_tutorials_tree_is_as_accurate_here(with_group: bool, published: float, rounding: float) -> None:
    # Given the tutorial's model, trained on the first 400,000 rows
    rows, features = generated(), FEATURES + (["Group"] if with_group else [])
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(rows[features][:TRAINED], rows["Target"][:TRAINED])
    # When it is judged on the rest, then its accuracy is as published
    accuracy = tree.score(rows[features][TRAINED:], rows["Target"][TRAINED:])
    margin = tolerance(published, ROWS - TRAINED, ROWS - TRAINED) + rounding
    assert accuracy == pytest.approx(published, abs=margin)


def test_a_random_forest_weighs_the_fields_as_the_tutorials_does() -> None:
    # Given a forest without Group, kept small to save time
    rows = generated()[:TRAINED]
    forest = RandomForestClassifier(n_estimators=10, random_state=0).fit(rows[FEATURES], rows["Target"])
    # When its importances are read, then they are near the published ones, in the same order
    importances = dict(zip(FEATURES, forest.feature_importances_, strict=True))
    assert importances == pytest.approx(
        {"Income": 0.950, "Own_Housing": 0.033, "Own_Car": 0.014, "Num_Children": 0.003}, abs=0.01
    )
    assert sorted(FEATURES, key=importances.__getitem__) == ["Num_Children", "Own_Car", "Own_Housing", "Income"]


@pytest.mark.parametrize(("group", "low", "high"), [(0, 30_000, 100_000), (1, 40_000, 120_000)], ids=["0", "1"])
def test_income_is_uniform_in_a_group(group: int, low: int, high: int) -> None:
    # Given the incomes of one group
    income = select({"Group": group})["Income"]
    # When they are counted in 20 equal bands, then each has its share, and incomes reach close to both ends
    counts, _ = np.histogram(income, bins=20, range=(low, high + 1))
    share = 1 / 20
    assert counts / len(income) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(income)))
    assert low <= income.min() < low + 10
    assert high - 10 < income.max() <= high


@pytest.mark.parametrize(("rows", "seed"), [(1, 0), (2, 1), (999, 2), (10_000, 3)])
def test_the_groups_are_halves(rows: int, seed: int) -> None:
    # Given any number of rows, when they are generated, then the groups differ by at most one
    assert generate(rows, seed)["Group"].sum() == rows // 2


@pytest.mark.parametrize("group", [0, 1])
@pytest.mark.parametrize(
    ("column", "direction"), [("Income", 1), ("Own_Housing", 1), ("Own_Car", 1), ("Num_Children", -1)]
)
def test_approval_never_falls_where_it_should_not(group: int, column: str, direction: int) -> None:
    # Given one group's applicants around the cut-off, in steps of the field
    rows = select({"Group": group})
    rows = rows[rows["Income"].between(62_000, 94_000)]
    steps = rows["Income"] // 2_000 if column == "Income" else rows[column]
    rates = rows.groupby(steps)["Target"].agg(["mean", "size"])
    # When the approval rates are compared, then none moves the wrong way by more than sampling error
    for (_, before), (_, after) in pairwise(rates.iterrows()):
        pooled = (before["mean"] + after["mean"]) / 2
        error = np.sqrt(pooled * (1 - pooled) * (1 / before["size"] + 1 / after["size"]))
        assert direction * (after["mean"] - before["mean"]) >= -4 * error


def test_a_seed_gives_the_same_rows_everywhere() -> None:
    # Given a digest that was recorded once
    rows = generate(10_000, seed=7)
    # When the rows are generated here, then they are byte-identical
    digest = hashlib.sha256(rows.to_numpy(dtype="<i8").tobytes()).hexdigest()
    assert digest == "b95dbd821e3d8bf1e071bedc7286112e906f768f8fe2a2555657099d09b1bd05"
    assert not generate(100, seed=1).equals(generate(100, seed=2))


def test_every_generated_row_meets_the_contract() -> None:
    # Given generated applications, when they are checked, then none is rejected
    checked = check_frame(generate(1000), Applicant, source="generated", dated="2026-01-01", max_reject_share=0.0)
    assert not checked.rejects
    assert checked.rejects.ignored_columns == ()
