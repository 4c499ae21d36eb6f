"""Leakage: copies of training rows are told from honest twins, and giveaways and stand-ins from honest fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from model.contract.fields import fields_of
from model.contract.loading import load_contract
from model.judge.leakage import leakage
from tests.applications import judged
from tests.trainings import MIXED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Leakage
    from model.data.applications import Applications

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

NAMES = ("Num_Children", "Income", "Own_Car", "Own_Housing")


def with_matrix(matrix: Floats, truth: Flags, **groups: NDArray[Any]) -> Applications:
    """Applications of the default contract with these values."""
    return replace(judged(truth, **groups), matrix=matrix)


def halves(applications: Applications) -> tuple[Applications, Applications]:
    """Every second row, and the others."""
    rows = np.arange(len(applications.approved))
    return applications.take(rows[::2]), applications.take(rows[1::2])


def found_in(applications: Applications, estimate: float | Floats = 0.5) -> Leakage:
    """What is found if one half trains a model with these estimates, and the other judges it."""
    training, holdout = halves(applications)
    return leakage(training, holdout, np.broadcast_to(estimate, holdout.approved.shape))


def noise(rows: int, seed: int = 0) -> tuple[Floats, Flags]:
    """Four fields with values from a wide range, and outcomes that none of them explains."""
    generator = np.random.default_rng(seed)
    return generator.random((rows, 4)), generator.random(rows) < 0.6


def test_rows_that_all_differ_have_no_twins() -> None:
    found = found_in(with_matrix(*noise(2_000)))
    assert (found["twin_share"], found["copied_share"]) == (0, 0)
    assert list(found["fields"]) == list(NAMES)
    assert max(leak["outcome"] for leak in found["fields"].values()) < 0.02


def test_repeated_rows_are_copies() -> None:
    # Given 250 rows with random outcomes, each of them 240 times
    matrix, truth = noise(250)
    places = np.random.default_rng(1).permutation(np.repeat(np.arange(250), 240))
    # When a model that has learnt a little of them is judged on their copies
    estimates = np.where(truth[places], 0.7, 0.3)[1::2]
    found = found_in(with_matrix(matrix[places], truth[places]), estimates)
    # Then all of the hold-out is found to be copies
    assert found["twin_share"] == 1
    assert found["copied_share"] == pytest.approx(1)


def test_a_part_of_repeated_rows_is_found_in_proportion() -> None:
    # Given rows of which a third also are training rows
    matrix, truth = noise(3_000)
    training = with_matrix(matrix[:2_000], truth[:2_000])
    holdout = with_matrix(matrix[1_500:], truth[1_500:])
    # When they are compared
    found = leakage(training, holdout, np.full(1_500, 0.6))
    # Then these are the twins, and all of them are copies
    assert found["twin_share"] == pytest.approx(1 / 3)
    assert found["copied_share"] == pytest.approx(1 / 3)


def test_honest_twins_are_no_copies() -> None:
    # Given fields with few values, so that every row has twins, whose outcomes are drawn one by one
    generator = np.random.default_rng(2)
    matrix = generator.integers(0, 3, (20_000, 4)).astype(np.float64)
    probabilities = 0.1 + 0.1 * matrix.sum(axis=1)
    found = found_in(with_matrix(matrix, generator.random(20_000) < probabilities), probabilities[1::2])
    # When they are compared with right estimates, then their outcomes agree as often as chance lets them
    assert found["twin_share"] == 1
    assert found["copied_share"] < 0.02


def test_missing_values_make_twins() -> None:
    # Given a row without values, trained on and judged on, and another that differs in one value
    training = with_matrix(np.full((1, 4), np.nan), np.array([True]))
    matrix = np.full((2, 4), np.nan)
    matrix[1, 2] = 0.0
    # When they are compared, then one of two rows has a twin
    found = leakage(training, with_matrix(matrix, np.array([True, True])), np.array([0.5, 0.5]))
    assert found["twin_share"] == 0.5


@pytest.mark.parametrize("place", range(4), ids=NAMES)
def test_a_field_that_copies_the_outcome_explains_it(place: int) -> None:
    matrix, truth = noise(2_000)
    matrix[:, place] = truth
    found = found_in(with_matrix(matrix, truth))["fields"]
    assert found[NAMES[place]]["outcome"] == pytest.approx(1)
    assert max(leak["outcome"] for name, leak in found.items() if name != NAMES[place]) < 0.02


def test_a_missing_value_may_give_the_outcome_away() -> None:
    matrix, truth = noise(2_000)
    matrix[truth, 1] = np.nan
    assert found_in(with_matrix(matrix, truth))["fields"]["Income"]["outcome"] == pytest.approx(1)


@pytest.mark.parametrize("rare", [0.0, 1.0])
def test_a_rare_value_may_give_the_outcome_away(rare: float) -> None:
    # Given a field that is the same in 98 % of rows, and differs where the outcome does
    matrix, _ = noise(5_000)
    truth = np.random.default_rng(3).random(5_000) < 0.02
    matrix[:, 2] = np.where(truth, rare, 1 - rare)
    # When it is compared with the outcome, then it explains it, whichever of the two values is the rare one
    assert found_in(with_matrix(matrix, truth))["fields"]["Own_Car"]["outcome"] == pytest.approx(1)


def test_the_share_explained_is_that_of_the_variance() -> None:
    # Given a field that tells two kinds of applicants apart, whose outcomes have the means 0.2 and 0.8
    generator = np.random.default_rng(4)
    kind = generator.integers(0, 2, 100_000)
    truth = generator.random(100_000) < 0.2 + 0.6 * kind
    matrix = np.column_stack([kind, *generator.random((3, 100_000))]).astype(np.float64)
    # When it is compared with the outcome, then it explains 0.3² of 0.5²
    found = found_in(with_matrix(matrix, truth))["fields"]
    assert found["Num_Children"]["outcome"] == pytest.approx(0.36, abs=0.01)


def test_a_field_may_stand_in_for_one_group() -> None:
    # Given a field that tells one of three groups from the others, rows of unknown group, and a column apart
    matrix, truth = noise(3_000)
    names = np.array(["a", "b", "c"], dtype=object)[np.arange(3_000) // 2 % 3]
    matrix[:, 1] = np.where(names == "b", matrix[:, 1], matrix[:, 1] + 2)
    names[:1_000] = ""
    other = np.array(["x", "y"], dtype=object)[np.arange(3_000) // 7 % 2]
    # When it is compared with the groups
    found = found_in(with_matrix(matrix, truth, Group=names, Other=other))["fields"]["Income"]["groups"]
    # Then it explains that group (but for the one bin that is mixed), and the others in part
    assert found["Group"]["b"] > 0.9
    assert found["Group"]["a"] == pytest.approx(0.25, abs=0.05)
    assert set(found["Group"]) == {"a", "b", "c"}
    assert max(found["Other"].values()) < 0.05


def test_a_group_only_of_the_hold_out_is_not_left_out() -> None:
    matrix, truth = noise(200)
    names = np.array(["a", "b"] * 100, dtype=object)
    found = found_in(with_matrix(matrix, truth, Group=names))["fields"]["Income"]["groups"]
    assert found == {"Group": {"a": 0.0, "b": 0.0}}


def test_a_column_without_any_known_group_has_none_to_explain() -> None:
    matrix, truth = noise(200)
    found = found_in(with_matrix(matrix, truth, Group=np.full(200, "")))
    assert found["fields"]["Income"]["groups"] == {"Group": {}}


def test_words_explain_by_themselves() -> None:
    # Given a contract with words, one of which none of the training rows has
    fields = fields_of(load_contract(MIXED))
    generator = np.random.default_rng(5)
    matrix = np.zeros((1_000, len(fields)))
    home = [spec.name for spec in fields].index("Home")
    matrix[:, home] = generator.integers(0, 2, 1_000)
    truth = matrix[:, home] == 1
    matrix[1, home] = 2
    # When the words are compared with the outcome, then they explain nearly all of it
    found = found_in(replace(judged(truth), fields=fields, matrix=matrix))["fields"]
    assert found["Home"]["outcome"] > 0.99
    assert found["Amount"]["outcome"] == 0
