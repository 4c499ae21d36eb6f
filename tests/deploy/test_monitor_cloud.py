"""Watching on a local cloud: canaries with and without faults, the monitor by its schedule, alarms that reach somebody.

MiniStack does not part an alias's traffic and reads no Embedded Metric Format. So the tests send the applications to
both versions, and put the metrics of the log where CloudWatch would.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from model.data.generator import generate
from operations.commands import main
from tests.deploy.clouds import IMAGE, ROOT, docker, run
from tests.deploy.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.deploy.clouds import Cloud

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

FIELDS = ["Num_Children", "Income", "Own_Car", "Own_Housing"]
FUNCTION = "ccapproval"
# As policies/canary.json, but so that a few hundred decisions are enough to promote.
LENIENT = {
    "error_rate": 0.05,
    "failures": {"rolled_back_beyond": 0.005, "promoted_within": 0.9},
    "slow": {"rolled_back_beyond": 0.02},
    "approvals": {"rolled_back_beyond": 0.005, "promoted_within": 0.15},
    "reasons": {"rolled_back_beyond": 0.05},
    "longest_days": 14,
}


@pytest.fixture(autouse=True)
def as_user(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process ask the cloud as the AWS CLI does."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, cloud.environment[name])


@pytest.fixture(scope="module")
def monitor(cloud: Cloud) -> Iterator[None]:
    """The monitor's stack, whose function looks at canaries every minute."""
    name = "deploy-test-ccapproval:monitor"
    environment = cloud.environment | {"MONITOR_IMAGE": name}
    run(ROOT / "scripts/provision_monitor.sh", "CanarySchedule=rate(1 minute)", environment=environment)
    yield
    cloud.aws_quietly("cloudformation", "delete-stack", "--stack-name", "ccapproval-monitor")
    docker("rmi", "--force", name)


@pytest.fixture(scope="module")
def faulty(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Release a version with a fault as a canary of a tenth."""
    built = []

    def release(fault: str) -> str:
        name = f"deploy-test-ccapproval:{fault}"
        context = tmp_path_factory.mktemp(fault)
        (context / "faulty.py").write_bytes((ROOT / "tests/deploy/faulty.py").read_bytes())
        lines = (f"FROM {IMAGE}", f"ENV FAULT={fault}", "COPY faulty.py /var/task/", 'CMD ["faulty.handler"]')
        (context / "Dockerfile").write_text("\n".join(lines) + "\n", encoding="utf-8")
        docker("build", "--tag", name, str(context))
        built.append(name)
        released = cloud.deploy("--canary", "10", "--abort-canary", environment={"IMAGE": name})
        assert released["status"] == "canary"
        return released["version"]

    yield release
    docker("rmi", "--force", *built)


def serve(canary: str, batches: int, each: int) -> list[dict[str, Any]]:
    """Send applications in as many batches to both versions, which shows a difference soonest; what was sent."""
    client = boto3.client("lambda")
    stable = client.get_alias(FunctionName=FUNCTION, Name="live")["FunctionVersion"]
    # One version after the other: MiniStack starts a container whenever it turns to another.
    versions = [canary] * batches + [stable] * batches
    rows = generate(len(versions) * each, 5)[FIELDS].astype(int).to_numpy().tolist()
    sent = [dict(zip(FIELDS, row, strict=True)) for row in rows]
    for place, version in enumerate(versions):
        payload = json.dumps(sent[place * each : (place + 1) * each]).encode()
        client.invoke(FunctionName=FUNCTION, Qualifier=version, Payload=payload)
    return sent


def printed() -> list[str]:
    """The lines of the function's log."""
    pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{FUNCTION}")
    return [line for page in pages for event in page["events"] for line in event["message"].splitlines()]


def judged(directory: Path, canary: str, *words: str) -> int:
    """The exit code of one look at the log since the canary's first line."""
    (directory / "rules.json").write_text(json.dumps(LENIENT))
    lines = printed()
    first = next(place for place, line in enumerate(lines) if f'"function_version":"{canary}"' in line)
    (directory / "service.log").write_text("\n".join(lines[first:]) + "\n", encoding="utf-8")
    history = ["--history", str(directory / "history.jsonl"), "--rules", str(directory / "rules.json")]
    return main(["canary", "--function", FUNCTION, "--log", str(directory / "service.log"), *history, *words])


def sharing() -> tuple[str, dict[str, float]]:
    found = boto3.client("lambda").get_alias(FunctionName=FUNCTION, Name="live")
    return found["FunctionVersion"], dict(found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))


def test_a_good_canary_is_promoted_and_no_log_holds_a_value(
    cloud: Cloud, faulty: Callable[[str], str], tmp_path: Path
) -> None:
    canary = faulty("none")
    sent = serve(canary, 8, 100)

    assert judged(tmp_path, canary) == 0

    assert sharing() == (canary, {})
    written = (tmp_path / "service.log").read_text() + (tmp_path / "history.jsonl").read_text()
    assert not {str(one["Income"]) for one in sent} & set(re.findall(r"\b\d{5,6}\b", written))
    # and the way back is there
    assert cloud.aws("lambda", "get-alias", "--function-name", FUNCTION, "--name", "live")["Description"]


