"""A deployed function is asked what model it serves."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from operations import live
from operations.commands import main
from operations.errors import UnreadableInput

if TYPE_CHECKING:
    from pathlib import Path

MODEL = {"model_version": "abc", "trained_at": "2026-01-01T00:00:00+00:00", "metrics": {"accuracy": 0.9}}
ASKED = {"FunctionName": "ccapproval", "Qualifier": "live", "Payload": json.dumps(live.MODEL_REQUEST).encode()}


def _stubbed() -> tuple[Any, Stubber]:
    client = boto3.client("lambda")
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


def _function_answers(status: int, body: str, error: str | None = None) -> Any:
    client, stubber = _stubbed()
    payload = json.dumps({"statusCode": status, "headers": {}, "body": body}).encode()
    answer: dict[str, Any] = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload))}
    stubber.add_response("invoke", answer | ({"FunctionError": error} if error else {}), ASKED)
    return client


def test_it_describes_its_model() -> None:
    assert live.ask_function(_function_answers(200, json.dumps(MODEL)), "ccapproval", "live") == MODEL


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(404, "{}", None), (200, "not JSON", None), (200, "{}", "Unhandled")],
    ids=["an error answer", "no JSON", "a crash"],
)
def test_an_answer_without_a_model_is_refused(status: int, body: str, error: str | None) -> None:
    with pytest.raises(UnreadableInput, match="ccapproval:live"):
        live.ask_function(_function_answers(status, body, error), "ccapproval", "live")


def test_the_champion_is_written_for_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = _function_answers(200, json.dumps(MODEL))
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    champion = tmp_path / "build/champion.json"

    assert main(["champion", "--function", "ccapproval", "--out", str(champion)]) == 0
    assert json.loads(champion.read_text())["metrics"] == MODEL["metrics"]


def test_a_first_release_has_no_champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, stubber = _stubbed()
    stubber.add_client_error("invoke", "ResourceNotFoundException", expected_params=ASKED)
    monkeypatch.setattr(boto3, "client", lambda _service: client)

    assert main(["champion", "--function", "ccapproval", "--out", str(tmp_path / "champion.json")]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["champion"], ["freshness"]], ids=lambda command: command[0])
@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException"])
def test_a_refusal_by_aws_is_reported_in_one_line(
    command: list[str], code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client, stubber = _stubbed()
    stubber.add_client_error("invoke", code, expected_params=ASKED)
    monkeypatch.setattr(boto3, "client", lambda _service: client)

    assert main([*command, "--function", "ccapproval"]) == 1
    assert code in capsys.readouterr().err
