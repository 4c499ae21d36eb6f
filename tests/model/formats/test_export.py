"""The table is the pipeline: for any columns, on every edge and one float beside it, and with values missing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from lambda_app.formats.scorecard import Scorecard
from model.applicant import Applicant
from model.contract import Scored
from model.contract.fields import FieldSpec
from model.data.applications import check_frame
from model.data.generator import generate
from model.fit.settings import TrainingSettings
from model.fit.train import scorecard_pipeline, train
from model.formats.batch import BatchScorer, decide
from model.formats.bins import bins_of
from model.formats.export import AT_CUTOFF_SHARE, PLACES, at_cutoff, tables_of
from model.judge.limits import limits_of
from model.judge.parity import compare, decide_all
from tests.artifacts import vouch
from tests.trainings import FAST

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from model.contract.declarations import Direction
    from model.contract.fields import Kind
    from model.run import TrainingRun

QUICK = TrainingSettings(max_iter=15, min_samples_leaf=3)
ROWS = 400


def spec(name: str, kind: Kind, direction: Direction, *, optional: bool = False, words: int = 0) -> FieldSpec:
    """A field of which only what training looks at matters."""
    return FieldSpec(
        name,
        kind,
        optional,
        "",
        Scored(direction, "", "", ""),
        -1e300,
        1e300,
        tuple(f"w{place}" for place in range(words)),
    )


def columns(generator: np.random.Generator, rows: int) -> dict[str, tuple[FieldSpec, NDArray[np.float64]]]:
    """Columns that are hard to bin."""
    neighbours = np.nextafter(1.0, 2.0) - 1.0
    skewed = np.where(generator.random(rows) < 0.9, 7.0, generator.integers(0, 100, rows))
    hole = generator.normal(0, 1, rows)
    hole[generator.random(rows) < 0.3] = np.nan
    words = generator.integers(0, 4, rows).astype(np.float64)
    gaps = words.copy()
    gaps[generator.random(rows) < 0.2] = np.nan
    return {
        "single": (spec("single", "int", "up"), np.full(rows, 3.0)),
        "two": (spec("two", "flag", "up"), generator.integers(0, 2, rows).astype(np.float64)),
        "rare": (spec("rare", "flag", "down"), (generator.random(rows) < 0.02).astype(np.float64)),
        "few": (spec("few", "int", "free"), generator.integers(-3, 4, rows).astype(np.float64)),
        "tied": (spec("tied", "int", "free"), skewed),
        "many": (spec("many", "float", "up"), generator.normal(0, 1, rows)),
        "huge": (spec("huge", "float", "free"), generator.choice([-1e300, -1.0, 0.0, 5e-324, 1e300], rows)),
        "close": (spec("close", "float", "free"), 1.0 + neighbours * generator.integers(0, 6, rows)),
        "hole": (spec("hole", "float", "down", optional=True), hole),
        "whole": (spec("whole", "float", "up", optional=True), generator.normal(0, 1, rows)),
        "words": (spec("words", "choice", "free", words=6), words),
        "gaps": (spec("gaps", "choice", "free", optional=True, words=5), gaps),
    }


def around(field: FieldSpec, known: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values where a table could differ from the pipeline."""
    if field.kind == "choice":
        values = np.arange(len(field.words), dtype=np.float64)
    else:
        values = np.unique(known)
        middles = values[:-1] + np.diff(values) / 2
        beside = [np.nextafter(edges, side) for side in (-np.inf, np.inf)]
        outside = np.array([values[0] - 1, values[-1] + 1, -1e300, 1e300, 0.0, -0.0])
        values = np.concatenate([values, middles, edges, *beside, outside])
    return np.append(values, np.nan) if field.optional else values


