"""Merging: which neighbours become one bin, the edges between bins, and the codes that stand for them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.fit.coding import coding_of_edges, transformer
from model.fit.edges import short_edge
from model.fit.merging import Bins, Rule, merged

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from model.run import TrainingRun

FINITE = st.floats(allow_nan=False, allow_infinity=False)
# Opens a pipeline where the packages of this repository cannot be imported, and scores a list of rows.
OPEN = """
import sys
sys.modules.update({name: None for name in ("model", "lambda_app", "operations")})
import joblib
pipeline = joblib.load(sys.argv[1])
print(pipeline.predict_proba([[float("nan")] * 7])[0, 1])
"""


def bins(*each: tuple[float, float]) -> Bins:
    """Bins of these rows and scores, half a unit of weight for each row."""
    rows, scores = np.array(each, dtype=np.float64).T
    return Bins(rows, rows / 2, scores)


@pytest.mark.parametrize(
    ("found", "numbers"),
    [
        pytest.param(bins((40, 0), (40, 0.1), (40, 3)), [0, 0, 1], id="thin-and-alike"),
        pytest.param(bins((40, 0), (40, 2), (40, 3)), [0, 1, 2], id="thin-but-different"),
        pytest.param(bins((400, 0), (400, 0.01), (400, 3)), [0, 1, 2], id="alike-but-wide"),
        pytest.param(bins((400, 0), (5, 2.9), (400, 3)), [0, 0, 1], id="too-few-rows-join-the-lower-neighbour"),
        pytest.param(bins((400, 3), (5, 0.1), (400, 0)), [0, 1, 1], id="too-few-rows-and-falling"),
        pytest.param(bins((5, 0), (400, 3)), [0, 0], id="first-bin-joins-the-only-neighbour"),
        pytest.param(bins((400, 0), (5, 3)), [0, 0], id="last-bin-joins-the-only-neighbour"),
        pytest.param(bins((0, 0), (0, 1), (0, 2)), [0, 0, 0], id="no-rows"),
        pytest.param(bins((3, 0), (3, 1), (400, 0.5)), [0, 0, 0], id="together-still-too-few"),
        pytest.param(bins((7, 1)), [0], id="one-bin"),
    ],
)
def test_neighbours_merge_only_as_far_as_needed(found: Bins, numbers: list[int]) -> None:
    assert merged(found, Rule(least_rows=10, thin_rows=50, tolerance=1.0)).tolist() == numbers


@given(
    found=st.lists(st.tuples(st.integers(0, 300), st.floats(-3, 3)), min_size=1, max_size=40),
    tolerance=st.floats(0, 20),
)
def test_merged_bins_are_neighbours_with_enough_rows_that_no_further_merge_may_join(
    found: list[tuple[int, float]], tolerance: float
) -> None:
    # given
    before = bins(*found)
    rule = Rule(least_rows=50, thin_rows=100, tolerance=tolerance)

    # when
    numbers = merged(before, rule)

    # then
    assert numbers[0] == 0
    assert set(np.diff(numbers)) <= {0, 1}
    rows, weights = np.bincount(numbers, before.rows), np.bincount(numbers, before.weights)
    assert len(rows) == 1 or rows.min() >= rule.least_rows
    scores = np.bincount(numbers, before.weights * before.scores) / np.maximum(weights, 1e-9)
    cost = weights[:-1] * weights[1:] / np.maximum(weights[:-1] + weights[1:], 1e-9) * np.diff(scores) ** 2
    thin = np.minimum(rows[:-1], rows[1:]) < rule.thin_rows
    assert not np.any(thin & (cost < tolerance - 1e-6))


def test_cost_of_a_merge_is_twice_the_log_loss_that_it_adds() -> None:
    # given: two bins of 4,000 rows, whose shares of approvals are near to each other
    rows, shares = 4_000, np.array([0.60, 0.62])
    scores = np.log(shares / (1 - shares))

    def loss(estimate: NDArray[np.float64] | float) -> float:
        return float(-rows * np.sum(shares * np.log(estimate) + (1 - shares) * np.log(1 - estimate)))

    added = loss(shares.mean()) - loss(shares)
    found = Bins(np.full(2, float(rows)), rows * shares * (1 - shares), scores)

    # then: a tolerance slightly above twice that loss merges them, and one slightly below does not
    assert merged(found, Rule(10, 10_000, 2.02 * added)).tolist() == [0, 0]
    assert merged(found, Rule(10, 10_000, 1.98 * added)).tolist() == [0, 1]


@given(FINITE, FINITE)
def test_short_edge_is_between_the_two_values_and_no_longer_than_either(one: float, other: float) -> None:
    low, high = sorted((one + 0.0, other + 0.0))
    if low == high:
        return
    edge = short_edge(low, high)
    assert low <= edge < high
    assert len(f"{edge!r}".replace("-", "")) <= max(len(f"{low!r}"), len(f"{high!r}")) + 2


@given(st.lists(FINITE.filter(lambda edge: abs(edge) < 1e308), max_size=8, unique=True))
def test_codes_step_exactly_at_the_edges(found: list[float]) -> None:
    # given
    edges = np.unique(np.array(found) + 0.0)
    others = np.array([-1e308, -1.0, 0.0, 1.0, 1e308])
    values = np.concatenate([edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), others])

    # when
    codes = transformer([coding_of_edges(edges)]).transform(np.append(values, np.nan)[:, np.newaxis])[:, 0]

    # then
    assert codes[:-1].tolist() == np.searchsorted(edges, values, side="left").tolist()
    assert np.isnan(codes[-1])


def test_pipeline_opens_where_this_repository_is_not_installed(mixed: TrainingRun, tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(mixed.directory / "pipeline.joblib")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    expected = mixed.candidate.pipeline.predict_proba(np.full((1, 7), np.nan))[0, 1]
    assert float(ended.stdout) == pytest.approx(expected, abs=1e-12)


def test_tables_are_short(small: TrainingRun) -> None:
    for field in small.manifest["bins"]["fields"]:
        assert len(field["edges"]) < 20
