"""Parity: an artifact that decides differently from its pipeline is detected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import joblib

from lambda_app import artifact
from model.judge.parity import compare, decide_all
from tests.artifacts import vouch

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.formats.scorecard import ScorecardTables
    from model.run import TrainingRun


def test_detects_a_table_that_differs_from_the_pipeline(small: TrainingRun, tmp_path: Path) -> None:
    # Given an artifact in which every bin of one field has two extra points
    model: ScorecardTables = joblib.load(small.directory / "model.joblib")
    model["fields"][1]["points"] = [points + 2.0 for points in model["fields"][1]["points"]]
    joblib.dump(model, tmp_path / "model.joblib")
    manifest = small.manifest
    vouch(
        tmp_path,
        threshold=manifest["threshold"],
        contract=manifest["contract"],
        reference=manifest["reference"],
        bins=manifest["bins"],
    )
    opened, holdout = artifact.load(str(tmp_path)), small.candidate.holdout
    # When it is compared with the pipeline
    found = compare(opened, small.candidate, decide_all(opened, holdout))
    # Then the difference is reported
    assert found["different_decisions"] > 0
    assert found["largest_difference"] > 0.1
    assert found["rows"] == len(holdout.matrix)


def test_compares_at_every_edge_word_and_missing_value(mixed: TrainingRun) -> None:
    # Given the bins of a model with every kind of field
    fields = zip(mixed.candidate.holdout.fields, mixed.manifest["bins"]["fields"], strict=True)
    # When the rows are counted: three per edge, one per word, one per missing value
    expected = sum(3 * len(bins.get("edges", ())) + len(spec.words) + spec.optional for spec, bins in fields)
    # Then parity has compared as many
    assert mixed.manifest["parity"]["edge_rows"] == expected
