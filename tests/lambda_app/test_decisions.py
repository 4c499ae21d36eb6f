"""Decisions and their reasons: order, sums, monotonicity, and the same answer from every scorer."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_app import artifact
from lambda_app.decision import Decider
from lambda_app.errors import ArtifactCorrupt
from model.data.encoding import values_of
from model.data.rejects import DataError
from model.formats.batch import decide
from tests.artifacts import write_manifest
from tests.near_edges import beside, sent
from tests.trainings import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambda_app.manifest import Application, Manifest, Reason
    from model.contract.fields import FieldSpec
    from model.run import TrainingRun

PAIRS = 100_000


def by_definition(directory: Path, values: Application) -> tuple[float, dict[str, float]]:
    """Score and shortfalls, computed from the artifact's files as their format defines, without the service's code."""
    model = joblib.load(directory / "model.joblib")
    reference = json.loads((directory / "manifest.json").read_text())["reference"]
    score, shortfalls = model["intercept"], {}
    for field, typical in zip(model["fields"], reference["points"], strict=True):
        value = values.get(field["name"])
        if value is None:
            points = field["points"][-1]
        elif "words" in field:
            points = field["points"][field["words"].index(value)]
        else:
            points = field["points"][sum(edge < value for edge in field["edges"])]
        score += points
        shortfalls[field["name"]] = typical - points
    return score, shortfalls


def reasons_by_definition(
    specs: tuple[FieldSpec, ...], values: Application, shortfalls: dict[str, float], least_share: float
) -> list[Reason]:
    """The reasons of a denial, from the contract itself and without the service's code."""
    positive = {name: value for name, value in shortfalls.items() if value > 0}
    found: dict[str, Reason] = {}
    for spec in sorted(specs, key=lambda spec: -shortfalls[spec.name]):
        value, scored = values.get(spec.name), spec.scored
        enough = not found or shortfalls[spec.name] >= least_share * sum(positive.values())
        if spec.name in positive and enough:
            own = scored.missing if value is None else scored.words.get(str(value))
            code, text = (own.code, own.text) if own else (scored.code, scored.text)
            found.setdefault(code, {"code": code, "field": spec.name, "text": text})
    return list(found.values())[:4]


@pytest.fixture(params=["small", "mixed"])
def trained(request: pytest.FixtureRequest) -> TrainingRun:
    """Each of the trained scorecards."""
    outcome: TrainingRun = request.getfixturevalue(request.param)
    return outcome


def test_training_passed_its_gate(trained: TrainingRun) -> None:
    assert trained.verdict.passed, trained.verdict.denials


def test_denials_have_one_to_four_reasons_in_order_and_approvals_none(trained: TrainingRun) -> None:
    specs = trained.candidate.holdout.fields
    decider = Decider(artifact.load(str(trained.directory)))
    threshold, least_share = trained.manifest["threshold"], trained.manifest["reference"]["least_share"]
    denials = 0
    for row in beside(trained.directory, specs, 3_000, seed=1):
        # Given an application, and its score and shortfalls by the artifact's tables
        application = sent(row, specs)
        score, shortfalls = by_definition(trained.directory, application)
        # When it is decided
        decision = decider.decide(application, "test").answer
        # Then the decision follows from the cut-off, and the reasons are the largest shortfalls
        assert decision["probability"] == pytest.approx(1 / (1 + math.exp(-score)), abs=1e-15)
        assert (decision["prediction"], decision["decision"]) in {(1, "approve"), (0, "deny")}
        assert decision["prediction"] == (decision["probability"] >= threshold)
        named = [reason["field"] for reason in decision["reasons"]]
        if decision["prediction"]:
            assert named == []
            continue
        denials += 1
        assert 1 <= len(named) <= 4
        assert named == sorted(named, key=lambda name: -shortfalls[name])
        assert all(shortfalls[name] > 0 for name in named)
        assert decision["reasons"] == reasons_by_definition(specs, application, shortfalls, least_share)
    assert denials > 300


def test_shortfalls_sum_to_reference_minus_score(trained: TrainingRun) -> None:
    specs = trained.candidate.holdout.fields
    scorer = artifact.load(str(trained.directory)).scorer
    reference = trained.manifest["reference"]
    model = joblib.load(trained.directory / "model.joblib")
    assert reference["score"] == pytest.approx(model["intercept"] + sum(reference["points"]), abs=1e-9)
    for row in beside(trained.directory, specs, 2_000, seed=2):
        values = values_of(row, specs)
        score, by_field = by_definition(trained.directory, values)
        shortfalls = scorer.shortfalls(values, scorer.bins(values))
        assert abs(sum(shortfalls) - (reference["score"] - score)) <= 1e-9
        assert shortfalls == pytest.approx(list(by_field.values()), abs=1e-12)


