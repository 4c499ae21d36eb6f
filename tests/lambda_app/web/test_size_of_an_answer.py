"""An answer that its source cannot pass on is refused, and the refusal says how many applications would do."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import pytest
from pydantic import Field

from model.contract import Contract, Outcome, Scored
from tests.artifacts import write_by_hand
from tests.serving import Answer, Service

if TYPE_CHECKING:
    from collections.abc import Callable
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


def wide(directory: Path) -> None:
    """An artifact of 75 fields, half of them words of 40 characters."""
    words: Any = Literal[tuple(f"word number {number:03} of a long list of them" for number in range(200))]
    annotations: dict[str, Any] = {}
    fields: list[Any] = []
    for number in range(75):
        name = f"a_field_with_a_long_name_{number:02}"
        told = Field(description=name)
        scored = Scored("free", "unit", f"CODE_{number}", f"The sentence of the field {name}")
        if number % 2:
            annotations[name] = Annotated[words, told, scored]
            listed = list(get_args(words))
            fields.append({"name": name, "words": listed, "points": [0.0] * (len(listed) + 1)})
        else:
            annotations[name] = Annotated[int, Field(ge=0, le=9, description=name), scored]
            fields.append({"name": name, "edges": [], "points": [0.0]})
    outcome = Outcome("Target", approve=1, deny=0)
    contract = type("Wide", (Contract,), {"__module__": __name__, "__annotations__": annotations, "outcome": outcome})
    bins = {"fields": fields, "score": {"edges": [0.5], "shares": [0.5, 0.5]}}
    write_by_hand(directory, contract, model={"intercept": 0.0, "fields": fields}, bins=bins)


def over_http(applications: list[Any]) -> dict[str, Any]:
    return {"rawPath": "/predict", "requestContext": {"http": {"method": "POST"}}, "body": json.dumps(applications)}


def over_rest(applications: list[Any]) -> dict[str, Any]:
    return {"path": "/predict", "httpMethod": "POST", "requestContext": {}, "body": json.dumps(applications)}


DOORS: dict[str, tuple[Callable[[list[Any]], Any], int]] = {
    "direct": (lambda applications: applications, 6 * 1024 * 1024),
    "http": (over_http, 6 * 1024 * 1024),
    "rest": (over_rest, 6 * 1024 * 1024),
    "alb": (from_balancer, 1024 * 1024),
    "step-functions": (lambda applications: {"Items": applications}, STEP_FUNCTIONS),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("contract", ["default", "wide"])
def test_the_largest_request_is_answered_within_the_limit_or_refused_without_a_decision(
    contract: str, door: str, by_hand: Path, tmp_path: Path
) -> None:
    wrap, limit = DOORS[door]
    directory = by_hand
    if contract == "wide":
        wide(directory := tmp_path)
    service = Service(directory)
    payloads: list[list[Any]] = [[DENIED] * 1000, [{"Income": "x"}] * 1000, [{}] * 1000, [3] * 1000]
    for payload in payloads:
        answer = service(wrap(payload))
        decided = [line for line in answer.lines if line["event"] == "decision"]
        if answer.status == 413:
            assert decided == [], "no decision is logged that is not delivered"
            assert "applications at a time instead of 1000" in answer.body["detail"]
            few = advised(answer)
            assert service(wrap(payload[:few])).status == 200
        else:
            assert answer.status == 200
            assert len(json.dumps(answer.envelope)) < limit
            assert len(decided) == sum("error" not in each for each in answer.body["predictions"])
