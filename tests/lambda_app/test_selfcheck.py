"""An image is built only around an artifact that may serve."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambda_app import artifact
from lambda_app.decision import Decider
from lambda_app.errors import ArtifactMissing
from lambda_app.selfcheck import SelfCheckFailed, check
from tests.artifacts import write_by_hand
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.manifest import Answer, GoldenCase

DENIED = {"Num_Children": 3, "Income": 52_000, "Own_Car": 0, "Own_Housing": 0}


def golden(directory: Path, **changes: Any) -> list[GoldenCase]:
    """One golden case as the artifact decides it, with some changes."""
    response = Decider(artifact.load(str(directory))).decide(DENIED, "golden").answer
    return [{"request": DENIED, "response": cast("Answer", response | changes)}]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An artifact that may serve."""
    write_by_hand(tmp_path)
    write_by_hand(tmp_path, golden=golden(tmp_path))
    return tmp_path


def test_artifact_that_may_serve_gets_a_one_line_summary(directory: Path) -> None:
    version = artifact.load(str(directory)).manifest["model_version"]
    assert check(str(directory)) == f"model {version} (scorecard): gate passed, 1 golden cases decided as recorded"


def test_trained_artifacts_may_serve(small: Any, mixed: Any, mixed_sklearn: Any) -> None:
    for outcome in (small, mixed, mixed_sklearn):
        assert "24 golden cases decided as recorded" in check(str(outcome.directory))


@pytest.mark.parametrize(
    "gate",
    [{"passed": False, "denials": []}, {"passed": 1}, {"passed": "true"}, {"passed": None}, {}, None, [], "passed"],
    ids=repr,
)
def test_ungated_artifact_is_refused(directory: Path, gate: object) -> None:
    write_by_hand(directory, golden=golden(directory), gate=gate)
    with pytest.raises(SelfCheckFailed, match="gate"):
        check(str(directory))


@pytest.mark.parametrize(
    "change",
    [
        {"prediction": 1},
        {"decision": "approve"},
        {"probability": 0.05},
        {"probability": 0.04742587317756678 + 2e-9},
        {"reasons": []},
        {"model_version": "000000000000"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_golden_case_not_decided_as_recorded_is_refused(directory: Path, change: dict[str, object]) -> None:
    write_by_hand(directory, golden=golden(directory, **change))
    with pytest.raises(SelfCheckFailed, match="golden case 0"):
        check(str(directory))


def test_artifact_without_golden_cases_is_refused(directory: Path) -> None:
    write_by_hand(directory, golden=[])
    with pytest.raises(SelfCheckFailed, match="no golden cases"):
        check(str(directory))


def test_missing_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        check(str(tmp_path))


@pytest.mark.parametrize("passed", [True, False], ids=["passed", "denied"])
def test_exit_code_says_whether_the_artifact_may_serve(directory: Path, passed: bool) -> None:
    write_by_hand(directory, golden=golden(directory), gate={"passed": passed, "denials": []})
    ended = subprocess.run(
        [sys.executable, "-m", "lambda_app.selfcheck"],
        cwd=ROOT,
        env={**os.environ, "MODEL_DIR": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == (0 if passed else 1)
    assert "golden cases decided as recorded" in ended.stdout if passed else ended.stderr.startswith("SelfCheckFailed:")