def fitted(fields: tuple[FieldSpec, ...], matrix: NDArray[np.float64], labels: NDArray[np.int64]) -> Pipeline:
    """A scorecard of a few trees."""
    with threadpool_limits(limits=1):
        return scorecard_pipeline(fields, QUICK).fit(matrix, labels)


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1))
def test_table_is_the_pipeline_for_any_columns(seed: int) -> None:
    # Given a pipeline on columns that are hard to bin
    generator = np.random.default_rng(seed)
    found = columns(generator, ROWS)
    fields = tuple(field for field, _ in found.values())
    matrix = np.column_stack([column for _, column in found.values()])
    worth = np.nan_to_num(np.clip(matrix, -3, 3)).sum(axis=1)
    labels = (worth + generator.normal(0, 2, ROWS) > np.median(worth)).astype(np.int64)
    pipeline = fitted(fields, matrix, labels)
    # When its points are read off
    model: Any = tables_of(pipeline, fields, matrix)
    card = Scorecard(model, {"points": [0.0] * len(fields)})
    # Then they say of every value what the pipeline says
    base = np.array([column[~np.isnan(column)][-1] for column in matrix.T])
    for place, (field, entry) in enumerate(zip(fields, model["fields"], strict=True)):
        values = around(field, matrix[~np.isnan(matrix[:, place]), place], np.array(entry.get("edges", ())))
        rows = np.repeat(base[np.newaxis], len(values), axis=0)
        rows[:, place] = values
        with threadpool_limits(limits=1):
            expected = pipeline.decision_function(rows)
        for row, wanted in zip(rows, expected, strict=True):
            assert card.score(card.bins(as_values(row, fields))) == pytest.approx(wanted, abs=1e-8), (
                field.name,
                row[place],
            )


def as_values(row: NDArray[np.float64], fields: tuple[FieldSpec, ...]) -> dict[str, Any]:
    """A row as validated values, without rounding a number to an int."""
    return {
        field.name: None if math.isnan(value) else field.words[int(value)] if field.words else value
        for field, value in zip(fields, row.tolist(), strict=True)
    }


def test_single_valued_column_has_one_bin_and_two_valued_one_edge() -> None:
    generator = np.random.default_rng(0)
    found = columns(generator, ROWS)
    fields = tuple(found[name][0] for name in ("single", "two"))
    matrix = np.column_stack([found[name][1] for name in ("single", "two")])
    model = tables_of(fitted(fields, matrix, matrix[:, 1].astype(np.int64)), fields, matrix)
    single, two = model["fields"]
    assert (single["edges"], single["points"]) == ([], [0.0])
    assert len(two["edges"]) == 1
    assert 0 <= two["edges"][0] < 1
    assert two["points"][0] == 0.0 < two["points"][1]


def test_worst_bin_of_each_field_has_no_points(mixed: TrainingRun) -> None:
    model = joblib.load(mixed.directory / "model.joblib")
    for entry, field in zip(model["fields"], mixed.trained.holdout.fields, strict=True):
        bins = len(entry["words"]) if field.words else len(entry["edges"]) + 1
        assert len(entry["points"]) == bins + field.optional
        assert min(entry["points"]) == 0.0
        assert entry.get("edges", []) == sorted(set(entry.get("edges", [])))


def test_points_follow_each_fields_direction(small: TrainingRun) -> None:
    model = joblib.load(small.directory / "model.joblib")
    for entry, field in zip(model["fields"], small.trained.holdout.fields, strict=True):
        assert entry["points"] == sorted(entry["points"], reverse=field.scored.direction == "down")


def test_parity_notices_a_table_that_is_not_the_pipeline(small: TrainingRun, tmp_path: Path) -> None:
    # Given an artifact whose table has two points more somewhere
    model = joblib.load(small.directory / "model.joblib")
    model["fields"][1]["points"] = [points + 2.0 for points in model["fields"][1]["points"]]
    joblib.dump(model, tmp_path / "model.joblib")
    kept = ("threshold", "contract", "reference", "bins")
    vouch(tmp_path, **{key: small.manifest[key] for key in kept})
    holdout = small.trained.holdout
    # When it is compared with the pipeline
    found = compare(tmp_path, small.trained.scorecard, holdout, *decide_all(tmp_path, holdout))
    # Then the difference is told
    assert found["different_decisions"] > 0
    assert found["largest_difference"] > 0.1
    assert found["rows"] == len(holdout.matrix)


def test_shares_of_the_bins_add_up(mixed: TrainingRun, mixed_sklearn: TrainingRun) -> None:
    for outcome in (mixed, mixed_sklearn):
        training = outcome.trained.training.matrix
        for column, entry in zip(training.T, outcome.manifest["bins"]["fields"], strict=True):
            edges = np.array(entry["edges"]) if "edges" in entry else None
            numbers = bins_of(column, edges, len(entry.get("words", ())))
            for number, share in enumerate(entry["shares"]):
                assert share == pytest.approx(np.mean(numbers == number), abs=1e-6)
            assert sum(entry["shares"]) == pytest.approx(1, abs=1e-4)
        assert sum(outcome.manifest["bins"]["score"]["shares"]) == pytest.approx(1, abs=1e-4)


