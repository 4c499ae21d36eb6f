"""One line of metrics an invocation, in CloudWatch's Embedded Metric Format."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Service

APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
DENIED = {"Num_Children": 3, "Income": 52_317, "Own_Car": 0, "Own_Housing": 0}
HEALTH = {"rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
UNITS = {"Count", "Milliseconds", "None"}


def assert_valid(line: dict[str, Any]) -> None:
    """What the format's specification demands of a line."""
    meta = line["_aws"]
    assert isinstance(meta["Timestamp"], int)
    assert abs(meta["Timestamp"] / 1000 - time.time()) < 60
    assert len(json.dumps(line)) < 256 * 1024
    for directive in meta["CloudWatchMetrics"]:
        assert 0 < len(directive["Namespace"]) <= 255
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(isinstance(line[name], str) and 0 < len(line[name]) <= 1024 for name in dimensions)
        assert len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert metric["Unit"] in UNITS
            assert isinstance(line[metric["Name"]], int | float)
            assert not isinstance(line[metric["Name"]], bool)


def test_a_batch_is_one_line(by_hand: Path) -> None:
    (line,) = Service(by_hand)([APPROVED, DENIED, APPROVED, {"Income": "much"}]).metrics

    assert_valid(line)
    counted = {name: line[name] for name in ("Decisions", "Approvals", "Refusals", "Failures", "ColdStarts")}
    assert counted == {"Decisions": 3, "Approvals": 2, "Refusals": 1, "Failures": 0, "ColdStarts": 1}
    assert line["Latency"] > 0
    assert line["ModelAge"] > 300  # by_hand was trained on 2 January 2026


def test_a_model_of_unknown_age_still_decides(by_hand: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(by_hand, tmp_path / "undated"))
    path = directory / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "trained_at": "in spring"}))

    answer = Service(directory)(APPROVED)

    assert answer.status == 200
    assert_valid(answer.metrics[0])
    assert "ModelAge" not in answer.metrics[0]


def test_only_the_first_invocation_is_a_cold_start(by_hand: Path) -> None:
    service = Service(by_hand)

    assert [service(APPROVED).metrics[0]["ColdStarts"] for _ in range(3)] == [1, 0, 0]


def test_a_failure_is_counted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambda_app.decision.Decider.decide", lambda *_: 1 / 0)

    answer = service([APPROVED, APPROVED])

    assert answer.status == 500
    assert_valid(answer.metrics[0])
    assert (answer.metrics[0]["Failures"], answer.metrics[0]["Decisions"]) == (1, 0)


def test_a_refused_request_is_counted(service: Service) -> None:
    assert service({**HEALTH, "rawPath": "/nowhere"}).metrics[0]["Refusals"] == 1


@pytest.mark.parametrize("event", [HEALTH, {**APPROVED, "application_id": "release-check"}])
def test_what_no_customer_asked_for_is_not_counted(event: object, service: Service) -> None:
    assert service(event).metrics == []


def test_the_dimensions_name_function_model_and_version(by_hand: Path) -> None:
    named = {"AWS_LAMBDA_FUNCTION_NAME": "ccapproval", "AWS_LAMBDA_FUNCTION_VERSION": "7"}

    (line,) = Service(by_hand, **named)(APPROVED).metrics

    assert_valid(line)
    version = json.loads((by_hand / "manifest.json").read_text())["model_version"]
    assert (line["FunctionName"], line["FunctionVersion"], line["ModelVersion"]) == ("ccapproval", "7", version)


def test_a_line_holds_no_value(service: Service) -> None:
    printed = service(DENIED).printed
    assert "52317" not in printed
