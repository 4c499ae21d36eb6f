"""The search for alternatives: what it finds, that its figures hold, and that it goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from model.alternatives import search as searching
from model.alternatives.recipes import Recipe
from model.alternatives.search import PARTIAL, search
from model.alternatives.summary import lines
from model.alternatives.trial import Rows, try_recipe, unbeaten
from model.applicant import Applicant
from model.contract.loading import load_contract
from model.data.applications import check_frame
from model.data.generator import generate
from model.fit.splitting import split
from model.judge.limits import limits_of
from tests.trainings import FAST, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from model.alternatives.search import Alternatives
    from model.alternatives.trial import Point
    from model.data.applications import Applications
    from model.fit.task import CutoffRule
    from model.run import TrainingRun


@pytest.fixture(scope="module")
def applications() -> Applications:
    """The rows that `small` was trained on."""
    return check_frame(generate(20_000, 0), load_contract(SMALL), source="test", dated="2026-01-01")


@pytest.fixture(autouse=True, scope="module")
def few() -> Iterator[None]:
    """Fewer recipes than there are, one of each kind."""
    with pytest.MonkeyPatch.context() as patch:
        recipes = [
            Recipe("as chosen", FAST, how="train as before"),
            Recipe("without Own_Car", FAST, ("Own_Car",), how="take Own_Car out of the contract"),
            Recipe("without Num_Children", FAST, ("Num_Children",), how="take Num_Children out of the contract"),
            Recipe("reweighed by Group", FAST, reweighed_by="Group", strength=0.5),
        ]
        patch.setattr(searching, "first_round", lambda *_: recipes)
        yield


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the recipes that are tried from now on."""
    names: list[str] = []

    def tried(recipe: Recipe, on: Rows) -> list[Point]:
        names.append(recipe.name)
        return try_recipe(recipe, on)

    monkeypatch.setattr(searching, "try_recipe", tried)
    return names


@pytest.fixture(scope="module")
def found(small: TrainingRun, applications: Applications, tmp_path_factory: pytest.TempPathFactory) -> Alternatives:
    """What is found for the small model."""
    return search(applications, small.manifest, FAST, limits_of(Applicant), tmp_path_factory.mktemp("search"))


def test_points_that_another_beats_are_left_out() -> None:
    generator = np.random.default_rng(0)
    values, gaps = generator.integers(0, 20, 200) / 20, generator.integers(0, 20, 200) / 20
    kept = unbeaten(values, gaps)
    for place in range(200):
        beaten = (values >= values[place]) & (gaps <= gaps[place]) & ((values > values[place]) | (gaps < gaps[place]))
        if place in kept:
            assert not beaten.any()
        else:
            # Beaten, or the same as one that is kept
            same = (values[kept] == values[place]) & (gaps[kept] == gaps[place])
            assert beaten.any() or same.any()


def test_every_figure_of_a_point_can_be_calculated_from_its_decisions(
    small: TrainingRun, applications: Applications
) -> None:
    # Given the chosen model's decisions
    training, holdout = split(applications, FAST)
    chosen = small.candidate.pipeline.predict_proba(holdout.matrix)[:, 1] >= small.manifest["threshold"]
    on = Rows(training, holdout, {"by": "accuracy"}, training.approved, chosen)
    # When the same recipe is tried
    points = try_recipe(Recipe("as chosen", FAST), on)
    # Then its points are the pipeline's decisions at other cut-offs, compared row by row
    assert len(points) > 5
    for point in points[::5]:
        approved = small.candidate.pipeline.predict_proba(holdout.matrix)[:, 1] >= point["cutoff"]
        tried = point["holdout"]
        gained = (approved == holdout.approved).astype(float) - (chosen == holdout.approved)
        rates = [approved[holdout.approved & (holdout.groups["Group"] == name)].mean() for name in ("0", "1")]
        assert tried["value"] == pytest.approx((approved == holdout.approved).mean())
        assert tried["approval_rate"] == pytest.approx(approved.mean())
        assert tried["gap"] == pytest.approx(abs(rates[1] - rates[0]))
        assert tried["difference"]["value"] == pytest.approx(gained.mean())
        assert tried["difference"]["high"] == pytest.approx(
            gained.mean() + 1.96 * gained.std() / len(gained) ** 0.5, 1e-3
        )