def test_reference_applicants_are_at_the_cutoff(trained: TrainingRun) -> None:
    threshold = trained.manifest["threshold"]
    reference = 1 / (1 + math.exp(-trained.manifest["reference"]["score"]))
    assert threshold <= reference <= threshold + 0.15


def test_shortfalls_of_format_sklearn_sum_to_reference_minus_probability(mixed_sklearn: TrainingRun) -> None:
    specs = mixed_sklearn.candidate.holdout.fields
    decider = Decider(artifact.load(str(mixed_sklearn.directory)))
    scorer = artifact.load(str(mixed_sklearn.directory)).scorer
    reference = scorer.probability(mixed_sklearn.manifest["reference"]["values"], [])
    assert reference >= mixed_sklearn.manifest["threshold"]
    for row in beside(mixed_sklearn.directory, specs, 60, seed=3):
        values = values_of(row, specs)
        probability = scorer.probability(values, [])
        assert abs(sum(scorer.shortfalls(values, [])) - (reference - probability)) <= 1e-9
        decision = decider.decide(sent(row, specs), "test").answer
        assert bool(decision["reasons"]) is (decision["prediction"] == 0)
        assert len(decision["reasons"]) <= 4


def test_no_pair_is_decided_against_a_fields_direction(small: TrainingRun) -> None:
    # Given pairs of applications that differ in one field only
    specs = small.candidate.holdout.fields
    decider = Decider(artifact.load(str(small.directory)))
    generator = np.random.default_rng(4)
    lower = beside(small.directory, specs, PAIRS, seed=4)
    upper = beside(small.directory, specs, PAIRS, seed=5)
    places = generator.integers(0, len(specs), PAIRS)
    different = 0
    for place, one, other in zip(places.tolist(), lower, upper, strict=True):
        spec = specs[place]
        assert spec.monotonic != 0
        better = dict(values_of(one, specs))
        worse = dict(better)
        values = sorted((better[spec.name], int(other[place])), reverse=spec.monotonic < 0)
        worse[spec.name], better[spec.name] = values
        # When both are decided, then the one with the better value does not get the worse decision
        bad, good = decider.decide(worse, "a").answer, decider.decide(better, "b").answer
        assert good["probability"] >= bad["probability"], (worse, better)
        assert good["prediction"] >= bad["prediction"]
        different += good["probability"] > bad["probability"]
    assert different > PAIRS / 10


def test_service_batch_and_pipeline_agree(trained: TrainingRun) -> None:
    specs = trained.candidate.holdout.fields
    matrix = beside(trained.directory, specs, 5_000, seed=6)
    service = artifact.load(str(trained.directory)).scorer
    batch = columns_of(trained.directory)
    pipeline = joblib.load(trained.directory / "pipeline.joblib")
    every = [values_of(row, specs) for row in matrix]
    bins = [service.bins(values) for values in every]
    ours = np.array([service.probability(values, numbers) for values, numbers in zip(every, bins, strict=True)])
    assert np.array_equal(np.array(bins), np.stack(batch.bins(matrix), axis=1))
    assert np.max(np.abs(ours - batch.probabilities(matrix))) <= 1e-15
    assert np.max(np.abs(ours - pipeline.predict_proba(matrix)[:, 1])) <= 1e-9


def shifted(manifest: Manifest) -> None:
    """Move every edge, and reverse the words."""
    for entry in manifest["bins"]["fields"]:
        if "edges" in entry:
            entry["edges"] = [edge * 1.3 + 1 for edge in entry["edges"]]
        else:
            entry["words"] = entry["words"][::-1]


def without_words(manifest: Manifest) -> None:
    """Remove the words and the last edge."""
    for entry in manifest["bins"]["fields"]:
        entry["edges" if "edges" in entry else "words"] = entry.get("edges", [])[:-1]


