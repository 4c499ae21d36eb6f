"""A canary is promoted, rolled back or waited for by what both versions did; and the alias is moved accordingly."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from benchmarks.after_deploy import canary
from operations.commands import main
from operations.errors import UnreadableInput
from operations.monitor.tally import Tally
from operations.release import alias, watch
from operations.release.canary import Rules, judge
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = Rules.read(ROOT / "policies" / "canary.json")


def test_good_canaries_are_promoted() -> None:
    # The whole simulation, of 1,000 canaries, is benchmarks/after_deploy.py.
    endings = Counter(canary({}, seed)[0] for seed in range(100))
    assert endings["roll back"] <= 5
    assert endings["promote"] >= 90


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"fail": 0.05}, "failures"),
        ({"fail": 1.0}, "failures"),
        ({"milliseconds": 12.0}, "slow"),
        ({"approved": 0.436}, "approvals"),
        ({"approved": 0.336}, "approvals"),
        ({"reasons": (0.25, 0.6, 0.1, 0.05)}, "reasons"),
    ],
    ids=str,
)
def test_bad_canaries_are_rolled_back(changed: dict[str, Any], why: str) -> None:
    endings = [canary(changed, seed) for seed in range(10)]
    assert {(action, reason) for action, reason, _ in endings} == {("roll back", why)}


def test_one_that_fails_always_is_rolled_back_before_ten_decisions() -> None:
    stable, own = Tally(invocations=90), Tally(invocations=8, failed=8)
    assert judge(stable, own, RULES).action == "roll back"


def test_without_traffic_there_is_nothing_to_judge() -> None:
    assert judge(Tally(), Tally(), RULES).action == "wait"


def test_looking_again_changes_nothing() -> None:
    stable = Tally(decisions=900, approvals=350, invocations=900, failed=1, reasons=Counter(INCOME=400, HOUSING=150))
    own = Tally(decisions=100, approvals=42, invocations=100, reasons=Counter(INCOME=38, HOUSING=20))
    assert judge(stable, own, RULES) == judge(stable, own, RULES)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "not JSON",
        json.dumps({**json.loads((ROOT / "policies" / "canary.json").read_text()), "error_rate": 5}),
        json.dumps(
            {**json.loads((ROOT / "policies" / "canary.json").read_text()), "failures": {"promoted_within": 0.1}}
        ),
        json.dumps(
            {
                **json.loads((ROOT / "policies" / "canary.json").read_text()),
                "failures": {"rolled_back_beyond": 0.2, "promoted_within": 0.1},
            }
        ),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "canary.json"
    path.write_text(content)
    with pytest.raises(UnreadableInput, match=r"is no policy for canaries"):
        Rules.read(path)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function whose alias live gives version 2 a tenth of its traffic."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "MOTO_LAMBDA_STUB_ECR": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        client = boto3.client("lambda")
        image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ccapproval-deploy@sha256:" + "1" * 64
        client.create_function(FunctionName="ccapproval", Role=role, Code={"ImageUri": image}, PackageType="Image")
        for digit in ("1", "2"):
            client.update_function_code(FunctionName="ccapproval", ImageUri=image[:-1] + digit)
            client.publish_version(FunctionName="ccapproval")
        client.create_alias(
            FunctionName="ccapproval",
            Name="live",
            FunctionVersion="1",
            Description="previous versions: 7",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
        )
        yield client


def logged(path: Path, *, stable: int, canary: int, failing: bool) -> Path:
    """A log of invocations by both versions."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    lines = []
    for version, number, failed in (("1", stable, False), ("2", canary, failing)):
        metrics = {
            "_aws": {"Timestamp": now},
            "event": "metrics",
            "schema": 1,
            "ModelVersion": f"m{version}",
            "FunctionVersion": version,
            "Failures": int(failed),
            "Latency": 2.0,
        }
        decision = {
            "event": "decision",
            "schema": 1,
            "time": now,
            "model_version": f"m{version}",
            "function_version": version,
            "decision_id": "r",
            "bins": [0],
            "score_bin": 0,
            "reasons": ["A"],
        }
        for place in range(number):
            lines.append(metrics)
            if not failed:
                lines.append({**decision, "prediction": place % 2})
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def told(client: Any) -> tuple[str, dict[str, float], str]:
    found = client.get_alias(FunctionName="ccapproval", Name="live")
    weights: dict[str, float] = found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return found["FunctionVersion"], weights, found["Description"]


