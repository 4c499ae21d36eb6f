"""The same paths behind a prefix, with a trailing slash, by HEAD; and what comes from no caller."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving import Service

if TYPE_CHECKING:
    from pathlib import Path

APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
BODY = json.dumps(APPROVED)


def rest(path: str, **more: Any) -> dict[str, Any]:
    return {"httpMethod": "POST", "path": path, "requestContext": {"stage": "prod"}, "body": BODY, **more}


def http(path: str, method: str = "POST", **more: Any) -> dict[str, Any]:
    context = {"http": {"method": method}, "stage": "$default"}
    return {"rawPath": path, "requestContext": context, "body": BODY, **more}


def balancer(path: str, method: str = "POST") -> dict[str, Any]:
    return {"httpMethod": method, "path": path, "requestContext": {"elb": {}}, "body": BODY}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(rest("/v1/predict", resource="/predict"), id="rest-base-path"),
        pytest.param(
            rest("/v1/predict", resource="/{proxy+}", pathParameters={"proxy": "predict"}), id="rest-base-path-proxy"
        ),
        pytest.param(rest("/v1/", resource="/"), id="rest-base-path-root"),
        pytest.param(http("/v1/predict", routeKey="POST /predict"), id="http-api-base-path"),
        pytest.param(
            http("/v1/predict", routeKey="ANY /{proxy+}", pathParameters={"proxy": "predict"}), id="http-api-proxy"
        ),
        pytest.param(http("/predict/"), id="trailing-slash"),
        pytest.param(balancer("/predict//"), id="trailing-slashes"),
        pytest.param(rest("/predict/", resource="/{proxy+}", pathParameters={"proxy": "predict/"}), id="rest-slash"),
    ],
)
def test_an_event_tells_what_stands_before_the_path(event: dict[str, Any], service: Service) -> None:
    assert service(event).body["decision"] == "approve"


@pytest.mark.parametrize("path", ["/credit/predict", "/credit", "/credit/", "/predict", "/"])
def test_a_base_path_is_taken_off(path: str, by_hand: Path) -> None:
    assert Service(by_hand, BASE_PATH="/credit/")(balancer(path)).status == 200


@pytest.mark.parametrize("path", ["/creditpredict", "/credits/predict", "/other/predict", "/credit/nowhere"])
def test_what_only_looks_like_a_base_path_is_not(path: str, by_hand: Path) -> None:
    assert Service(by_hand, BASE_PATH="/credit")(balancer(path)).status == 404


@pytest.mark.parametrize("parameters", [None, {}, {"proxy": 3}, "predict"])
def test_a_proxy_without_its_parameter_leaves_the_path(parameters: object, service: Service) -> None:
    assert service(rest("/predict", resource="/{proxy+}", pathParameters=parameters)).status == 200


def test_head_is_get_without_a_body(service: Service) -> None:
    head, get = service(http("/health", "HEAD")).envelope, service(http("/health", "GET")).envelope
    assert (head["statusCode"], head["headers"], head["body"]) == (200, get["headers"], "")
    refused = service(http("/health", "PUT")).envelope
    assert refused["headers"]["Allow"] == "GET, HEAD"
    assert service(http("/predict", "HEAD")).status == 405


@pytest.mark.parametrize("encoded", [False, True])
def test_a_byte_order_mark_is_taken_as_a_direct_invoke_takes_it(encoded: bool, service: Service) -> None:
    text = "\ufeff" + BODY
    body = base64.b64encode(text.encode()).decode() if encoded else text
    assert service({**http("/predict"), "body": body, "isBase64Encoded": encoded}).body["decision"] == "approve"


@pytest.mark.parametrize(
    "event", [{"source": "serverless-plugin-warmup"}, {"source": "aws.events", "detail-type": "Scheduled Event"}]
)
def test_a_ping_gets_the_health_and_writes_nothing(event: dict[str, Any], service: Service) -> None:
    answer = service(event)
    assert (answer.status, answer.body["status"], answer.printed) == (200, "ok", "")


@pytest.mark.parametrize("source", ["aws:sqs", "aws:sns", "aws:s3", "aws:kinesis"])
def test_records_of_a_trigger_are_not_lost_by_an_answer(source: str, service: Service) -> None:
    answer = service({"Records": [{"eventSource": source, "body": BODY}]})
    assert answer.error == "Unserved"
    assert "500000" not in answer.printed
    assert answer.metrics[0]["Refusals"] == 1
