"""`POST /changes`: answered like a decision, refused like one, and never logged as one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.serving import REQUEST_ID, Service

DENIED = {"Num_Children": 0, "Income": 20_000, "Own_Car": 0, "Own_Housing": 0}


def post(body: Any, **more: Any) -> dict[str, Any]:
    context = {"http": {"method": "POST"}}
    return {"rawPath": "/changes", "requestContext": context, "body": json.dumps(body), **more}


def test_a_denial_gets_its_changes_and_no_line(service: Service) -> None:
    answer = service(post({**DENIED, "application_id": "A-1"}))
    assert answer.status == 200
    assert answer.printed == "", "no decision was made"
    assert answer.body == {
        "decision": "deny",
        "one": [{"field": "Income", "to": 90_001, "share": 0.75}],
        "two": [
            {"field": "Income", "to": 60_001, "share": 0.5},
            {"field": "Own_Housing", "to": 1, "share": 0.5},
        ],
        "model_version": answer.body["model_version"],
        "request_id": REQUEST_ID,
        "application_id": "A-1",
    }


def test_the_changes_are_those_of_the_decision_that_the_service_makes(service: Service) -> None:
    found = service(post(DENIED)).body
    for changes in (found["one"], found["two"]):
        changed = DENIED | {change["field"]: change["to"] for change in changes}
        assert service(changed).body["decision"] == "approve"


def test_an_approval_gets_none(service: Service) -> None:
    body = service(post({**DENIED, "Income": 500_000})).body
    assert (body["decision"], body["one"], body["two"]) == ("approve", [], [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param([DENIED], 400, id="list"),
        pytest.param("x", 400, id="text"),
        pytest.param({**DENIED, "Income": -1}, 422, id="invalid"),
        pytest.param({**DENIED, "application_id": "no e-mail@here"}, 422, id="key"),
    ],
)
def test_what_no_decision_takes_is_refused(body: Any, status: int, service: Service) -> None:
    assert service(post(body)).status == status
