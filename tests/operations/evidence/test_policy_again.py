"""Evidence of a really trained model: its own policy, asked its own question again, gives the same decision."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from model.judge.gate import POLICY, judge
from operations.commands import main
from operations.evidence import archive
from operations.evidence.review import ITEMS
from tests.operations.conftest import JUNIT, TESTED_AT, Run
from tests.trainings import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

    from model.judge.gate import Verdict
    from model.run import TrainingRun


@pytest.fixture
def trained(run: Run, small: TrainingRun) -> Run:
    """A run of a model that was really trained."""
    shutil.copytree(small.directory, run.root / "artifacts", dirs_exist_ok=True)
    shutil.copy(CONTRACTS / "limits.json", run.root)
    shutil.copy(POLICY, run.root)
    (run.root / "report.xml").write_text(JUNIT.replace(TESTED_AT, small.manifest["trained_at"]))
    run.edit("images/inference.json", identity=small.manifest["identity"])
    run.edit("artifacts/alternatives.json", identity=small.manifest["identity"])
    return run


def _asked_again(review: Path, scratch: Path) -> tuple[Verdict, dict[str, Any]]:
    """What the archive's policy answers to the archive's question, and the answer that the archive records."""
    members = archive.unpack(review.read_bytes(), ITEMS)
    policy = scratch / "asked_again.rego"
    policy.write_bytes(members["policies/model_gate.rego"])
    gate = json.loads(members["model/gate.json"])
    return judge(gate["input"], policy), gate["decision"]


def test_evidence_of_a_trained_model_is_verified_and_its_policy_passes_it(trained: Run, tmp_path: Path) -> None:
    review = trained.gather()
    verdict, decision = _asked_again(review, tmp_path)

    assert main(["verify", str(review)]) == 0
    assert verdict.passed
    assert verdict.as_dict() == decision


def test_a_decision_that_the_policy_would_not_give_is_found_by_asking_it(trained: Run, tmp_path: Path) -> None:
    # Given a champion that beats the model, which nothing else in the archive shows
    asked = trained.read("artifacts/gate.json")["input"]
    lost = {"value": -0.1, "low": -0.1, "high": -0.1}
    champion = {"model_version": "v", "same_rows": False, "roc_auc": lost, "accuracy": lost, "gap": 0.0, "groups": {}}
    contract = asked["contract"] | {"champion": asked["contract"]["model"]}
    trained.edit("artifacts/gate.json", input=asked | {"champion": champion, "contract": contract})

    verdict, decision = _asked_again(trained.gather(), tmp_path)

    assert {rule for rule, _ in verdict.denials} == {"champion"}
    assert verdict.as_dict() != decision
