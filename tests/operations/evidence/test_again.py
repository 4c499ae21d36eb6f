"""Evidence of a really trained model: its verdict and its pages follow from its own figures, and only they do."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.manifest import identity, model_version
from model.judge.assessment import reopened
from model.judge.gate import POLICY
from model.report import page
from operations.commands import main
from tests.operations.conftest import JUNIT, TESTED_AT, Run
from tests.trainings import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.run import TrainingRun


@pytest.fixture
def trained(run: Run, small: TrainingRun) -> Run:
    """A run of a model that was really trained."""
    artifacts = run.root / "artifacts"
    shutil.copytree(small.directory, artifacts, dirs_exist_ok=True)
    shutil.copy(CONTRACTS / "limits.json", run.root)
    shutil.copy(POLICY, run.root)
    (run.root / "report.xml").write_text(JUNIT.replace(TESTED_AT, small.manifest["trained_at"]))
    run.edit("images/inference.json", identity=small.manifest["identity"])
    figures = {"value": 0.9, "gap": 0.1}
    chosen = {"cutoff": small.manifest["threshold"], "training": figures, "holdout": figures, "frontier_gap": None}
    empty: dict[str, Any] = {"frontier": [], "equal": [], "counsel": []}
    found = {"identity": small.manifest["identity"], "measure": "accuracy", "recipes": 1, "points": 1, "chosen": chosen}
    (artifacts / "alternatives.json").write_text(json.dumps(found | empty))
    rendered = page.render(reopened(artifacts), json.loads((artifacts / "alternatives.json").read_text()))
    (artifacts / "model_metrics.html").write_text(rendered)
    return run


def test_evidence_of_a_trained_model_is_made_again_alike(trained: Run) -> None:
    assert main(["verify", str(trained.gather()), "--again"]) == 0


def a_champion_that_beats_the_model(run: Run) -> None:
    asked = run.read("artifacts/gate.json")["input"]
    lost = {"value": -0.1, "low": -0.1, "high": -0.1}
    champion = {"model_version": "v", "same_rows": False, "roc_auc": lost, "accuracy": lost, "gap": 0.0, "groups": {}}
    contract = asked["contract"] | {"champion": asked["contract"]["model"]}
    run.edit("artifacts/gate.json", input=asked | {"champion": champion, "contract": contract})
    (run.root / "artifacts/comparison.html").write_text(f"{run.read('artifacts/manifest.json')['model_version']} v")
    compared = {
        "champion": {"model_version": "v"},
        "model": {"identity": run.read("artifacts/manifest.json")["identity"]},
    }
    (run.root / "artifacts/comparison.json").write_text(json.dumps(compared | {"differences": champion}))


def a_better_figure_on_the_page(run: Run) -> None:
    report = run.root / "artifacts/model_metrics.html"
    page_of = report.read_text()
    shown = page_of.partition('data-figure="/accuracy">')[2].partition("<")[0]
    assert shown.endswith("%")
    report.write_text(page_of.replace(f">{shown}<", ">99.9\u202f%<"))


def a_space_more_on_the_page(run: Run) -> None:
    report = run.root / "artifacts/model_metrics.html"
    report.write_text(report.read_text() + " ")


def a_figure_that_the_page_needs_is_missing(run: Run) -> None:
    alternatives = run.read("artifacts/alternatives.json")
    del alternatives["chosen"]
    (run.root / "artifacts/alternatives.json").write_text(json.dumps(alternatives | {"equal": [{}]}))


def a_format_that_runs_code(run: Run) -> None:
    manifest = run.read("artifacts/manifest.json") | {"format": "sklearn"}
    manifest["identity"] = identity(manifest)
    manifest["model_version"] = model_version(manifest["identity"])
    named = {"identity": manifest["identity"]}
    stated = run.read("artifacts/manifest.json")["identity"]
    run.edit("artifacts/manifest.json", **manifest)
    for name in ("artifacts/metrics.json", "artifacts/alternatives.json", "images/inference.json"):
        run.edit(name, **named)
    run.edit("artifacts/gate.json", input=run.read("artifacts/gate.json")["input"] | named)
    report = run.root / "artifacts/model_metrics.html"
    report.write_text(report.read_text().replace(stated, manifest["identity"]))


NOT_SO: dict[str, tuple[Callable[[Run], None], str]] = {
    "a decision that the policy would not give": (
        a_champion_that_beats_the_model,
        "model/gate.json: the policy decides",
    ),
    "a better figure on the page": (
        a_better_figure_on_the_page,
        "model/model_metrics.html: is not what this code makes",
    ),
    "a space more on the page": (a_space_more_on_the_page, "model/model_metrics.html: is not what this code makes"),
    "a figure is missing": (a_figure_that_the_page_needs_is_missing, "model/model_metrics.html: cannot be made again"),
    "a format that runs code": (
        a_format_that_runs_code,
        "model/manifest.json: format sklearn runs the model's own code",
    ),
}


@pytest.mark.parametrize("forgery", NOT_SO)
def test_what_does_not_follow_from_the_figures_is_named(
    trained: Run, forgery: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forge, reason = NOT_SO[forgery]
    forge(trained)
    review = trained.gather()

    assert main(["verify", str(review)]) == 0  # consistent, so nothing else finds it
    assert main(["verify", str(review), "--again"]) == 8
    assert reason in capsys.readouterr().err