def command(tmp_path: Path, log: Path, *more: str) -> int:
    history = ["--history", str(tmp_path / "history.jsonl")]
    return main(["canary", "--function", "ccapproval", "--log", str(log), *history, *more])


def test_a_good_one_is_promoted_and_the_way_back_is_kept(
    function: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logged(tmp_path / "log", stable=60_000, canary=8_000, failing=False)

    assert command(tmp_path, log) == 0

    assert told(function) == ("2", {}, "previous versions: 1 7")
    assert "Canary ccapproval version 2 (10% of live, beside version 1): promote" in capsys.readouterr().out
    (line,) = (tmp_path / "history.jsonl").read_text().splitlines()
    assert json.loads(line)["action"] == "promote"
    # and there is no canary left to judge
    assert command(tmp_path, log) == 0


def test_a_failing_one_is_rolled_back(function: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = logged(tmp_path / "log", stable=90, canary=10, failing=True)

    assert command(tmp_path, log) == 11

    assert told(function) == ("1", {}, "previous versions: 7")
    assert "rolled back (failures:" in capsys.readouterr().err


def test_too_few_are_waited_for(function: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = logged(tmp_path / "log", stable=90, canary=10, failing=False)

    assert command(tmp_path, log, "--wait", "0.3", "--every", "0.1") == 10

    assert told(function)[1] == {"2": 0.1}
    assert len((tmp_path / "history.jsonl").read_text().splitlines()) >= 2
    assert "too early to tell" in capsys.readouterr().err


def test_a_dry_run_moves_nothing(function: Any, tmp_path: Path) -> None:
    log = logged(tmp_path / "log", stable=90, canary=10, failing=True)
    assert command(tmp_path, log, "--dry-run") == 11
    assert told(function)[1] == {"2": 0.1}
    assert not (tmp_path / "history.jsonl").exists()


def test_it_can_be_aborted(function: Any, tmp_path: Path) -> None:
    assert command(tmp_path, tmp_path / "none", "--abort") == 0
    assert told(function) == ("1", {}, "previous versions: 7")
    assert command(tmp_path, tmp_path / "none", "--abort") == 0


def test_who_moved_the_alias_meanwhile_is_not_overruled(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # moto takes any revision, so the request itself is looked at
    sharing = alias.find(function, "ccapproval", "live")
    assert sharing is not None
    asked: dict[str, Any] = {}
    monkeypatch.setattr(function, "update_alias", lambda **words: asked.update(words))
    alias.promote(function, sharing)
    assert asked["RevisionId"] == sharing.revision


def test_a_function_that_does_not_exist_is_named(
    function: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["canary", "--function", "mistyped", "--log", str(tmp_path)]) == 1
    assert "lambda:" in capsys.readouterr().err
    with pytest.raises(ClientError):
        alias.find(function, "mistyped", "live")


def test_one_that_is_not_decided_for_long_needs_a_person(function: Any, tmp_path: Path) -> None:
    log = logged(tmp_path / "log", stable=90, canary=10, failing=False)
    sharing = alias.find(function, "ccapproval", "live")
    assert sharing is not None
    old = alias.Sharing(**{**vars(sharing), "since": datetime.now(UTC) - timedelta(days=15)})
    assert "a person must" in watch.look(old, [log], None, RULES).why


def test_crashes_that_lambda_counts_are_failures(function: Any) -> None:
    sharing = alias.find(function, "ccapproval", "live")
    assert sharing is not None
    metrics = boto3.client("cloudwatch")
    metrics.put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "Errors",
                "Value": 12,
                "Dimensions": [
                    {"Name": "FunctionName", "Value": "ccapproval"},
                    {"Name": "Resource", "Value": "ccapproval:live"},
                    {"Name": "ExecutedVersion", "Value": "2"},
                ],
            }
        ],
    )
    until = datetime.now(UTC) + timedelta(minutes=5)
    assert alias.platform_errors(metrics, sharing, "2", until) == 12
    assert alias.platform_errors(metrics, sharing, "1", until) == 0
