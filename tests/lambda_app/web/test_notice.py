"""The notice of adverse action: the decision's own reasons, nothing else of the applicant, and what the law wants."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.artifact import load
from lambda_app.decision import Decider
from model.contract import Contract
from model.contract.errors import ContractError
from model.contract.fields import fields_of
from tests.artifacts import write_by_hand
from tests.contracts.small import Applicant
from tests.pages import Page
from tests.serving import Answer, Service

if TYPE_CHECKING:
    from pathlib import Path

DENIED = {"Num_Children": 3, "Income": 52_317, "Own_Car": 0, "Own_Housing": 0}
APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
ABOUT = {"name": "A. <b>Applicant</b>", "address": "1 Main Street\nSpringfield", "requested": "{agency}"}
CREDITOR = {
    "name": "Example Bank",
    "address": "2 Bank Street",
    "telephone": "555-0100",
    "agency": "the agency & its address",
    "report_agency": {"name": "Example Reports", "address": "3 File Street", "telephone": "800-555-0100"},
}
LISTED = re.compile(r'<li data-field="([^"]*)" data-code="([^"]*)">([^<]*)</li>')


def post(service: Service, body: Any) -> Answer:
    context = {"http": {"method": "POST"}}
    return service({"rawPath": "/notice", "requestContext": context, "body": json.dumps(body)})


def test_it_states_the_reasons_of_the_decision_and_who_it_is_from(by_hand: Path) -> None:
    service = Service(by_hand, CREDITOR=json.dumps(CREDITOR))
    answer = post(service, {"application": DENIED, "about": ABOUT})
    assert (answer.status, answer.printed) == (200, ""), "no decision was made, so none is logged"
    html = answer.envelope["body"]
    decision = Decider(load(str(by_hand))).decide(DENIED, "").answer
    assert LISTED.findall(html) == [(each["field"], each["code"], each["text"]) for each in decision["reasons"]]
    shown = Page.of(html.replace('<link rel="icon" href="data:,">', "")).words()
    for text in (
        "A. <b>Applicant</b>",
        "{agency}",
        "Example Bank",
        "555-0100",
        "creditor is the agency & its address.",
    ):
        assert text in shown
    assert "Draft for counsel" in shown
    assert "Federal Equal Credit Opportunity Act prohibits creditors" in shown
    assert "consumer report" not in shown, "this contract uses none"
    assert "52,317" not in html
    assert "52317" not in html
    assert "script-src 'none'" in answer.envelope["headers"]["Content-Security-Policy"]


class Reported(Applicant):
    """A contract with a field from a consumer report."""

    consumer_report = ("Own_Housing",)


def test_a_consumer_report_adds_the_score_its_range_and_its_key_factors(tmp_path: Path) -> None:
    write_by_hand(tmp_path, Reported)
    service = Service(tmp_path, CREDITOR=json.dumps(CREDITOR))
    html = post(service, {"application": DENIED, "about": {"date": "2026-01-02"}}).envelope["body"]
    shown = Page.of(html.replace('<link rel="icon" href="data:,">', "")).words()
    # -4 + 0 + 1 points; from -4 to -4 + 0.5 + 4 + 0.25 + 1.5
    assert "47, as of 2026-01-02. Scores range from a low of 18 to a high of 905." in shown
    assert "right to a free copy of your report" in shown
    assert "Example Reports" in shown
    listed = LISTED.findall(html)
    assert listed[: len(listed) // 2] == listed[len(listed) // 2 :], "the reasons, and the key factors"


def test_an_approval_has_no_notice(service: Service) -> None:
    answer = post(service, {"application": APPROVED})
    assert (answer.status, answer.body["type"]) == (409, "urn:problem:credit-card-approval:not-denied")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(DENIED, 400, id="bare-application"),
        pytest.param([{"application": DENIED}], 400, id="list"),
        pytest.param({"application": DENIED, "about": {"phone": "1"}}, 400, id="unknown"),
        pytest.param({"application": DENIED, "about": {"name": 1}}, 400, id="number"),
        pytest.param({"application": DENIED, "about": {"name": "x" * 121}}, 400, id="long"),
        pytest.param({"application": DENIED, "about": {"address": "\n" * 5}}, 400, id="lines"),
        pytest.param({"application": DENIED, "about": {"name": "\ud800"}}, 400, id="half-a-character"),
        pytest.param({"application": DENIED, "about": {"name": "\u202e"}}, 400, id="invisible"),
        pytest.param({"application": DENIED, "about": "me"}, 400, id="text"),
        pytest.param({"application": {**DENIED, "Income": -1}}, 422, id="invalid"),
        pytest.param({"application": 3}, 422, id="no-application"),
    ],
)
def test_what_it_cannot_be_made_of_is_refused_without_repeating_it(body: Any, status: int, service: Service) -> None:
    answer = post(service, body)
    assert answer.status == status
    assert "52317" not in answer.envelope["body"] + answer.printed


def test_a_contract_names_only_its_own_fields() -> None:
    wrong: type[Contract] = type("Wrong", (Applicant,), {"consumer_report": ("Score",), "__module__": __name__})
    with pytest.raises(ContractError, match="consumer_report names 'Score', which is no field of Wrong"):
        fields_of(wrong)
