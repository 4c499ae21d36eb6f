"""The number of iterations: it changes only if another one is measurably better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from model.contract.loading import load_contract
from model.data.applications import Applications, check_frame
from model.fit import iterations
from model.fit.iterations import best_iterations
from model.fit.settings import TrainingSettings
from model.fit.train import train
from tests.artifacts import loans
from tests.trainings import MIXED, task_of

SETTINGS = TrainingSettings(folds=3, max_iter=10, most_iterations=120)


@pytest.fixture(autouse=True)
def _one_thread() -> object:
    """As in training."""
    with threadpool_limits(limits=1) as limits:
        yield limits


def found(rows: int = 1_500) -> Applications:
    """Labelled loans."""
    return check_frame(loans(rows, 3), load_contract(MIXED), source="test", dated=None)


def test_far_too_few_iterations_are_replaced_the_same_way_each_time() -> None:
    number = best_iterations(found(), SETTINGS)
    assert 20 <= number <= 120
    assert number == best_iterations(found(), SETTINGS)


def test_setting_stays_if_none_is_measurably_better() -> None:
    # given: a number that the search found, as the setting
    number = best_iterations(found(), SETTINGS)

    # then
    assert best_iterations(found(), replace(SETTINGS, max_iter=number)) == number


def test_far_too_many_iterations_on_noise_are_replaced_by_fewer() -> None:
    # given: outcomes that no field explains
    data = found()
    noise = replace(data, approved=np.random.default_rng(0).random(len(data.approved)) < 0.5)

    # then
    assert best_iterations(noise, replace(SETTINGS, max_iter=100, most_iterations=110)) < 50


def test_nothing_is_searched_for_unless_more_iterations_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iterations, "additive", None)
    assert best_iterations(found(), replace(SETTINGS, most_iterations=10)) == 10
    assert best_iterations(found(), replace(SETTINGS, most_iterations=5)) == 10


def test_training_states_the_settings_that_give_the_same_model_without_a_search() -> None:
    # given
    first = train(task_of(load_contract(MIXED), found(), SETTINGS))
    assert first.settings is not None
    assert first.settings.max_iter == first.settings.most_iterations > SETTINGS.max_iter

    # when
    again = train(task_of(load_contract(MIXED), found(), first.settings))

    # then
    assert again.settings == first.settings
    assert again.threshold == first.threshold
    matrix = first.holdout.matrix
    assert np.array_equal(again.pipeline.decision_function(matrix), first.pipeline.decision_function(matrix))
