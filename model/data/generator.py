"""Invented applications that reproduce the published figures of the credit-card tutorial's data.

The tutorial publishes counts (approvals by income, group and housing), but not the data. The model fitted to those
counts: the chance of approval grows with a single sum of money,

    worth = income + 7,050 if the home is owned + 4,000 if a car is owned - 100 for each child
            + 10,730 in group 1,

from 0 below 85,000 to nearly 1 above 93,000 (`CHANCE`). The last term is the historical bias in the tutorial's data.
To a model that does not see the group it is noise, and it causes a gap between the groups. The published counts by
housing hold only if homes are owned more often in group 1, and slightly more often at higher incomes.

docs/data.md lists every figure, published and generated; tests/model/data/test_generator.py compares them.

Only PCG64's raw stream and integer arithmetic are used, so a seed gives the same rows everywhere.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Integers = NDArray[np.int64]

# Lowest income and number of distinct incomes, by group.
INCOME_LOWEST, INCOME_COUNT = np.array([30_000, 40_000]), np.array([70_001, 80_001])
# Share of home owners in parts per million: each group's at its mean income, and the increase per 1,000 above that.
HOUSING_AT_MEAN, INCOME_MEAN, HOUSING_PER_1000 = np.array([292_500, 499_500]), np.array([65_000, 80_000]), 640
CAR = 500_000
# Parts per million with at most 0, 1, … children.
CHILDREN_UP_TO = np.array([360_000, 620_000, 840_000, 940_000, 980_000, 1_000_000])

WORTH_OF_HOUSING, WORTH_OF_CAR, WORTH_OF_CHILD, WORTH_OF_GROUP = 7_050, 4_000, -100, 10_730
# Chance of approval in parts per million at every STEP of worth from WORTH_LOWEST on, linear in between.
WORTH_LOWEST, STEP = 85_000, 2_000
CHANCE = np.array([0, 17_300, 215_200, 719_100, 982_500, 983_100, 999_550])
MILLION = 1_000_000


def generate(rows: int = 500_000, seed: int = 0) -> pd.DataFrame:
    """Invent labelled applications.

    Parameters
    ----------
    rows : int
    seed : int

    Returns
    -------
    pandas.DataFrame
        Integer columns Num_Children, Income (a year, in the tutorial's currency units), Own_Car, Own_Housing,
        Group (half 0, half 1; one extra 0 if `rows` is odd) and Target (1 approve, 0 deny).
    """
    stream = np.random.PCG64(seed)
    group = np.zeros(rows, dtype=np.int64)
    group[np.argsort(stream.random_raw(rows), kind="stable")[: rows // 2]] = 1
    income = INCOME_LOWEST[group] + _below(stream, INCOME_COUNT[group])
    share = HOUSING_AT_MEAN[group] + HOUSING_PER_1000 * (income - INCOME_MEAN[group]) // 1000
    housing = (_below(stream, np.full(rows, MILLION)) < share).astype(np.int64)
    car = (_below(stream, np.full(rows, MILLION)) < CAR).astype(np.int64)
    children = np.searchsorted(CHILDREN_UP_TO, _below(stream, np.full(rows, MILLION)), side="right")

    worth = (
        income + WORTH_OF_HOUSING * housing + WORTH_OF_CAR * car + WORTH_OF_CHILD * children + WORTH_OF_GROUP * group
    )
    above = np.clip(worth - WORTH_LOWEST, 0, STEP * (len(CHANCE) - 1) - 1)
    step, part = above // STEP, above % STEP
    chance = CHANCE[step] * (STEP - part) + CHANCE[step + 1] * part
    target = (_below(stream, np.full(rows, MILLION * STEP)) < chance).astype(np.int64)
    return pd.DataFrame(
        {
            "Num_Children": children,
            "Income": income,
            "Own_Car": car,
            "Own_Housing": housing,
            "Group": group,
            "Target": target,
        }
    )


def _below(stream: np.random.PCG64, counts: Integers) -> Integers:
    """Uniform integers from 0 up to, not including, each of `counts` (at most 2**31), from 32 raw bits each."""
    bits = (stream.random_raw(len(counts)) >> np.uint64(32)).astype(np.int64)
    return (bits * counts) >> 32
