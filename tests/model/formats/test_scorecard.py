"""The tables equal the pipeline: for any columns, on every edge, one float next to it, and with missing values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from lambda_app.formats.scorecard import Scorecard
from model.contract import Scored
from model.contract.fields import FieldSpec
from model.fit.scorecard import fit_scorecard
from model.fit.settings import TrainingSettings
from model.formats.scorecard import tables_of
from tests.applications import judged

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.pipeline import Pipeline

    from lambda_app.formats.scorecard import ScorecardTables
    from lambda_app.manifest import Application
    from model.contract.declarations import Direction
    from model.contract.fields import Kind
    from model.data.applications import Applications
    from model.run import TrainingRun

QUICK = TrainingSettings(max_iter=15, min_samples_leaf=3)
ROWS = 400


def spec(name: str, kind: Kind, direction: Direction, *, optional: bool = False, words: int = 0) -> FieldSpec:
    """A field with only the properties that training uses."""
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


def awkward_columns(generator: np.random.Generator, rows: int) -> dict[str, tuple[FieldSpec, NDArray[np.float64]]]:
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
    """Values at which a table could differ from the pipeline."""
    if field.kind == "choice":
        values = np.arange(len(field.words), dtype=np.float64)
    else:
        values = np.unique(known)
        middles = values[:-1] + np.diff(values) / 2
        beside = [np.nextafter(edges, side) for side in (-np.inf, np.inf)]
        outside = np.array([values[0] - 1, values[-1] + 1, -1e300, 1e300, 0.0, -0.0])
        values = np.concatenate([values, middles, edges, *beside, outside])
    return np.append(values, np.nan) if field.optional else values


def trained(
    fields: tuple[FieldSpec, ...], matrix: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[Pipeline, Applications]:
    """A scorecard of a few trees, and what it was trained on."""
    with threadpool_limits(limits=1):
        pipeline = fit_scorecard(fields, matrix, labels, QUICK).pipeline
    return pipeline, replace(judged(labels == 1), fields=fields, matrix=matrix)


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1))
def test_table_equals_the_pipeline_for_any_columns(seed: int) -> None:
    # Given a pipeline on columns that are hard to bin
    generator = np.random.default_rng(seed)
    found = awkward_columns(generator, ROWS)
    fields = tuple(field for field, _ in found.values())
    matrix = np.column_stack([column for _, column in found.values()])
    worth = np.nan_to_num(np.clip(matrix, -3, 3)).sum(axis=1)
    labels = (worth + generator.normal(0, 2, ROWS) > np.median(worth)).astype(np.int64)
    pipeline, training = trained(fields, matrix, labels)
    # When its points are read from it
    model = tables_of(pipeline, training)
    card = Scorecard(model, {"points": [0.0] * len(fields)})
    # Then they give every value the pipeline's score
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


def as_values(row: NDArray[np.float64], fields: tuple[FieldSpec, ...]) -> Application:
    """A row as validated values, without rounding a number to an int."""
    return {
        field.name: None if math.isnan(value) else field.words[int(value)] if field.words else value
        for field, value in zip(fields, row.tolist(), strict=True)
    }


def test_single_valued_column_has_one_bin_and_two_valued_one_edge() -> None:
    generator = np.random.default_rng(0)
    found = awkward_columns(generator, ROWS)
    fields = tuple(found[name][0] for name in ("single", "two"))
    matrix = np.column_stack([found[name][1] for name in ("single", "two")])
    model = tables_of(*trained(fields, matrix, matrix[:, 1].astype(np.int64)))
    single, two = model["fields"]
    assert (single["edges"], single["points"]) == ([], [0.0])
    assert len(two["edges"]) == 1
    assert 0 <= two["edges"][0] < 1
    assert two["points"][0] == 0.0 < two["points"][1]


def test_worst_bin_of_each_field_has_no_points(mixed: TrainingRun) -> None:
    model: ScorecardTables = joblib.load(mixed.directory / "model.joblib")
    for entry, field in zip(model["fields"], mixed.candidate.holdout.fields, strict=True):
        bins = len(entry["words"]) if field.words else len(entry["edges"]) + 1
        assert len(entry["points"]) == bins + field.optional
        assert min(entry["points"]) == 0.0
        assert entry.get("edges", []) == sorted(set(entry.get("edges", [])))


def test_points_follow_each_fields_direction(small: TrainingRun) -> None:
    model: ScorecardTables = joblib.load(small.directory / "model.joblib")
    for entry, field in zip(model["fields"], small.candidate.holdout.fields, strict=True):
        assert entry["points"] == sorted(entry["points"], reverse=field.scored.direction == "down")