def test_manifest_holds_no_applicant(mixed_sklearn: TrainingRun) -> None:
    reference = mixed_sklearn.manifest["reference"]["values"]
    rows = mixed_sklearn.trained.training
    found = [
        row
        for row in rows.matrix
        if all(
            (value == wanted) or (value != value and wanted is None)
            for value, wanted in zip(row, encoded(reference, rows.fields), strict=True)
        )
    ]
    assert found == []


def encoded(values: dict[str, Any], fields: tuple[FieldSpec, ...]) -> list[Any]:
    """Values as the matrix has them; None where missing."""
    return [
        field.words.index(values[field.name]) if field.words and values[field.name] is not None else values[field.name]
        for field in fields
    ]


def test_reference_is_of_whole_scores_at_and_above_the_cutoff(mixed: TrainingRun) -> None:
    # Given the score of each training row, and the rows that a denial is compared with
    trained = mixed.trained
    scores = np.round(trained.scorecard.predict_proba(trained.training.matrix)[:, 1], PLACES)
    taken = np.round(trained.scorecard.predict_proba(at_cutoff(trained))[:, 1], PLACES)
    approved = scores[scores >= trained.threshold]
    # Then none of them is denied, nobody with such a score is left out, and they are the lowest tenth or so
    assert taken.min() == approved.min()
    assert len(taken) == np.count_nonzero(approved <= taken.max())
    assert len(taken) >= len(approved) * AT_CUTOFF_SHARE > np.count_nonzero(approved < taken.max())
    assert mixed.manifest["reference"]["score"] >= math.log(trained.threshold / (1 - trained.threshold))


def test_order_of_the_training_rows_is_nothing_to_the_reference(mixed: TrainingRun) -> None:
    trained = mixed.trained
    shuffled = np.random.default_rng(0).permutation(len(trained.training.matrix))
    again = at_cutoff(replace(trained, training=trained.training.take(shuffled)))
    assert np.array_equal(np.sort(again, axis=0), np.sort(at_cutoff(trained), axis=0), equal_nan=True)


def test_reference_agrees_between_seeds() -> None:
    # Given three trainings, each on applications of its own
    runs = [
        train(
            check_frame(generate(60_000, seed), Applicant, source="test", dated="2026-01-01"),
            limits_of(Applicant),
            replace(FAST, seed=seed),
        )
        for seed in range(3)
    ]
    # When the applicants are compared that a denial would be held against
    means = np.array([at_cutoff(run).mean(axis=0) for run in runs])
    # Then the shares that own a car or a home, and the incomes, are much the same: reasons keep their order
    children, income, car, housing = np.ptp(means, axis=0)
    assert max(children, car, housing) < 0.2
    assert income < 2_000
    # And much more alike than those of the narrowest hundredth, which a few scores decide
    narrow = np.ptp([at_cutoff(run, 0.01).mean(axis=0) for run in runs], axis=0)
    assert narrow[2] > 2 * car
    assert narrow[3] > 2 * housing


@pytest.mark.parametrize("form", ["mixed", "mixed_sklearn"])
@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_batch_of_one_kind_of_decision_only(form: str, decision: str, request: pytest.FixtureRequest) -> None:
    # Given applications that are all approved, or all denied
    outcome: TrainingRun = request.getfixturevalue(form)
    scorer = BatchScorer(outcome.directory)
    holdout = outcome.trained.holdout
    wanted = scorer.approved(scorer.probabilities(holdout.matrix)) == (decision == "approve")
    # When they are scored offline
    scored = decide(scorer, holdout.take(np.flatnonzero(wanted)[:40]))
    # Then each has its decision, and reasons if it is a denial
    assert len(scored) == 40
    assert set(scored["decision"]) == {decision}
    assert all(bool(reasons) is (decision == "deny") for reasons in scored["reasons"])


def test_batch_of_nothing_has_the_columns_of_any_other(mixed: TrainingRun) -> None:
    scorer = BatchScorer(mixed.directory)
    nothing = mixed.trained.holdout.take(np.array([], dtype=np.int64))
    assert list(decide(scorer, nothing)) == list(decide(scorer, mixed.trained.holdout))