@pytest.mark.parametrize("form", ["small", "mixed", "mixed_sklearn"])
@pytest.mark.parametrize("edit", [shifted, without_words], ids=lambda edit: edit.__name__)
def test_bins_in_the_manifest_affect_no_decision(
    edit: Callable[[Manifest], None], form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # Given an artifact, and a copy with other bins in its manifest, which the model version does not cover
    outcome: TrainingRun = request.getfixturevalue(form)
    shutil.copy(outcome.directory / "model.joblib", tmp_path)
    manifest = json.loads((outcome.directory / "manifest.json").read_text())
    edit(manifest)
    write_manifest(tmp_path, manifest)
    specs = outcome.candidate.holdout.fields
    matrix = beside(outcome.directory, specs, 600, seed=7)
    # When the same applications are scored with both, by the service and in a batch
    one, other = columns_of(outcome.directory), columns_of(tmp_path)
    decider, edited = (Decider(artifact.load(str(directory))) for directory in (outcome.directory, tmp_path))
    # Then all decisions and reasons are the same
    probabilities = one.probabilities(matrix)
    assert np.array_equal(probabilities, other.probabilities(matrix))
    denied = matrix[probabilities < manifest["threshold"]][:100]
    assert len(denied) == 100
    assert np.array_equal(one.shortfalls(denied), other.shortfalls(denied))
    for row in matrix[:200]:
        application = sent(row, specs)
        assert decider.decide(application, "test").answer == edited.decide(application, "test").answer


@pytest.mark.parametrize("edges", [["x"], None, 3], ids=repr)
def test_invalid_edges_are_corrupt(edges: object, mixed_sklearn: TrainingRun, tmp_path: Path) -> None:
    # Given edges that cannot be compared with numbers
    shutil.copy(mixed_sklearn.directory / "model.joblib", tmp_path)
    manifest = json.loads((mixed_sklearn.directory / "manifest.json").read_text())
    next(entry for entry in manifest["bins"]["fields"] if "edges" in entry)["edges"] = edges
    write_manifest(tmp_path, manifest)
    # When it is loaded, then it fails at once, not at the first application
    with pytest.raises(ArtifactCorrupt):
        artifact.load(str(tmp_path))


def reversed_words(fields: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
    """The same words in another order, so that each would be mistaken for another."""
    return tuple(replace(spec, words=spec.words[::-1]) if spec.name == "Home" else spec for spec in fields)


def wider_range(fields: tuple[FieldSpec, ...]) -> tuple[FieldSpec, ...]:
    """A range with values that the service would refuse."""
    return tuple(replace(spec, maximum=(spec.maximum or 0) + 1) if spec.name == "Amount" else spec for spec in fields)


@pytest.mark.parametrize("form", ["mixed", "mixed_sklearn"])
@pytest.mark.parametrize(
    "change",
    [reversed_words, wider_range, lambda fields: fields[::-1], lambda fields: fields[:-1]],
    ids=["words", "range", "order", "missing-field"],
)
def test_batch_checked_against_another_contract_is_refused(
    change: Callable[[tuple[FieldSpec, ...]], tuple[FieldSpec, ...]], form: str, request: pytest.FixtureRequest
) -> None:
    # Given applications that were checked against a contract other than the artifact's
    outcome: TrainingRun = request.getfixturevalue(form)
    opened, holdout = artifact.load(str(outcome.directory)), outcome.candidate.holdout
    # When they are scored, then they are refused, while those of its own contract are decided
    assert len(decide(opened, holdout)) == len(holdout.matrix)
    with pytest.raises(DataError, match="a different contract"):
        decide(opened, replace(holdout, fields=change(holdout.fields)))


def test_estimator_has_the_same_bins_in_service_and_batch(mixed_sklearn: TrainingRun) -> None:
    specs = mixed_sklearn.candidate.holdout.fields
    matrix = beside(mixed_sklearn.directory, specs, 300, seed=8)
    decider = Decider(artifact.load(str(mixed_sklearn.directory)))
    logged = [decider.decide(sent(row, specs), "test").scored.bins for row in matrix]
    assert np.array_equal(np.array(logged), np.stack(columns_of(mixed_sklearn.directory).bins(matrix), axis=1))


@settings(max_examples=60)
@given(data=st.data())
def test_any_valid_application_scores_the_same_everywhere(data: st.DataObject, mixed: TrainingRun) -> None:
    specs = mixed.candidate.holdout.fields
    row = []
    for spec in specs:
        known: st.SearchStrategy[float]
        if spec.kind == "choice":
            known = st.integers(0, len(spec.words) - 1).map(float)
        elif spec.kind == "float":
            known = st.floats(spec.minimum, spec.maximum)
        else:
            known = st.integers(int(spec.minimum or 0), int(spec.maximum or 0)).map(float)
        row.append(data.draw(st.none() | known if spec.optional else known, label=spec.name))
    matrix = np.array([[np.nan if value is None else value for value in row]])
    decision = Decider(artifact.load(str(mixed.directory))).decide(sent(matrix[0], specs), "test").answer
    pipeline = joblib.load(mixed.directory / "pipeline.joblib")
    assert decision["probability"] == pytest.approx(pipeline.predict_proba(matrix)[0, 1], abs=1e-9)
    assert decision["probability"] == pytest.approx(columns_of(mixed.directory).probabilities(matrix)[0], abs=1e-15)
