"""The recipes: which are tried, what each sees of the rows, and what its weights do."""

from __future__ import annotations

import numpy as np
import pytest

from model.alternatives.recipes import Recipe, first_round, second_round
from model.fit.settings import TrainingSettings
from tests.applications import invented

SETTINGS = TrainingSettings(max_iter=100)
FIELDS = ["Num_Children", "Income", "Own_Car", "Own_Housing"]


def test_first_recipe_changes_nothing_and_each_other_changes_one_thing() -> None:
    first, *others = first_round(FIELDS, ["Group"], SETTINGS)
    assert (first.settings, first.left_out, first.reweighed_by) == (SETTINGS, (), None)
    for recipe in others:
        changed = [bool(recipe.left_out), recipe.settings != SETTINGS, recipe.reweighed_by is not None]
        assert sum(changed) == 1, recipe
        assert bool(recipe.how) is (recipe.reweighed_by is None), "only what reads no group can be trained"
    names = [recipe.name for recipe in (first, *others)]
    assert len(names) == len(set(names))
    assert {recipe.left_out for recipe in others} >= {(name,) for name in FIELDS}


def test_contract_with_one_field_loses_none() -> None:
    assert not any(recipe.left_out for recipe in first_round(["Income"], [], SETTINGS))
    assert second_round(["Income"], SETTINGS) == []


@pytest.mark.parametrize(
    ("fields", "together"),
    [
        pytest.param("ab", [], id="two"),
        pytest.param("abc", ["ab", "ac", "bc"], id="three"),
        pytest.param("abcd", ["ab", "ac", "bc", "abc"], id="four"),
    ],
)
def test_second_round_leaves_out_several_fields_or_one_and_fits_more_finely(fields: str, together: list[str]) -> None:
    found = second_round(list(fields), SETTINGS)
    assert ["".join(recipe.left_out) for recipe in found if recipe.settings == SETTINGS] == together
    finer = [recipe for recipe in found if recipe.settings != SETTINGS]
    assert [recipe.left_out for recipe in finer] == [(name,) for name in fields[:3] for _ in range(2)]
    assert all(len(recipe.left_out) < len(fields) and recipe.how for recipe in found)


def test_field_that_is_left_out_is_not_seen() -> None:
    applications, _, _ = invented(10, 0)
    rows = Recipe("", SETTINGS, left_out=("Income",)).rows(applications)
    assert [spec.name for spec in rows.fields] == ["Num_Children", "Own_Car", "Own_Housing"]
    assert rows.matrix.shape == (10, 3)
    assert rows.groups is applications.groups


def test_no_weights_without_reweighing() -> None:
    assert Recipe("", SETTINGS).weights(invented(10, 0)[0]) is None


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_reweighing_takes_the_dependence_between_group_and_outcome_away(strength: float) -> None:
    # Given groups whose shares labelled approve differ, and some rows without a group
    applications, _, _ = invented(5_000, 1)
    names = applications.groups["Group"].copy()
    names[:100] = ""
    applications.groups["Group"] = names
    truth, known = applications.approved, names != ""
    # When the rows are weighed
    weights = Recipe("", SETTINGS, reweighed_by="Group", strength=strength).weights(applications)
    # Then rows without a group weigh 1, and the weighted shares are alike at full strength, and closer at half
    assert weights is not None
    assert np.all(weights[~known] == 1)
    rates = [np.average(truth[names == name], weights=weights[names == name]) for name in ("0", "1")]
    before = [truth[names == name].mean() for name in ("0", "1")]
    if strength == 1:
        assert rates == pytest.approx([truth[known].mean()] * 2)
    else:
        assert 0 < rates[1] - rates[0] < before[1] - before[0]
