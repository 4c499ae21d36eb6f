"""Values that training cannot support: nobody gains by leaving a value out, or by a word that hardly anyone has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from model.contract.fields import fields_of
from model.contract.loading import load_contract
from model.data.applications import check_frame, read
from model.data.generator import generate
from model.fit.merging import THIN_SHARE
from model.fit.scorecard import Fitted, fit_scorecard
from model.fit.support import NOT_GIVEN
from tests.artifacts import loans
from tests.serving import ROOT
from tests.trainings import FAST, MIXED, SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Unsupported
    from model.contract.fields import FieldSpec
    from model.data.applications import Applications

    Floats = NDArray[np.float64]

CREDIT = ROOT / "examples" / "credit_data"
# All three contracts, and shares of missing values around what training can support.
SHARES = st.sampled_from([0.0, 0.003, 0.015, 0.05])


def applications(name: str, seed: int) -> Applications:
    """A few thousand labelled applications of one of three contracts."""
    if name == "default":
        return check_frame(generate(3_000, seed), load_contract(SMALL), source="test", dated=None)
    if name == "mixed":
        return check_frame(loans(3_000, seed), load_contract(MIXED), source="test", dated=None)
    return read(CREDIT / "credit_data.csv", load_contract(f"{CREDIT / 'applicant.py'}:Applicant"))


def fitted(fields: tuple[FieldSpec, ...], matrix: Floats, approved: NDArray[np.bool_]) -> Fitted:
    """A scorecard of few trees."""
    with threadpool_limits(limits=1):
        return fit_scorecard(fields, matrix, approved.astype(np.int64), FAST)


def with_missing(found: Applications, share: float, generator: np.random.Generator) -> Applications:
    """The same applications, with a value in every row except for this share of an optional field."""
    matrix = found.matrix.copy()
    for place, spec in enumerate(found.fields):
        if spec.optional:
            column = matrix[:, place]
            known = column[~np.isnan(column)]
            column = np.where(np.isnan(column), generator.choice(known, len(column)), column)
            # Missing where the outcome is good, so that a model would reward it.
            missing = found.approved & (generator.random(len(column)) < share / found.approved.mean())
            matrix[:, place] = np.where(missing, np.nan, column)
    return replace(found, matrix=matrix)


@pytest.mark.parametrize("name", ["default", "mixed", "credit"])
@settings(max_examples=4)
@given(seed=st.integers(0, 999), share=SHARES)
def test_leaving_a_value_out_never_helps_more_than_the_lowest_supported_value(
    name: str, seed: int, share: float
) -> None:
    # given
    generator = np.random.default_rng(seed)
    found = with_missing(applications(name, seed), share, generator)
    pipeline = fitted(found.fields, found.matrix, found.approved).pipeline
    asked = found.matrix[generator.integers(0, len(found.matrix), 20)]

    for place, spec in enumerate(found.fields):
        column = found.matrix[:, place]
        missing = np.count_nonzero(np.isnan(column))
        values, rows = np.unique(column[~np.isnan(column)], return_counts=True)
        supported = values[rows >= FAST.min_samples_leaf] if spec.words else values

        # when
        def probabilities(value: float, place: int = place) -> Floats:
            changed = asked.copy()
            changed[:, place] = value
            estimates: Floats = pipeline.predict_proba(changed)[:, 1]
            return estimates

        # then
        lowest = np.min([probabilities(value) for value in supported], axis=0)
        if spec.optional and missing < max(FAST.min_samples_leaf, THIN_SHARE * len(column)):
            assert np.all(probabilities(np.nan) <= lowest + 1e-12), spec.name
        for place_of_word in set(range(len(spec.words))) - set(supported.astype(int)):
            assert np.all(probabilities(place_of_word) <= lowest + 1e-12), (spec.name, place_of_word)


def home_and_job(counts: dict[str, int], missing: int = 500) -> tuple[tuple[FieldSpec, ...], Floats, NDArray[np.bool_]]:
    """Two fields of words: Home is always known; of Job, there are these many rows, and many of them approved."""
    fields = tuple(spec for spec in fields_of(load_contract(MIXED)) if spec.name in ("Home", "Job"))
    words = pd.Series([word for word, count in counts.items() for _ in range(count)] + [None] * missing)
    job = words.map({word: float(place) for place, word in enumerate(fields[1].words)}).to_numpy(np.float64)
    generator = np.random.default_rng(0)
    chance = np.select([job == 0, job == 1, job == 2], [0.7, 0.5, 0.2], 0.99)
    matrix = np.column_stack([generator.integers(0, 3, len(job)).astype(np.float64), job])
    return fields, matrix, generator.random(len(job)) < chance


def points_of_job(made: Fitted) -> list[float]:
    """The scores of Job's four words and of a missing one."""
    rows = np.array([[0.0, value] for value in (0, 1, 2, 3, np.nan)])
    return [round(score, 9) for score in made.pipeline.decision_function(rows)]