def test_alternatives_keep_to_the_rule_of_the_cutoff(small: TrainingRun, applications: Applications) -> None:
    training, holdout = split(applications, FAST)

    def tried(rule: CutoffRule) -> list[Point]:
        return try_recipe(Recipe("as chosen", FAST), Rows(training, holdout, rule, training.approved, holdout.approved))

    for point in tried({"by": "approved_share", "share": 0.4}):
        assert point["training"]["approval_rate"] == pytest.approx(0.4, abs=0.005)
    for point in tried({"by": "bad_share", "at_most": 0.01}):
        assert point["training"]["approval_rate"] < small.manifest["metrics"]["approval_rate"]
    assert {point["cutoff"] for point in tried({"by": "value", "cutoff": 0.6})} == {0.6}


def test_what_is_called_as_good_and_fairer_is(found: Alternatives) -> None:
    chosen = found["chosen"]
    assert found["equal"], "the small model has fairer alternatives"
    for point in (*found["equal"], *found["counsel"]):
        assert point["holdout"]["difference"]["high"] >= 0
        assert point["holdout"]["gap"] < chosen["holdout"]["gap"]
        assert point["training"]["gap"] < chosen["training"]["gap"]
    assert not any(point["reads_group"] for point in (*found["equal"], *found["frontier"]))
    assert all(point["reads_group"] for point in found["counsel"])


def test_frontier_rises_from_the_smallest_gap(found: Alternatives) -> None:
    frontier = [(point["training"]["gap"], point["training"]["value"]) for point in found["frontier"]]
    assert frontier == sorted(frontier)
    assert all(one[1] < other[1] for one, other in pairwise(frontier))


def test_interrupted_search_goes_on_where_it_stopped(
    small: TrainingRun, applications: Applications, found: Alternatives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a search that stops after three recipes, in the middle of writing the next
    tried: list[str] = []

    def interrupted(recipe: Recipe, on: Rows) -> Any:
        if len(tried) == 3:
            raise KeyboardInterrupt
        tried.append(recipe.name)
        return try_recipe(recipe, on)

    monkeypatch.setattr(searching, "try_recipe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        search(applications, small.manifest, FAST, limits_of(Applicant), tmp_path)
    with (tmp_path / PARTIAL).open("a", encoding="utf-8") as file:
        file.write('{"recipe": "cut sh')
    # When it is started again, then it tries the others only, finds the same, and leaves no log
    again = recorded(monkeypatch)
    assert search(applications, small.manifest, FAST, limits_of(Applicant), tmp_path) == found
    assert len(tried) == 3
    assert not set(tried) & set(again)
    assert not (tmp_path / PARTIAL).exists()


def test_log_of_another_search_is_not_used(
    small: TrainingRun, applications: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given the log of a search with another rule
    (tmp_path / PARTIAL).write_text("another search\n" + json.dumps({"recipe": "as chosen", "points": []}) + "\n")
    again = recorded(monkeypatch)
    search(applications, small.manifest, FAST, limits_of(Applicant), tmp_path)
    assert "as chosen" in again


def test_says_where_the_chosen_model_stands(found: Alternatives) -> None:
    said = lines(found)
    assert [heading for heading, _ in said[:3]] == ["tried", "chosen", "frontier"]
    fairest = found["equal"][0]
    assert any(fairest["recipe"] in line and "less" in line for heading, line in said if heading == "fairer")
    none: Alternatives = {**found, "equal": [], "counsel": []}
    assert ("fairer", "no alternative that reads no group is as good and fairer") in lines(none)
    assert not any(heading == "counsel" for heading, _ in lines(none))


def test_cost_is_measured_where_the_rule_is_a_cost(small: TrainingRun, applications: Applications) -> None:
    training, holdout = split(applications, FAST)
    chosen = small.candidate.pipeline.predict_proba(holdout.matrix)[:, 1] >= small.manifest["threshold"]
    on = Rows(training, holdout, {"by": "cost", "false_approve": 5, "false_deny": 1}, training.approved, chosen)
    point = try_recipe(Recipe("as chosen", replace(FAST, max_iter=20)), on)[0]
    assert -5 <= point["holdout"]["value"] <= 0
