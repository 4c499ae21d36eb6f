"""The same application gets the same bytes through every door."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serving import Service

VALID = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 10**8)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
APPLICATIONS = (
    st.fixed_dictionaries(
        {
            "Num_Children": st.integers(0, 20),
            "Income": st.integers(0, 200_000),
            "Own_Car": st.integers(0, 1),
            "Own_Housing": st.integers(0, 1),
        },
        optional={"application_id": st.text("abc-_", min_size=1, max_size=8)},
    )
    | st.dictionaries(st.sampled_from([*VALID, "application_id", "Other"]), SCALARS, max_size=6)
    | st.lists(st.just(VALID) | st.dictionaries(st.sampled_from([*VALID]), SCALARS, max_size=4), max_size=3)
    | SCALARS
)


def doors(text: str) -> dict[str, Any]:
    """The events that carry a body."""
    coded = base64.b64encode(text.encode()).decode()
    http: dict[str, Any] = {"rawPath": "/predict", "requestContext": {"http": {"method": "POST"}}}
    rest: dict[str, Any] = {"path": "/predict", "httpMethod": "POST", "requestContext": {}}
    return {
        "direct": json.loads(text),
        "http": {**http, "body": text},
        "http, base64": {**http, "body": coded, "isBase64Encoded": True},
        "http, at the root": {**http, "rawPath": "/", "body": text},
        "rest": {**rest, "body": text},
        "alb": {**rest, "requestContext": {"elb": {}}, "body": text},
        "alb, multi-value": {**rest, "requestContext": {"elb": {}}, "multiValueHeaders": {}, "body": text},
    }


@settings(max_examples=400)
@given(payload=APPLICATIONS)
def test_the_same_bytes_for_the_same_application(payload: Any, service: Service) -> None:
    found = {
        name: (answer.envelope["statusCode"], answer.envelope["body"], [line["event"] for line in answer.lines])
        for name, answer in ((name, service(event)) for name, event in doors(json.dumps(payload)).items())
    }
    assert len(set(map(repr, found.values()))) == 1, found


@settings(max_examples=200)
@given(payload=st.lists(st.just(VALID) | st.dictionaries(st.sampled_from([*VALID]), SCALARS, max_size=4), max_size=4))
def test_step_functions_gets_the_same_predictions(payload: list[Any], service: Service) -> None:
    assert service({"Items": payload}).body == service(payload).body
