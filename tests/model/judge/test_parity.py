"""Parity: an artifact that decides otherwise than its pipeline is found."""

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


def test_notices_a_table_that_is_not_the_pipeline(small: TrainingRun, tmp_path: Path) -> None:
    # Given an artifact in which one field has two points more everywhere
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
    # Then the difference shows
    assert found["different_decisions"] > 0
    assert found["largest_difference"] > 0.1
    assert found["rows"] == len(holdout.matrix)


def test_asks_beside_every_edge_word_and_missing_value(mixed: TrainingRun) -> None:
    # Given the bins of a model with every kind of field
    fields = zip(mixed.candidate.holdout.fields, mixed.manifest["bins"]["fields"], strict=True)
    # When the rows beside them are counted: three for an edge, one for a word, one for a missing value
    expected = sum(3 * len(bins.get("edges", ())) + len(spec.words) + spec.optional for spec, bins in fields)
    # Then parity has looked at as many
    assert mixed.manifest["parity"]["edge_rows"] == expected
