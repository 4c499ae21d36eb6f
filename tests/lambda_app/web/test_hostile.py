"""Nothing that a caller sends makes the handler raise, answer anything but strict JSON, or repeat a value."""

from __future__ import annotations

import base64
import itertools
import json
import tracemalloc
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lambda_app.web.hostile import CANARIES, CANARY_NUMBER, CANARY_WORD, FIELDS, VALID, events
from tests.serving import REQUEST_ID, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_app.web.body import Event
    from tests.serving import Service

BULK = 100_000
REFUSALS = {
    400: "urn:problem:credit-card-approval:malformed-request",
    404: "urn:problem:credit-card-approval:not-found",
    405: "urn:problem:credit-card-approval:method-not-allowed",
    413: "urn:problem:credit-card-approval:too-large",
    422: "urn:problem:credit-card-approval:invalid-application",
}
DECISION = {"prediction", "decision", "probability", "reasons", "model_version", "request_id"}


def check_answer(answer: Answer) -> None:
    """Check that it is a typed refusal or a decision in strict JSON, and that neither it nor the log holds a canary."""
    output = json.dumps(answer.envelope, ensure_ascii=False) + answer.printed
    assert not [canary for canary in CANARIES if canary in output], output
    assert all(line["event"] in ("decision", "refusal") for line in answer.lines)
    if answer.envelope.get("headers", {}).get("Content-Type", "").startswith("text/html"):  # GET /
        assert answer.envelope["body"].startswith("<!doctype html>") or not answer.envelope["body"]  # or HEAD /
        return
    body = answer.body
    if answer.status == 200:
        if "status" in body or "contract" in body:  # GET /health and /model
            return
        for result in body.get("predictions", [body]):
            if "error" in result:
                check_problem(422, result["error"])
            else:
                assert result.keys() == DECISION
    else:
        check_problem(answer.status, body)


def check_problem(status: int, problem: Mapping[str, Any]) -> None:
    """Check that it is a problem document for its status."""
    assert problem["type"] == REFUSALS[status]
    assert problem["status"] == status
    assert problem["request_id"].startswith(REQUEST_ID)
    if status == 422:
        assert problem["errors"]
        assert {error["field"] for error in problem["errors"]} <= {None, *FIELDS}


def posted(body: object) -> Event:
    """A POST to a function URL."""
    return {"rawPath": "/predict", "requestContext": {"http": {"method": "POST"}}, "body": body}


@pytest.mark.parametrize("path", ["/health", "/model"])
def test_answer_without_a_decision_repeats_nothing_either(path: str, service: Service) -> None:
    # Given a canary in every part of a GET request that a caller controls
    event = {
        "rawPath": path,
        "rawQueryString": CANARY_WORD,
        "headers": {CANARY_WORD: CANARY_WORD},
        "requestContext": {"http": {"method": "GET"}, "stage": CANARY_WORD},
        "body": f'{{"{CANARY_WORD}":{CANARY_NUMBER}}}',
    }
    # When it is sent, then the answer does not contain them
    answer = service(event)
    assert answer.status == 200
    check_answer(answer)


@pytest.mark.parametrize("body", [{"status": "ok"}, {"contract": {}}], ids=["health", "model"])
@pytest.mark.parametrize("place", ["body", "log"])
def test_check_finds_a_canary_in_an_answer_without_a_decision(body: Mapping[str, Any], place: str) -> None:
    # Given an answer that repeats what was sent, in its body or in the log
    content = {**body, "model_version": CANARY_WORD} if place == "body" else body
    printed = json.dumps({"event": "refusal", "problem": CANARY_WORD}) if place == "log" else ""
    answer = Answer({"statusCode": 200, "body": json.dumps(content)}, printed)
    # When it is checked, then the check fails
    with pytest.raises(AssertionError, match=CANARY_WORD):
        check_answer(answer)


def test_bulk_of_mutated_events_gets_typed_answers(service: Service) -> None:
    # Given a seed, so that a failure can be repeated
    seen: dict[int, int] = {}
    for number, event in enumerate(itertools.islice(events(Random(20260102)), BULK)):  # noqa: S311  # mutations, no secrets
        # When it is sent, then the answer follows the wire contract
        answer = service(event)
        try:
            check_answer(answer)
        except AssertionError as err:
            err.add_note(f"event {number}: {event!r:.2000}")
            raise
        seen[answer.status] = seen.get(answer.status, 0) + 1
    # And the events reached every refusal that a small body can reach
    assert {400, 404, 405, 422} < seen.keys() <= {200, 400, 404, 405, 422}
    assert sum(seen.values()) == BULK
    assert min(seen.values()) > BULK / 1000


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([CANARY_WORD, CANARY_NUMBER, *VALID.values(), *FIELDS]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*FIELDS, "Items", "BatchInput", CANARY_WORD]) | st.text(max_size=8), inner)
    ),
    max_leaves=12,
)
ENVELOPE_KEYS = ("requestContext", "http", "elb", "method", "httpMethod", "path", "rawPath", "body", "isBase64Encoded")


@settings(max_examples=700)
@given(event=JSON)
def test_any_payload_of_a_direct_invoke_gets_a_typed_answer(event: Any, service: Service) -> None:
    check_answer(service(event))


@settings(max_examples=500)
@given(body=st.text() | JSON.map(json.dumps), encoded=st.booleans())
def test_any_body_gets_a_typed_answer(body: str, encoded: bool, service: Service) -> None:
    check_answer(service(posted(body) | {"isBase64Encoded": encoded}))


