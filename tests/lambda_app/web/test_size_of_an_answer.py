"""An answer that its source cannot pass on is refused, and the refusal says how many applications would do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving import Answer, Service

if TYPE_CHECKING:
    from pathlib import Path

DENIED = {"Num_Children": 3, "Income": 52_317, "Own_Car": 0, "Own_Housing": 0}
STEP_FUNCTIONS = 256 * 1024


def from_balancer(applications: list[Any]) -> dict[str, Any]:
    return {"path": "/predict", "httpMethod": "POST", "requestContext": {"elb": {}}, "body": json.dumps(applications)}


def advised(answer: Answer) -> int:
    """How many applications the refusal advises."""
    found = re.search(r"send (\d+) applications", answer.body["detail"])
    assert found
    return int(found[1])


@pytest.mark.parametrize(
    ("wrap", "limit"), [(lambda items: {"Items": items}, STEP_FUNCTIONS), (from_balancer, 1_000_000)], ids=["sf", "alb"]
)
def test_the_advice_is_as_many_as_fit(wrap: Any, limit: int, by_hand: Path) -> None:
    service = Service(by_hand, MAX_BATCH="100000", MAX_BODY_LENGTH="99999999")

    refused = service(wrap([DENIED] * 5_000))

    assert refused.status == 413
    assert [line["problem"] for line in refused.lines] == ["too-large"]
    many = advised(refused)
    taken = service(wrap([DENIED] * many))
    assert taken.status == 200
    assert limit * 0.85 < len(json.dumps(taken.envelope)) < limit


def test_lambdas_own_limit_holds(by_hand: Path) -> None:
    service = Service(by_hand, MAX_BATCH="100000")

    refused = service([DENIED] * 20_000)

    assert refused.status == 413
    assert len(json.dumps(service([DENIED] * advised(refused)).envelope)) < 6 * 1024 * 1024


def test_step_functions_gets_the_advice_as_an_exception(by_hand: Path) -> None:
    answer = Service(by_hand)({"Items": [DENIED] * 1000})

    assert answer.error == "TooLarge"
    assert "applications at a time instead of 1000" in str(answer.raised)


def test_step_functions_gets_a_failure_as_an_exception_without_its_text(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError(f"{DENIED}")

    monkeypatch.setattr("lambda_app.decision.Decider.decide", fail)

    answer = service({"Items": [DENIED]})

    assert answer.error == "ServiceFailed"
    assert "52317" not in json.dumps(answer.envelope) + answer.printed
    assert answer.metrics[0]["Failures"] == 1
    assert answer.raised is not None
    assert answer.raised.__cause__ is answer.raised.__context__ is None
