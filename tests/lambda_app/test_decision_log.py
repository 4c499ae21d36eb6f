"""The log has one JSON line per decision; tested on what is printed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving import REQUEST_ID, ROOT, Service, strict_json

if TYPE_CHECKING:
    from pathlib import Path

DENIED = {"Num_Children": 3, "Income": 52_317, "Own_Car": 0, "Own_Housing": 0}


@pytest.fixture
def version(by_hand: Path) -> str:
    """The artifact's model version."""
    return str(json.loads((by_hand / "manifest.json").read_text())["model_version"])


def event(name: str) -> Any:
    """A real event document."""
    return json.loads((ROOT / "tests" / "events" / f"{name}.json").read_text())


def test_denial_is_one_line(service: Service, version: str) -> None:
    answer = service(DENIED)
    assert answer.printed.endswith("\n")
    assert answer.lines == [
        {
            "event": "decision",
            "decision_id": REQUEST_ID,
            "model_version": version,
            "source": "direct",
            "prediction": 0,
            "reasons": ["INCOME", "HOUSING", "DEPENDENTS", "CAR"],
            "bins": [2, 1, 0, 0],
            "score_bin": 0,
            "schema": 1,
            "function_version": "$LATEST",
            "alias": None,
        }
    ]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("direct_approve", "direct"),
        ("function_url_approve", "http"),
        ("http_api_default_stage_base64", "http"),
        ("rest_approve", "rest"),
        ("alb_approve", "alb"),
    ],
)
def test_line_names_its_source(name: str, source: str, service: Service) -> None:
    (line,) = service(event(name)).lines
    assert (line["source"], line["prediction"], line["reasons"], line["bins"]) == (source, 1, [], [1, 3, 1, 1])


def test_batch_has_a_line_for_each_application_in_order(service: Service) -> None:
    lines = service(event("direct_list")).lines
    assert [line["event"] for line in lines] == ["decision", "refusal", "decision", "refusal"]
    ids = [line.get("decision_id") or line["request_id"] for line in lines]
    assert ids == [f"{REQUEST_ID}/{place}" for place in range(4)]


def test_refusal_names_fields_and_rules_only(service: Service, version: str) -> None:
    answer = service(event("direct_invalid"))
    assert answer.lines == [
        {
            "event": "refusal",
            "request_id": REQUEST_ID,
            "source": "direct",
            "problem": "invalid-application",
            "rules": [
                {"field": "Num_Children", "rule": "int_type"},
                {"field": "Income", "rule": "greater_than_equal"},
                {"field": "Own_Car", "rule": "int_type"},
                {"field": "Own_Housing", "rule": "missing"},
                {"field": None, "rule": "extra_forbidden"},
            ],
            "schema": 1,
            "model_version": version,
            "function_version": "$LATEST",
            "alias": None,
        }
    ]
    assert "Salary" not in answer.printed


@pytest.mark.parametrize("name", ["function_url_not_found", "function_url_malformed", "alb_multi_value_headers_get"])
def test_refused_request_is_one_line_without_rules(name: str, service: Service) -> None:
    (line,) = service(event(name)).lines
    assert line["event"] == "refusal"
    assert line["rules"] == []


@pytest.mark.parametrize("name", ["function_url_health", "function_url_model", "alb_health"])
def test_get_requests_log_nothing(name: str, service: Service) -> None:
    assert service(event(name)).printed == ""


def test_no_value_of_a_decided_application_is_printed(service: Service) -> None:
    # 7,319,246 is in the range of Income, and cannot be confused with any other number in the line.
    answer = service({**DENIED, "Income": 7_319_246})
    assert answer.status == 200
    assert "7319246" not in answer.printed + json.dumps(answer.envelope)


@pytest.mark.parametrize(("invoked", "alias"), [("live", "live"), ("7", None), ("$LATEST", None), ("", None)])
def test_line_names_the_alias(invoked: str, alias: str | None, service: Service) -> None:
    (line,) = service(DENIED, invoked).lines
    assert line["alias"] == alias


def test_line_names_the_function_version(by_hand: Path) -> None:
    (line,) = Service(by_hand, AWS_LAMBDA_FUNCTION_VERSION="7")(DENIED).lines
    assert line["function_version"] == "7"


def test_line_names_the_bin_of_the_score(service: Service) -> None:
    (line,) = service(event("direct_approve")).lines
    assert (line["prediction"], line["score_bin"]) == (1, 1)


def test_line_says_when(service: Service) -> None:
    before = time.time()
    line = strict_json(service(DENIED).printed.splitlines()[0])
    assert isinstance(line["time"], int)
    assert before - 1 < line["time"] / 1000 < time.time() + 1
