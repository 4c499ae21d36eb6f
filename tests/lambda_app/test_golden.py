"""When two answers count as the same decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_app.golden import DECIDED, same

if TYPE_CHECKING:
    from lambda_app.manifest import Answer

RECORDED: Answer = {
    "prediction": 0,
    "decision": "deny",
    "probability": 0.25,
    "reasons": [{"code": "INCOME", "field": "Income", "text": "Income insufficient"}],
    "model_version": "0123456789ab",
    "request_id": "golden",
}
REASON = RECORDED["reasons"][0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"request_id": "another"}, id="request"),
        pytest.param({"decision_id": "another"}, id="decision-id"),
        pytest.param({"probability": 0.25 + 5e-10}, id="last-digits"),
        pytest.param({"more": "than was recorded"}, id="more"),
    ],
)
def test_same(change: dict[str, object]) -> None:
    assert same(RECORDED, {**RECORDED, **change})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"prediction": 1}, id="prediction"),
        pytest.param({"prediction": False}, id="prediction-false"),
        pytest.param({"prediction": 0.0}, id="prediction-float"),
        pytest.param({"decision": "approve"}, id="decision"),
        pytest.param({"probability": 0.25 + 2e-9}, id="probability"),
        pytest.param({"probability": "0.25"}, id="probability-text"),
        pytest.param({"probability": None}, id="probability-null"),
        pytest.param({"probability": float("nan")}, id="probability-nan"),
        pytest.param({"reasons": []}, id="no-reason"),
        pytest.param({"reasons": [REASON, REASON]}, id="one-more-reason"),
        pytest.param({"reasons": [{**REASON, "text": "other words"}]}, id="reason-text"),
        pytest.param({"reasons": None}, id="reasons-null"),
        pytest.param({"model_version": "ba9876543210"}, id="model"),
    ],
)
def test_different(change: dict[str, object]) -> None:
    assert not same(RECORDED, {**RECORDED, **change})


@pytest.mark.parametrize("key", sorted(DECIDED))
def test_answer_without_a_part_is_different(key: str) -> None:
    assert not same(RECORDED, {name: value for name, value in RECORDED.items() if name != key})


@pytest.mark.parametrize("key", sorted(DECIDED))
def test_record_without_a_part_matches_nothing(key: str) -> None:
    # given: a record that lacks a required key
    recorded = {name: value for name, value in RECORDED.items() if name != key}

    # then: it does not even match itself
    assert not same(recorded, RECORDED)
    assert not same(recorded, recorded)


@pytest.mark.parametrize(
    "recorded",
    [{}, {key: value for key, value in REASON.items() if key != "code"}, {**REASON, "more": "than was answered"}],
    ids=["empty", "no-code", "more"],
)
def test_recorded_reason_with_other_keys_matches_nothing(recorded: dict[str, object]) -> None:
    assert not same({**RECORDED, "reasons": [recorded]}, RECORDED)


@pytest.mark.parametrize("value", [None, [], "text", 1], ids=repr)
def test_no_answer_is_different(value: object) -> None:
    assert not same(RECORDED, value)
    assert not same(value, value)
