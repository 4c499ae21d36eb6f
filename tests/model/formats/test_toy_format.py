"""A format from outside: one object on each side, and nothing else in the project knows about it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING

import pytest

import lambda_app.formats
import model.formats
from lambda_app.decision import Decider
from lambda_app.formats.scorer import Binning
from model.contract.loading import load_contract
from model.data.applications import check_frame
from model.data.encoding import values_of
from model.data.generator import generate
from model.errors import ExportError
from model.formats import Written
from model.formats.batch import decide
from model.formats.columns import RowByRow
from model.formats.reference import at_cutoff
from model.formats.scorecard import tables_of
from model.run import run
from tests.pages import Page
from tests.serving import ROOT, Service
from tests.trainings import SMALL, task_of

if TYPE_CHECKING:
    from types import ModuleType

    from lambda_app.artifact import Artifact
    from lambda_app.formats.scorecard import ScorecardTables
    from lambda_app.manifest import Application, FieldBins, Manifest
    from model.fit.train import Candidate
    from model.run import TrainingRun


class ToyScorer(Binning):
    """Adds up points, as a scorecard does, but shows no tables."""

    def __init__(self, intercept: float, points: list[dict[str, list[float]]], manifest: Manifest) -> None:
        super().__init__(manifest["bins"]["fields"])
        self._intercept = intercept
        self._points = [of_field["points"] for of_field in points]
        self._reference = manifest["reference"]["points"]

    def probability(self, _values: Application, bins: list[int]) -> float:
        score = self._intercept
        for points, number in zip(self._points, bins, strict=True):
            score += points[number]
        return 1 / (1 + exp(-score))

    def shortfalls(self, _values: Application, bins: list[int]) -> list[float]:
        looked_up = zip(self._reference, self._points, bins, strict=True)
        return [reference - points[number] for reference, points, number in looked_up]


class Served:
    """The serving side of the toy format: JSON."""

    VERSION = 7

    def open(self, content: bytes, manifest: Manifest) -> ToyScorer:
        model = json.loads(content)
        return ToyScorer(model["intercept"], model["fields"], manifest)


class Toy:
    """The writing side of the toy format."""

    def write(self, candidate: Candidate) -> Written:
        tables = tables_of(candidate.pipeline, candidate.training)
        fields: list[FieldBins] = [{"name": field["name"], "edges": field["edges"]} for field in tables["fields"]]
        rows = [values_of(row, candidate.training.fields) for row in at_cutoff(candidate)]
        bins = [Binning(tables["fields"]).bins(values) for values in rows]
        means = [
            sum(field["points"][numbers[place]] for numbers in bins) / len(bins)
            for place, field in enumerate(tables["fields"])
        ]
        return Written(json.dumps(tables).encode(), fields, {"points": means})

    def columns(self, opened: Artifact) -> RowByRow:
        return RowByRow(opened)

    def tables(self, _opened: Artifact) -> ScorecardTables | None:
        return None


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A model that was trained, judged and published in the toy format."""
    lambda_app.formats.register("toy", Served())
    model.formats.register("toy", Toy())
    contract = load_contract(SMALL)
    applications = check_frame(generate(6_000, 0), contract, source="test", dated="2026-01-01")
    return run(replace(task_of(contract, applications), format="toy"), tmp_path_factory.mktemp("toy"))


def test_is_trained_judged_and_published(toy: TrainingRun) -> None:
    manifest = toy.manifest
    assert toy.verdict.passed
    assert (manifest["format"], manifest["format_version"]) == ("toy", 7)
    assert manifest["parity"]["different_decisions"] == 0
    assert manifest["monotonicity"]["pairs"] > 0
    assert json.loads((toy.directory / "model.joblib").read_bytes()).keys() == {"intercept", "fields"}


def test_has_a_report_without_points(toy: TrainingRun) -> None:
    words = Page.of((toy.directory / "model_metrics.html").read_text(encoding="utf-8")).words()
    assert "This artifact has the format toy, which has no table of points" in words
    assert "A denial and its reasons" in words


def test_scores_a_batch_as_it_decides_one_by_one(toy: TrainingRun) -> None:
    # Given applications of the hold-out
    opened, holdout = toy.assessment.artifact, toy.candidate.holdout
    # When they are decided in a batch
    batch = decide(opened, holdout)
    # Then each has the service's decision and reasons
    decider = Decider(opened)
    answers = [decider.decide(values_of(row, holdout.fields), "id").answer for row in holdout.matrix]
    assert set(batch["prediction"]) == {0, 1}
    assert batch["prediction"].tolist() == [answer["prediction"] for answer in answers]
    assert batch["probability"].tolist() == [answer["probability"] for answer in answers]
    assert batch["reasons"].tolist() == [";".join(reason["code"] for reason in answer["reasons"]) for answer in answers]


def test_is_served(toy: TrainingRun) -> None:
    # Given the function with the artifact on disk, when it gets the golden cases
    service = Service(toy.directory)
    for case in toy.manifest["golden"]:
        answer = service(case["request"])
        # Then it decides them as recorded
        assert answer.status == 200
        assert {**answer.body, "request_id": "golden"} == case["response"]


def test_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(ExportError, match="there is no format 'none'; known formats: scorecard, sklearn, onnx"):
        model.formats.find("none")


@pytest.mark.parametrize("name", lambda_app.formats.BUILT_IN)
def test_each_built_in_format_has_its_file_on_both_sides(name: str) -> None:
    assert (ROOT / "lambda_app" / "formats" / f"{name}.py").is_file()
    assert (ROOT / "model" / "formats" / f"{name}.py").is_file()


@pytest.mark.parametrize("package", [lambda_app.formats, model.formats], ids=["served", "written"])
@pytest.mark.parametrize("name", lambda_app.formats.BUILT_IN)
def test_no_format_takes_a_built_in_name(name: str, package: ModuleType) -> None:
    with pytest.raises(ValueError, match="choose another name"):
        package.register(name, object())


def test_no_code_checks_the_class_of_a_scorer() -> None:
    asks = re.compile(r"isinstance\([^)]*(Estimator|Scorecard)")
    packages = ("lambda_app", "model", "operations", "benchmarks", "scripts", "tests")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    assert len(files) > 100
    assert [path for path in files if asks.search(path.read_text(encoding="utf-8"))] == []
