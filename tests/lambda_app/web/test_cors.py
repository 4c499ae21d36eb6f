"""Which pages of other origins a browser lets read the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.serving import Service

if TYPE_CHECKING:
    from pathlib import Path

BANK, OTHER = "https://bank.example", "https://elsewhere.example"


def call(method: str, origin: str | None, path: str = "/predict", body: str = "{}") -> dict[str, Any]:
    headers = {} if origin is None else {"Origin": origin}
    return {"rawPath": path, "requestContext": {"http": {"method": method}}, "headers": headers, "body": body}


def opened(headers: dict[str, str]) -> set[str]:
    return {name for name in headers if name.startswith("Access-Control")}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_closed_by_default(method: str, service: Service) -> None:
    envelope = service(call(method, BANK)).envelope
    assert not opened(envelope["headers"])
    assert method != "OPTIONS" or (envelope["statusCode"], envelope["headers"]["Allow"]) == (405, "POST")


def test_a_page_asks_before_it_posts(by_hand: Path) -> None:
    answer = Service(by_hand, CORS_ORIGINS=f"{BANK},http://localhost:3000")(call("OPTIONS", BANK))
    assert (answer.status, answer.envelope["body"], answer.printed) == (204, "", "")
    assert answer.envelope["headers"] | {"Access-Control-Allow-Origin": BANK, "Vary": "Origin"} == {
        **answer.envelope["headers"],
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type, x-application-id",
        "Access-Control-Max-Age": "7200",
    }


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/predict", '{"Num_Children":2,"Income":500000,"Own_Car":1,"Own_Housing":1}', 200, id="decision"),
        pytest.param("/predict", "{}", 422, id="refusal"),
        pytest.param("/nowhere", "{}", 404, id="no-such-path"),
    ],
)
def test_every_answer_can_be_read_by_a_page_that_may(path: str, body: str, status: int, by_hand: Path) -> None:
    service = Service(by_hand, CORS_ORIGINS=BANK)
    for origin, allowed in ((BANK, BANK), (OTHER, None), (None, None), (BANK + ".evil.example", None)):
        envelope = service(call("POST", origin, path, body)).envelope
        assert envelope["statusCode"] == status
        assert envelope["headers"].get("Access-Control-Allow-Origin") == allowed
        assert envelope["headers"]["Vary"] == "Origin"  # so that no cache gives one origin's answer to another


def test_all_origins(by_hand: Path) -> None:
    envelope = Service(by_hand, CORS_ORIGINS="*")(call("GET", OTHER, "/health")).envelope
    assert envelope["headers"]["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in envelope["headers"]


def test_an_unknown_path_has_no_options(by_hand: Path) -> None:
    assert Service(by_hand, CORS_ORIGINS="*")(call("OPTIONS", OTHER, "/nowhere")).status == 404
