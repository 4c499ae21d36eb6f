"""What operations/release/checks.py decides about documents."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.release.checks import main
from operations.release.judging import ReleaseRefused, check_answers, gated_cases, image_facts
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.manifest import Answer, GoldenCase
    from operations.release.judging import Inspected

RESPONSE: Answer = {
    "prediction": 0,
    "decision": "deny",
    "probability": 0.25,
    "reasons": [{"code": "01", "field": "Income", "text": "Income insufficient"}],
    "model_version": "abc",
    "request_id": "golden",
}
CASES: list[GoldenCase] = [{"request": {"Income": number}, "response": RESPONSE} for number in range(3)]
IMAGE: Inspected = {"Id": "sha256:" + "a1" * 32, "Os": "linux", "Architecture": "arm64", "Config": {"Env": ["A=b"]}}


def answered(body: Any, status: int = 200) -> dict[str, Any]:
    return {"statusCode": status, "headers": {}, "body": json.dumps(body)}


SINGLE = answered(RESPONSE | {"request_id": "another"})


def test_answers_may_differ_in_what_belongs_to_the_request() -> None:
    # given
    batch = answered({"predictions": [RESPONSE | {"request_id": "x", "decision_id": "y"}] * 3, "request_id": "z"})
    # when, then: nothing is raised
    check_answers(CASES, batch, SINGLE)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"prediction": 1}, id="prediction"),
        pytest.param({"prediction": False}, id="another type"),
        pytest.param({"decision": "approve"}, id="decision"),
        pytest.param({"probability": 0.25000001}, id="probability"),
        pytest.param({"probability": None}, id="no probability"),
        pytest.param({"reasons": []}, id="no reasons"),
        pytest.param({"reasons": [{"code": "02", "field": "Income", "text": "Income insufficient"}]}, id="reason"),
        pytest.param({"model_version": "abd"}, id="model version"),
    ],
)
def test_any_other_difference_is_refused(change: dict[str, Any]) -> None:
    # given
    wrong = RESPONSE | change
    # when, then
    with pytest.raises(ReleaseRefused, match="Golden case 2 is not decided as recorded"):
        check_answers(CASES, answered({"predictions": [RESPONSE, RESPONSE, wrong]}), SINGLE)
    with pytest.raises(ReleaseRefused, match="sent alone"):
        check_answers(CASES, answered({"predictions": [RESPONSE] * 3}), answered(wrong))


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        pytest.param(answered({"predictions": [RESPONSE] * 2}), "one decision each", id="too few"),
        pytest.param(answered({}), "one decision each", id="none"),
        pytest.param(answered([]), "no JSON object", id="a list"),
        pytest.param({"statusCode": 200, "body": "<html>"}, "no JSON object", id="a page"),
        pytest.param({"statusCode": 200, "body": None}, "no JSON object", id="a body of null"),
        pytest.param({"statusCode": 200}, "no JSON object", id="no body"),
        pytest.param(answered({}, 500), "status 500", id="error"),
        pytest.param("timeout", "status None", id="no envelope"),
    ],
)
def test_an_answer_of_another_shape_is_refused(batch: Any, reason: str) -> None:
    with pytest.raises(ReleaseRefused, match=reason):
        check_answers(CASES, batch, SINGLE)


@given(st.floats(0, 1), st.floats(-1, 1))
def test_a_probability_is_the_recorded_one_within_the_tolerance(recorded: float, difference: float) -> None:
    # given
    case: GoldenCase = {"request": {}, "response": {**RESPONSE, "probability": recorded}}
    answer: Answer = {**RESPONSE, "probability": recorded + difference}
    near = abs(answer["probability"] - recorded) <= 1e-9
    # when
    try:
        check_answers([case], answered({"predictions": [answer]}), answered(answer))
    except ReleaseRefused:
        accepted = False
    else:
        accepted = True
    # then
    assert accepted is near


@pytest.mark.parametrize(
    ("environment", "manifest"),
    [
        pytest.param([], "/var/task/model/artifacts/manifest.json", id="default"),
        pytest.param(["MODEL_DIR=/opt/model"], "/opt/model/manifest.json", id="absolute"),
        pytest.param(["MODEL_DIR=other"], "/var/task/other/manifest.json", id="relative to the function's directory"),
    ],
)
def test_an_image_says_where_its_manifest_is(environment: list[str], manifest: str) -> None:
    assert image_facts(IMAGE | {"Config": {"Env": environment}}, "arm64") == ("a1" * 6, "arm64", manifest)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(IMAGE | {"Architecture": "amd64"}, id="architecture"),
        pytest.param(IMAGE | {"Os": "windows"}, id="system"),
        pytest.param(IMAGE | {"Architecture": "s390x"}, id="one that Lambda lacks"),
    ],
)
def test_an_image_for_another_machine_is_refused(image: Inspected) -> None:
    with pytest.raises(ReleaseRefused, match="built for"):
        image_facts(image, "arm64")


@pytest.mark.parametrize("passed", [None, False, "true", 1])
def test_only_a_gate_that_says_true_has_passed(passed: object) -> None:
    with pytest.raises(ReleaseRefused, match="not passed its gate"):
        gated_cases({"gate": {"passed": passed}, "golden": CASES})


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param({"gate": None, "golden": CASES}, id="gate of null"),
        pytest.param({"gate": {"passed": True}, "golden": {"0": CASES}}, id="cases in an object"),
        pytest.param({"gate": {"passed": True}, "golden": [1]}, id="cases that are not objects"),
        pytest.param({"gate": {"passed": True}, "golden": [{"request": {}}]}, id="case without response"),
    ],
)
def test_a_manifest_of_another_shape_is_refused(manifest: dict[str, Any]) -> None:
    with pytest.raises(ReleaseRefused):
        gated_cases(manifest)


@pytest.mark.parametrize("content", ["", "{", "[]", "null"], ids=["empty", "cut", "list", "null"])
def test_a_file_of_another_content_is_reported_in_two_lines(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    (tmp_path / "manifest").write_text(json.dumps({"gate": {"passed": True}, "golden": CASES}), encoding="utf-8")
    (tmp_path / "other").write_text(content, encoding="utf-8")
    sound, other = str(tmp_path / "manifest"), str(tmp_path / "other")
    # when
    statuses = main(["gate", other, sound, sound]), main(["golden", sound, other, other])
    # then
    assert statuses == (1, 1)
    assert len(capsys.readouterr().err.splitlines()) == 4


def test_a_model_version_becomes_part_of_a_tag() -> None:
    assert gated_cases({"gate": {"passed": True}, "golden": CASES, "model_version": "v 1/ü"})[0] == "v-1--"


def test_a_summary_leaves_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    # when
    status = main(["summary", "status=live", "digest=", "reason=a=b"])
    # then
    assert status == 0
    assert json.loads(capsys.readouterr().out) == {"status": "live", "reason": "a=b"}


def test_it_runs_where_nothing_but_python_is_installed() -> None:
    # given: no site-packages and no environment variables
    command = [sys.executable, "-S", "-m", "operations.release.checks", "summary", "status=live"]
    # when
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=True)
    # then
    assert json.loads(done.stdout) == {"status": "live"}


def test_a_response_that_records_no_decision_verifies_nothing() -> None:
    # given a golden case whose recorded response lacks the decision
    empty: list[Any] = [{"request": {}, "response": {}}]
    # when, then
    with pytest.raises(ReleaseRefused, match="Golden case 0"):
        check_answers(empty, answered({"predictions": [RESPONSE]}), SINGLE)
