"""How much one request may carry, and how a batch mixes decisions and errors."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving import REQUEST_ID, Service

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.web.body import Event

APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
DENIED = {"Num_Children": 3, "Income": 52_000, "Own_Car": 0, "Own_Housing": 0}
INVALID = {"Num_Children": 3}


def posted(body: str, *, encoded: bool = False) -> Event:
    """A POST to a function URL."""
    return {
        "rawPath": "/predict",
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }


@given(kinds=st.lists(st.sampled_from([APPROVED, DENIED, INVALID]), max_size=40), wrapped=st.booleans())
def test_batch_keeps_order_and_mixes_decisions_and_errors(
    kinds: list[dict[str, int]], wrapped: bool, service: Service
) -> None:
    # Given a batch with its applications in any order, when it is decided
    answer = service({"Items": kinds} if wrapped else kinds)
    # Then each place has the answer that its application would get alone, under its own id
    assert answer.status == 200
    results = answer.body["predictions"]
    assert len(results) == len(kinds)
    for place, (kind, result) in enumerate(zip(kinds, results, strict=True)):
        if kind is INVALID:
            assert result["error"]["status"] == 422
            assert result["error"]["request_id"] == f"{REQUEST_ID}/{place}"
        else:
            assert result["decision"] == ("approve" if kind is APPROVED else "deny")
            assert result["request_id"] == f"{REQUEST_ID}/{place}"
    assert len(answer.lines) == len(kinds)


@pytest.mark.parametrize("encoded", [False, True], ids=["text", "base64"])
def test_body_at_the_limit_is_read_and_one_more_character_is_refused(by_hand: Path, encoded: bool) -> None:
    body = json.dumps(APPROVED)
    body += " " * (-len(body) % 3)
    length = len(posted(body, encoded=encoded)["body"])
    assert Service(by_hand, MAX_BODY_LENGTH=str(length))(posted(body, encoded=encoded)).status == 200
    refused = Service(by_hand, MAX_BODY_LENGTH=str(length - 1))(posted(body, encoded=encoded))
    assert refused.status == 413
    assert refused.body["detail"] == f"A body may have {length - 1} characters"


@pytest.mark.parametrize("wrap", [list, lambda items: {"Items": items}], ids=["list", "items"])
def test_batch_at_the_limit_is_decided_and_one_more_is_refused(by_hand: Path, wrap: Any) -> None:
    service = Service(by_hand, MAX_BATCH="3")
    assert len(service(wrap([APPROVED] * 3)).body["predictions"]) == 3
    refused = service(wrap([APPROVED] * 4))
    assert refused.status == 413
    assert [line["event"] for line in refused.lines] == ["refusal"]


def test_largest_batch_by_default_fits_into_lambdas_answer(by_hand: Path) -> None:
    answer = Service(by_hand)([DENIED] * 1000)
    assert answer.status == 200
    assert len(json.dumps(answer.envelope)) < 6 * 1024 * 1024


def test_body_of_six_megabytes_is_refused_unread(service: Service) -> None:
    answer = service(posted("[" * 6_000_000))
    assert answer.status == 413


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [("/", "PUT", "POST"), ("/predict", "GET", "POST"), ("/health", "POST", "GET"), ("/model", "DELETE", "GET")],
)
def test_wrong_method_is_refused_and_allowed_methods_are_listed(
    path: str, method: str, allowed: str, service: Service
) -> None:
    answer = service({"rawPath": path, "requestContext": {"http": {"method": method}}})
    assert answer.status == 405
    assert allowed in answer.envelope["headers"]["Allow"].split(", ")
    assert method not in answer.envelope["headers"]["Allow"].split(", ")
