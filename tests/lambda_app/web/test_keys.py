"""The caller's own key of an application."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.serving import Service

APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
KEY = "case:2026-0017"
CONTEXTS = {
    "http": {"http": {"method": "POST"}},
    "rest": {"identity": {}},
    "alb": {"elb": {"targetGroupArn": "arn"}},
}


def over_http(body: object, source: str = "http", **event: Any) -> dict[str, Any]:
    """An event of a source, with a body."""
    paths = {"rawPath": "/predict"} if source == "http" else {"path": "/predict", "httpMethod": "POST"}
    return {"requestContext": CONTEXTS[source], **paths, "body": json.dumps(body), **event}


def test_a_key_is_echoed_logged_and_never_scored(service: Service) -> None:
    plain, keyed = service(APPROVED), service({**APPROVED, "application_id": KEY})

    assert keyed.status == 200
    assert keyed.body == {**plain.body, "application_id": KEY}
    assert keyed.lines[0] == {**plain.lines[0], "application_id": KEY}


def test_each_of_a_batch_has_its_own(service: Service) -> None:
    answer = service([{**APPROVED, "application_id": "a"}, APPROVED, {"application_id": "c"}])

    first, second, third = answer.body["predictions"]
    assert first["application_id"] == "a"
    assert "application_id" not in second
    assert third["error"]["application_id"] == "c"
    assert [line.get("application_id") for line in answer.lines] == ["a", None, "c"]


@pytest.mark.parametrize("source", CONTEXTS)
@pytest.mark.parametrize("header", ["x-application-id", "X-Application-Id"])
def test_a_header_names_it_too(source: str, header: str, service: Service) -> None:
    answer = service(over_http(APPROVED, source, headers={"a": "b", header: KEY}))
    assert (answer.body["application_id"], answer.lines[0]["application_id"]) == (KEY, KEY)


def test_a_balancer_may_send_lists_of_headers(service: Service) -> None:
    event = over_http(APPROVED, "alb", multiValueHeaders={"x-application-id": [KEY]})
    assert service(event).body["application_id"] == KEY


def test_header_and_body_may_agree(service: Service) -> None:
    event = over_http({**APPROVED, "application_id": KEY}, headers={"x-application-id": KEY})
    assert service(event).body["application_id"] == KEY


def test_header_and_body_may_not_differ(service: Service) -> None:
    event = over_http({**APPROVED, "application_id": KEY}, headers={"x-application-id": "another"})
    answer = service(event)
    assert (answer.status, answer.body["errors"][0]["rule"]) == (422, "mismatch")


def test_a_header_names_no_list(service: Service) -> None:
    answer = service(over_http([APPROVED, APPROVED], headers={"x-application-id": KEY}))
    assert (answer.status, answer.lines[0]["event"]) == (400, "refusal")


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        (17, "string_type"),
        (True, "string_type"),
        (["a"], "string_type"),
        ("", "string_pattern_mismatch"),
        ("a" * 65, "string_pattern_mismatch"),
        ("Jane Doe", "string_pattern_mismatch"),
        ("jane@bank.example", "string_pattern_mismatch"),
        ("a\nb", "string_pattern_mismatch"),
        ("ä", "string_pattern_mismatch"),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(key: object, rule: str, service: Service) -> None:
    answer = service({**APPROVED, "application_id": key})

    assert answer.status == 422
    assert [(broken["field"], broken["rule"]) for broken in answer.body["errors"]] == [("application_id", rule)]
    assert "application_id" not in answer.lines[0]
    if isinstance(key, str) and len(key) > 1:
        assert key not in answer.printed + json.dumps(answer.body)


def test_no_key_is_as_none(service: Service) -> None:
    assert "application_id" not in service({**APPROVED, "application_id": None}).body


def test_a_release_is_no_customer(service: Service) -> None:
    answer = service([{**APPROVED, "application_id": "release-check"}, APPROVED])

    assert [line.get("check") for line in answer.lines] == [True, None]
    assert answer.metrics[0]["Decisions"] == 1


def test_over_http_nobody_can_hide_as_a_release(service: Service) -> None:
    answer = service(over_http({**APPROVED, "application_id": "release-check"}))

    assert "check" not in answer.lines[0]
    assert answer.metrics[0]["Decisions"] == 1


def test_all_that_is_wrong_is_told_at_once(service: Service) -> None:
    answer = service({**APPROVED, "Income": "much", "application_id": 17})
    assert [broken["field"] for broken in answer.body["errors"]] == ["application_id", "Income"]
