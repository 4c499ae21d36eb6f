"""Every kind of event gets the answer of the same name in `tests/golden/`, with a byte-identical body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving import REQUEST_ID, ROOT, strict_json

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.web.events import Envelope
    from tests.serving import Service

EVENTS = sorted((ROOT / "tests" / "events").glob("*.json"))


def expected(name: str, by_hand: Path) -> Envelope:
    """A golden answer with this run's model and request id filled in."""
    manifest = strict_json((by_hand / "manifest.json").read_text(encoding="utf-8"))
    text = (ROOT / "tests" / "golden" / f"{name}.json").read_text(encoding="utf-8")
    for place, value in (
        ("@MODEL_VERSION@", manifest["model_version"]),
        ("@IDENTITY@", manifest["identity"]),
        ("@REQUEST_ID@", REQUEST_ID),
    ):
        text = text.replace(place, value)
    answer: Envelope = strict_json(text)
    if "statusCode" not in answer:
        return answer
    answer["body"] = json.dumps(answer["body"], separators=(",", ":"))
    return answer


def event(name: str) -> Any:
    """A real event document of an integration."""
    return strict_json((ROOT / "tests" / "events" / f"{name}.json").read_text(encoding="utf-8"))


def test_every_event_has_a_golden_answer_and_vice_versa() -> None:
    golden = {path.name for path in (ROOT / "tests" / "golden").glob("*.json")}
    assert golden
    assert {path.name for path in EVENTS} == golden


@pytest.mark.parametrize("name", [path.stem for path in EVENTS])
def test_event_gets_its_golden_answer(name: str, service: Service, by_hand: Path) -> None:
    assert service(event(name)).envelope == expected(name, by_hand)


@pytest.mark.parametrize("name", [path.stem for path in EVENTS])
def test_answer_is_never_cached_nor_sniffed(name: str, service: Service) -> None:
    envelope = service(event(name)).envelope
    if name.startswith("step_functions"):
        assert envelope.keys() == {"predictions"}
        return
    headers = envelope.get("headers") or {key: values[0] for key, values in envelope["multiValueHeaders"].items()}
    problem = envelope["statusCode"] >= 400
    assert headers["Content-Type"] == ("application/problem+json" if problem else "application/json")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        "function_url_base64",
        "http_api_default_stage_base64",
        "http_api_named_stage_root",
        "rest_approve",
        "alb_approve",
        "alb_base64",
    ],
)
def test_envelope_does_not_change_the_decision(name: str, service: Service) -> None:
    assert service(event(name)).body == service(event("direct_approve")).body


def test_lower_case_method_is_the_same_method(service: Service) -> None:
    sent = event("rest_approve")
    sent["httpMethod"] = "post"
    assert service(sent).status == 200


@pytest.mark.parametrize("stage", ["pro", "prod/predict", "", None, 3], ids=repr)
def test_only_a_whole_stage_name_is_removed_from_a_path(stage: object, service: Service) -> None:
    sent = event("http_api_named_stage") | {"routeKey": "$default"}
    sent["rawPath"] = "/product"
    sent["requestContext"]["stage"] = stage
    assert service(sent).status == 404


@pytest.mark.parametrize("stage", ["$default", "", None, 3], ids=repr)
@pytest.mark.parametrize("route", ["/predict", "/health"])
def test_only_a_named_stage_is_removed_from_a_path(stage: object, route: str, service: Service) -> None:
    # Given a path that begins with something that is not a stage's name
    sent = event("http_api_named_stage") | {"routeKey": "$default"}
    sent["rawPath"] = f"/{stage}{route}"
    sent["requestContext"]["stage"] = stage
    # When it is requested, then it does not exist
    assert service(sent).status == 404


def test_path_without_a_stage_is_left_as_it_is(service: Service) -> None:
    sent = event("http_api_named_stage") | {"routeKey": "$default"}
    sent["rawPath"] = "/None/predict"
    del sent["requestContext"]["stage"]
    assert service(sent).status == 404


@pytest.mark.parametrize("items", ["x", {}, None, 3, event("direct_approve")], ids=type)
@pytest.mark.parametrize("with_input", [False, True], ids=["items", "items-batch-input"])
def test_items_that_are_not_a_list_are_named(items: object, with_input: bool, service: Service) -> None:
    # Given a payload that looks like a batch from Step Functions, but holds no list
    answer = service({"Items": items} | ({"BatchInput": {}} if with_input else {}))
    # Then Step Functions gets an exception that says so
    assert answer.envelope == {"errorType": "Malformed", "errorMessage": "Items must be a list of applications"}
    assert [line["problem"] for line in answer.lines] == ["malformed-request"]


@pytest.mark.parametrize("items", ["x", [], [event("direct_approve")]], ids=type)
def test_items_among_other_fields_are_an_application(items: object, service: Service) -> None:
    answer = service(event("direct_approve") | {"Items": items})
    assert answer.status == 422
    assert [error["rule"] for error in answer.body["errors"]] == ["extra_forbidden"]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        pytest.param("7" * 5_000, "The body holds an integer of too many digits", id="5000-digits"),
        pytest.param("-" + "7" * 5_000, "The body holds an integer of too many digits", id="5000-digits-negative"),
        pytest.param("07", "The body is not JSON", id="leading-zero"),
        pytest.param("NaN", "The body holds NaN or an infinity, which are not JSON", id="NaN"),
        pytest.param('1,"Income":1', "The body names a key twice", id="key-twice"),
    ],
)
def test_unreadable_body_is_refused_with_its_specific_fault(value: str, detail: str, service: Service) -> None:
    sent = event("function_url_approve") | {"body": f'{{"Income":{value}}}', "isBase64Encoded": False}
    answer = service(sent)
    assert answer.status == 400
    assert answer.body["detail"] == detail


def test_request_without_a_context_is_still_answered(service: Service) -> None:
    answer = service._handler(event("direct_approve"), None)
    assert strict_json(answer["body"])["request_id"] == "unknown"


def test_manifest_is_shown_to_direct_invokes_alone(service: Service, by_hand: Path) -> None:
    manifest = strict_json((by_hand / "manifest.json").read_text(encoding="utf-8"))
    shown = service({"show": "manifest"})
    assert (shown.status, shown.body, shown.lines) == (200, manifest, [])

    url = {"requestContext": {"http": {"method": "GET"}}, "rawPath": "/manifest"}
    posted = {"requestContext": {"http": {"method": "POST"}}, "rawPath": "/predict", "body": '{"show": "manifest"}'}
    assert service(url).status == 404
    assert service(posted).status == 422
    assert service({"show": "manifest", "Income": 1}).status == 422