def unsupported(made: Fitted) -> list[Unsupported]:
    """What is said about Job."""
    return [value for value in made.unsupported if value["field"] == "Job"]


def test_word_with_few_rows_or_none_gets_the_points_of_the_lowest_supported_word() -> None:
    # given: nine rows of 'none', nearly all approved, and none of 'unseen'
    fields, matrix, approved = home_and_job({"fixed": 800, "freelance": 800, "none": 9})
    approved[matrix[:, 1] == 2] = True

    # when
    made = fitted(fields, matrix, approved)

    # then
    fixed, freelance, none, unseen, missing = points_of_job(made)
    assert none == unseen == freelance < fixed < missing
    assert unsupported(made) == [
        {"field": "Job", "value": "none", "rows": 9, "scored_as": "freelance"},
        {"field": "Job", "value": "unseen", "rows": 0, "scored_as": "freelance"},
    ]


def test_field_without_any_supported_word_has_the_same_points_for_all() -> None:
    fields, matrix, approved = home_and_job({"fixed": 40, "freelance": 40, "none": 40})
    assert len(set(points_of_job(fitted(fields, matrix, approved))[:4])) == 1


def test_missing_value_that_training_supports_keeps_its_own_points() -> None:
    made = fitted(*home_and_job({"fixed": 800, "freelance": 800, "none": 400}, missing=100))
    *words, missing = points_of_job(made)
    assert missing > max(words)
    assert [value["value"] for value in unsupported(made)] == ["unseen"]


def test_missing_value_that_scores_low_keeps_its_own_points_unless_hardly_any_row_has_it() -> None:
    def made(missing: int) -> Fitted:
        fields, matrix, approved = home_and_job({"fixed": 4_000, "freelance": 2_000, "none": 2_000}, missing=missing)
        approved[np.isnan(matrix[:, 1])] = False
        return fitted(fields, matrix, approved)

    *words, missing = points_of_job(made(120))
    assert missing < min(words)
    *words, missing = points_of_job(made(20))
    assert missing == min(words)


def ordered(direction: Any) -> tuple[FieldSpec, ...]:
    """Home and Job, with Job's words in order."""
    home, job = home_and_job({})[0]
    return home, replace(job, scored=replace(job.scored, direction=direction))


@pytest.mark.parametrize("direction", ["up", "down"])
def test_ordered_words_follow_their_direction_whatever_the_data_says(direction: str) -> None:
    # given: data in which the chance of approval falls along the words
    _, matrix, approved = home_and_job({"fixed": 800, "freelance": 800, "none": 800})

    # when
    *words, _ = points_of_job(fitted(ordered(direction), matrix, approved))

    # then: 'up' allows no fall at all, and 'down' shows it; the word without rows gets its only neighbour's points
    fixed, freelance, none, unseen = words
    if direction == "up":
        assert fixed == freelance == none == unseen
    else:
        assert fixed > freelance > none == unseen


def test_ordered_word_with_few_rows_gets_the_points_of_the_neighbour_with_the_lower_score() -> None:
    _, matrix, approved = home_and_job({"fixed": 800, "freelance": 9, "none": 800})
    made = fitted(ordered("down"), matrix, approved)
    fixed, freelance, none, _, _ = points_of_job(made)
    assert fixed > freelance == none
    assert unsupported(made)[0] == {"field": "Job", "value": "freelance", "rows": 9, "scored_as": "none"}


def test_missing_number_says_which_range_it_scores_as() -> None:
    # given: a contract's numbers without missing values
    found = with_missing(applications("mixed", 0), 0.0, np.random.default_rng(0))

    # when
    made = fitted(found.fields, found.matrix, found.approved)

    # then: years and savings count in favour, so the lowest range is the first
    said = {value["field"]: value for value in made.unsupported if value["value"] == NOT_GIVEN}
    assert set(said) == {"Years", "Job", "Savings"}
    assert said["Years"]["rows"] == 0
    assert said["Years"]["scored_as"].startswith("up to ")
    assert said["Savings"]["scored_as"].startswith("up to ")
    assert said["Job"]["scored_as"] == "freelance", "the most frequent of the words with the lowest points"
