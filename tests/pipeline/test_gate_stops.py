"""A model that fails one rule of the policy is stopped: the rule is named in the output, and the exit code is 3."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from model.commands import main
from model.data.generator import generate
from tests.pipeline.harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun

# For each rule the one change that it must see: to the limits, to the manifest, or to the champion's manifest.
FAILURES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "limits": ({"minimum_accuracy": 9}, {}, {}),
    "contract": ({}, {"contract": {"json_schema": {}}}, {}),
    "skill": ({}, {"metrics": {"skill": {"difference": {"low": -0.01}}}}, {}),
    "ranking": ({}, {"metrics": {"intervals": {"roc_auc": {"low": 0.5}}}}, {}),
    "calibration": ({}, {"metrics": {"brier_skill": {"low": 0.0}}}, {}),
    "accuracy": ({"minimum_accuracy": 0.999}, {}, {}),
    "approvals": ({"maximum_approval_shift": 0}, {}, {}),
    "sensitive": ({}, {"metrics": {"groups": None}}, {}),
    "known_groups": ({}, {"metrics": {"groups": {"Group": {"rows_without_group": 3_000}}}}, {}),
    "group_size": ({"minimum_group_size": 10**6}, {}, {}),
    "equal_opportunity": ({"maximum_equal_opportunity_gap": 0.0}, {}, {}),
    "duplicates": ({}, {"leakage": {"copied_share": 0.9}}, {}),
    "giveaway": ({}, {"leakage": {"fields": {"Own_Car": {"outcome": 0.99}}}}, {}),
    "proxy": ({"maximum_group_explained": 0.05}, {}, {}),
    "data_age": ({}, {"data": {"dated": "1999-12-31"}}, {}),
    "parity": ({}, {"parity": {"different_decisions": 1}}, {}),
    "monotonicity": ({}, {"monotonicity": {"violations": 1}}, {}),
    "reasons": ({}, {"explained": {"without_reason": 1}}, {}),
    "champion": ({}, {}, {"metrics": {"accuracy": 1.0, "equal_opportunity_gap": 1.0}}),
}


def _merged(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with some values replaced, however deep."""
    merged = dict(document)
    for key, value in changes.items():
        deeper = isinstance(value, dict) and value and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if deeper else value
    return merged


@pytest.mark.parametrize("rule", FAILURES)
def test_one_failed_rule_stops_the_model(
    rule: str, small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits, manifest, champion = FAILURES[rule]
    shutil.copy(ROOT / "tests/contracts/small.py", tmp_path / "small.py")
    given = json.loads((ROOT / "tests/contracts/limits.json").read_text()) | limits
    (tmp_path / "limits.json").write_text(json.dumps(given))
    document = json.loads((small.directory / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(_merged(document, manifest)))
    words = ["gate", "--artifact", str(tmp_path), "--contract", f"{tmp_path / 'small.py'}:Applicant"]
    if champion:
        (tmp_path / "champion.json").write_text(json.dumps(_merged(document, champion)))
        words += ["--champion", str(tmp_path / "champion.json")]

    code = main(words)

    told = [line.split("DENIED by rule ")[1].split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert (code, rule in told) == (3, True)
    assert set(told) <= {rule}


def test_gap_that_no_cutoff_meets_is_denied_by_name_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a limit on the gap that no cut-off meets, with or without the margin
    shutil.copy(ROOT / "tests/contracts/small.py", tmp_path / "small.py")
    given = json.loads((ROOT / "tests/contracts/limits.json").read_text()) | {"maximum_equal_opportunity_gap": 0.0}
    (tmp_path / "limits.json").write_text(json.dumps(given))
    generate(5_000, 0).to_csv(tmp_path / "applications.csv", index=False)
    words = ["train", "--contract", f"{tmp_path / 'small.py'}:Applicant", "--out", str(tmp_path / "out"), "--no-track"]
    # When a model is trained
    code = main([*words, "--data", str(tmp_path / "applications.csv")])
    # Then the gate denies it by the rule's name, and the reports are kept, of the cut-off with the smallest gap
    assert code == 3
    assert "DENIED by rule equal_opportunity" in capsys.readouterr().out
    kept = tmp_path / "out" / "rejected"
    assert "none of" in (kept / "model_metrics.html").read_text(encoding="utf-8")
    choice = json.loads((kept / "metrics.json").read_text(encoding="utf-8"))["choice"]
    assert choice["within"] == 0
    assert not (tmp_path / "out" / "model.joblib").exists()


def test_every_rule_of_the_policy_is_tried() -> None:
    assert set(re.findall(r'"rule": "(\w+)"', (ROOT / "policies/model_gate.rego").read_text())) == set(FAILURES)