@pytest.mark.parametrize(
    ("fault", "batches", "each", "why"),
    [
        ("slow", 8, 20, "slow"),
        ("approves", 4, 100, "approvals"),
        ("reasons", 4, 50, "reasons"),
    ],
)
def test_a_bad_canary_is_rolled_back(
    fault: str,
    batches: int,
    each: int,
    why: str,
    faulty: Callable[[str], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stable, _ = sharing()
    canary = faulty(fault)
    assert sharing() == (stable, {canary: 0.1})
    serve(canary, batches, each)

    assert judged(tmp_path, canary) == 11

    assert sharing() == (stable, {})
    assert f"rolled back ({why}" in capsys.readouterr().err


def test_the_monitor_takes_a_failing_canary_back_by_its_schedule(
    cloud: Cloud, monitor: None, faulty: Callable[[str], str]
) -> None:
    stable, _ = sharing()
    canary = faulty("fails")
    gateway = docker(
        "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", f"ccapproval-cloud-{cloud.port}"
    ).strip()
    serve(canary, 10, 1)
    # The containers' network leads nowhere; what they take for this machine is this relay.
    relay = FaultProxy(cloud.environment["AWS_ENDPOINT_URL"], gateway, cloud.port)
    try:
        until = time.monotonic() + 180
        while sharing()[1] and time.monotonic() < until:
            time.sleep(2)
        assert sharing() == (stable, {})
    finally:
        relay.close()


def test_every_alarm_fires_through_its_metric_and_reaches_its_subscriber(cloud: Cloud, monitor: None) -> None:
    metrics, queue = boto3.client("cloudwatch"), boto3.client("sqs")
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="ccapproval-monitor")["Stacks"]
    topic = next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "TopicArn")
    url = queue.create_queue(QueueName="told")["QueueUrl"]
    arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarms = metrics.describe_alarms()["MetricAlarms"]
    assert len(alarms) == 13

    for alarm in alarms:
        low = alarm["ComparisonOperator"].startswith("LessThan")
        value = 0.0 if low else alarm["Threshold"] + 1
        datum: Any = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value}
        for _ in range(2):
            metrics.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])

    told: set[str] = set()
    wanted = {alarm["AlarmName"] for alarm in alarms}
    until = time.monotonic() + 120
    while told != wanted and time.monotonic() < until:
        for message in queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get(
            "Messages", []
        ):
            notice = json.loads(json.loads(message["Body"])["Message"])
            if notice["NewStateValue"] == "ALARM":
                told.add(notice["AlarmName"])
            queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert told == wanted


def test_a_failure_in_the_services_own_log_raises_its_alarm(cloud: Cloud, monitor: None) -> None:
    # The bridge: each line of metrics becomes metrics, as CloudWatch reads the format.
    metrics = boto3.client("cloudwatch")
    lines = [json.loads(line) for line in printed() if '"_aws"' in line]
    failing = [line for line in lines if line["Failures"]]
    assert failing
    for line in (*lines[:5], *failing[:5]):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions: Any = [{"Name": name, "Value": line[name]} for name in names]
                data: Any = [
                    {
                        "MetricName": one["Name"],
                        "Unit": one["Unit"],
                        "Value": line[one["Name"]],
                        "Dimensions": dimensions,
                    }
                    for one in directive["Metrics"]
                ]
                metrics.put_metric_data(Namespace=directive["Namespace"], MetricData=data)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        (alarm,) = metrics.describe_alarms(AlarmNames=["ccapproval-failures"])["MetricAlarms"]
        if alarm["StateValue"] == "ALARM":
            return
        time.sleep(1)
    pytest.fail("the alarm did not fire")


def test_the_dashboard_has_both_rows(cloud: Cloud, monitor: None) -> None:
    body = json.loads(boto3.client("cloudwatch").get_dashboard(DashboardName=FUNCTION)["DashboardBody"])
    rows = [widget["properties"]["markdown"] for widget in body["widgets"] if widget["type"] == "text"]
    assert rows == ["## Business: ccapproval", "## Infrastructure"]
    named = {
        metric[1] for widget in body["widgets"] for metric in widget["properties"].get("metrics", []) if len(metric) > 1
    }
    assert {"Decisions", "Latency", "DriftedFields", "CanaryRolledBack", "Throttles"} <= named


def test_provisioning_the_monitor_again_changes_nothing(cloud: Cloud, monitor: None) -> None:
    before = sharing()
    environment = cloud.environment | {"MONITOR_IMAGE": "deploy-test-ccapproval:monitor"}
    subprocess.run(
        [ROOT / "scripts/provision_monitor.sh", "CanarySchedule=rate(1 minute)"], env=environment, cwd=ROOT, check=True
    )
    assert sharing() == before