@settings(max_examples=400)
@given(content=st.binary())
def test_any_bytes_in_base64_get_a_typed_answer(content: bytes, service: Service) -> None:
    body = base64.b64encode(content).decode()
    answer = service(posted(body) | {"isBase64Encoded": True})
    check_answer(answer)
    assert answer.status in (400, 422, 200)


@settings(max_examples=500)
@given(
    event=st.dictionaries(st.sampled_from(ENVELOPE_KEYS), st.dictionaries(st.sampled_from(ENVELOPE_KEYS), JSON) | JSON)
)
def test_any_incomplete_envelope_gets_a_typed_answer(event: Event, service: Service) -> None:
    check_answer(service(event))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("[" * 100_000 + "]" * 100_000, 400, id="lists-100000-deep"),
        pytest.param('{"Income":' * 100_000 + "1" + "}" * 100_000, 413, id="objects-100000-deep"),
        pytest.param('{"a":' * 100_000 + "1" + "}" * 100_000, 400, id="objects-600-kB-deep"),
        pytest.param("[" * 100_000, 400, id="unclosed-100000-deep"),
        pytest.param(f'{{"Income":"{CANARY_WORD * 600_000}"}}', 413, id="6-MB-string"),
        pytest.param(" " * 6_000_000, 413, id="6-MB-of-spaces"),
        pytest.param(f'{{"Income":{"7" * 5_000}}}', 400, id="5000-digits"),
        pytest.param('{"Num_Children":2,"Income":1e999,"Own_Car":1,"Own_Housing":1}', 422, id="1e999"),
        pytest.param('{"Num_Children":2,"Income":500000.0,"Own_Car":1,"Own_Housing":1}', 422, id="whole-float"),
        pytest.param('{"Num_Children":2,"Income":5e5,"Own_Car":1,"Own_Housing":1}', 422, id="exponent"),
        pytest.param('{"Num_Children":2,"Income":500000,"Own_Car":true,"Own_Housing":1}', 422, id="true"),
        pytest.param('{"Num_Children":2,"Income":NaN,"Own_Car":1,"Own_Housing":1}', 400, id="NaN"),
        pytest.param('{"a":1,"a":1}', 400, id="duplicate-key"),
        pytest.param('[{"a":{"b":1,"b":1}}]', 400, id="duplicate-key-inside"),
        pytest.param('{"a":1,"\\u0061":1}', 400, id="duplicate-key-escaped"),
        pytest.param("{}" + CANARY_WORD, 400, id="trailing-text"),
        pytest.param("\ufeff{}", 422, id="byte-order-mark"),
        pytest.param("null", 400, id="null"),
        pytest.param('"' + CANARY_WORD + '"', 400, id="string"),
        pytest.param("7319246", 400, id="number"),
    ],
)
def test_hand_made_body_gets_its_status(body: str, status: int, service: Service) -> None:
    answer = service(posted(body))
    check_answer(answer)
    assert answer.status == status


def test_a_deeply_nested_payload_is_answered(service: Service) -> None:
    # Given a payload that a runtime with a deeper parser could pass on
    event: Any = CANARY_WORD
    for _ in range(100_000):
        event = {"Items": [event]}
    check_answer(service(event))
    check_answer(service({**VALID, "Own_Car": event}))


@pytest.mark.parametrize("wrap", [dict, lambda names: [names]], ids=["application", "batch"])
def test_unknown_names_by_the_hundred_thousand_take_no_memory(wrap: Any, service: Service) -> None:
    # Given a payload as large as Lambda accepts for a direct invoke, full of unknown names
    names = {f"{CANARY_WORD}{number}": number for number in range(240_000)}
    size = len(json.dumps(names, separators=(",", ":")))
    assert 5_500_000 < size < 6 * 1024 * 1024
    event = wrap(names)
    # When it is sent
    tracemalloc.start()
    try:
        answer = service(event)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Then it is refused like a small one, and the refusal uses a small fraction of the payload's own memory
    check_answer(answer)
    problem = answer.body["predictions"][0]["error"] if isinstance(event, list) else answer.body
    assert problem["status"] == 422
    assert problem["errors"][-1] == {
        "field": None,
        "rule": "extra_forbidden",
        "detail": "240000 fields that the model does not know",
    }
    assert [error["rule"] for error in problem["errors"][:-1]] == ["missing"] * len(FIELDS)
    assert peak < size / 20


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("sign", [1, -1], ids=["positive", "negative"])
def test_integer_of_5000_digits_is_out_of_range(field: str, sign: int, service: Service) -> None:
    answer = service({**VALID, field: sign * 10**4999})
    check_answer(answer)
    assert answer.status == 422
    assert [error["field"] for error in answer.body["errors"]] == [field]


def test_a_failure_of_the_service_reveals_nothing_about_the_applicant(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a service that fails with the applicant's values in its message
    def fail(*_: object) -> None:
        raise RuntimeError(CANARY_WORD)

    monkeypatch.setattr("lambda_app.web.routes.Decider.decide", fail)
    # When an application is sent
    answer = service(VALID)
    # Then the caller gets only a request id, and the log only a place in the code
    assert answer.status == 500
    assert answer.body == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "request_id": REQUEST_ID,
    }
    (line,) = answer.lines
    assert line["event"] == "error"
    assert line["error"] == "RuntimeError"
    assert CANARY_WORD not in answer.printed
