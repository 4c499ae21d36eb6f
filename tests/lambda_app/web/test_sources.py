"""Each event source claims its own events, and answers with text or bytes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from lambda_app.web.events import SOURCES, source_of
from lambda_app.web.messages import Response

if TYPE_CHECKING:
    from lambda_app.web.events import Direct


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"requestContext": {"http": {"method": "GET"}}}, "http"),
        ({"requestContext": {"elb": {}}}, "alb"),
        ({"requestContext": {"stage": "prod"}}, "rest"),
        ({"requestContext": {}}, "rest"),
        ({"requestContext": {"http": None}}, "rest"),
        ({"requestContext": None}, "direct"),
        ({"Income": 1}, "direct"),
        ({"Items": []}, "step-functions"),
        ({"Items": None, "BatchInput": {}}, "step-functions"),
        ({"Items": [], "Income": 1}, "direct"),
        ({"source": "serverless-plugin-warmup"}, "ping"),
        ({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}, "ping"),
        ({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, "queue"),
        ({"Records": [], "Income": 1}, "direct"),
        ({"Records": "yes"}, "direct"),
        ({"Items": [], "requestContext": {"http": {}}}, "http"),
        ([], "direct"),
        (None, "direct"),
        ("text", "direct"),
    ],
    ids=str,
)
def test_event_has_one_source(event: object, name: str) -> None:
    assert source_of(event).name == name


def test_names_of_sources_are_unique() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)


# Step Functions asks for nothing but decisions.
ENVELOPED = [source for source in SOURCES if source.name != "step-functions"]


@pytest.mark.parametrize("source", ENVELOPED, ids=lambda source: source.name)
def test_bytes_are_sent_as_base64(source: Direct) -> None:
    # given
    picture = bytes(range(256))

    # when
    envelope = source.answer({}, Response(200, picture, "image/png"))

    # then
    assert envelope["isBase64Encoded"] is True
    assert base64.b64decode(envelope["body"]) == picture
    assert envelope["headers"]["Content-Type"] == "image/png"


@pytest.mark.parametrize("source", ENVELOPED, ids=lambda source: source.name)
def test_text_is_sent_as_it_is(source: Direct) -> None:
    # when
    envelope = source.answer({}, Response(200, "<p>é</p>", "text/html", headers={"X-One": "1"}))

    # then
    assert envelope["body"] == "<p>é</p>"
    assert not envelope.get("isBase64Encoded")
    assert envelope["headers"]["Content-Type"] == "text/html"
    assert envelope["headers"]["X-One"] == "1"
