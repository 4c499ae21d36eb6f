"""The monitor's function: what it looks at, what it moves, and the metrics that alarms stand on."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from operations import aws, handler
from operations.monitor import insights
from tests.operations.monitor.insights_stand_in import InsightsStandIn
from tests.operations.monitor.logs import applications, decide
from tests.serving import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from model.run import TrainingRun


class Cloud:
    """Answers as Lambda, CloudWatch and its log would."""

    def __init__(self, service: Service, log: Path, weights: dict[str, float]) -> None:
        self.weights = weights
        self.moved: list[dict[str, Any]] = []
        self._service = service
        self._log = log
        self.queries = InsightsStandIn(log.read_text(encoding="utf-8").splitlines(), [])

    def get_alias(self, **_: str) -> dict[str, Any]:
        return {
            "FunctionVersion": "1",
            "RevisionId": "r",
            "RoutingConfig": {"AdditionalVersionWeights": self.weights},
        }

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return {"LastModified": datetime(2026, 1, 1, tzinfo=UTC).isoformat()}

    def update_alias(self, **words: Any) -> None:
        self.moved.append(words)

    def invoke(self, *, Payload: bytes, **_: str) -> dict[str, Any]:  # noqa: N803  # as boto3 names it
        answer = json.dumps(self._service(json.loads(Payload)).envelope).encode()

        class Body:
            @staticmethod
            def read() -> bytes:
                return answer

        return {"Payload": Body}

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        return {"Datapoints": []}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.queries, name)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, small: TrainingRun, tmp_path: Path) -> Any:
    """A cloud whose function has this log and these weights."""

    def start(log: Path, weights: dict[str, float] | None = None) -> Cloud:
        cloud = Cloud(Service(small.directory), log, weights or {})

        @contextmanager
        def client(_name: str) -> Iterator[Any]:
            yield cloud

        monkeypatch.setattr(aws, "client", client)
        monkeypatch.setattr(insights, "PAUSE", 0)
        monkeypatch.setenv("FUNCTION_NAME", "ccapproval")
        return cloud

    return start


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    found, metrics = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    return found, metrics


def test_drift_is_looked_at_by_the_functions_own_manifest(
    watched: Any, small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = decide(small.directory, applications(3_000, 4), tmp_path / "service.log")
    watched(log)

    handler.handler({"look": "drift"}, None)

    found, metrics = printed(capsys)
    assert (found["verdict"], found["decisions"]) == ("quiet", 3_000)
    assert metrics["DriftedFields"] == 0
    assert metrics["ApprovalShift"] < 5
    assert metrics["FunctionName"] == "ccapproval"
    named = {one["Name"] for directive in metrics["_aws"]["CloudWatchMetrics"] for one in directive["Metrics"]}
    assert named == {"Looks", "DriftedFields", "ApprovalShift"}


def test_a_failing_canary_is_taken_back(
    watched: Any,
    small: TrainingRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = tmp_path / "service.log"
    stable = Service(small.directory, AWS_LAMBDA_FUNCTION_VERSION="1")
    canary = Service(small.directory, AWS_LAMBDA_FUNCTION_VERSION="2")
    lines = [stable(one).printed for one in applications(90, 1)]
    with monkeypatch.context() as broken:
        broken.setattr("lambda_app.decision.Decider.decide", lambda *_: 1 / 0)
        lines += [canary(one).printed for one in applications(10, 2)]
    log.write_text("".join(lines))
    cloud = watched(log, {"2": 0.1})

    handler.handler({"look": "canary"}, None)

    found, metrics = printed(capsys)
    assert found["action"] == "roll back"
    assert metrics["CanaryRolledBack"] == 1
    assert [move["FunctionVersion"] for move in cloud.moved] == ["1"]


def test_without_a_canary_nothing_is_moved(
    watched: Any, small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = watched(decide(small.directory, applications(5, 4), tmp_path / "service.log"))
    handler.handler({"look": "canary"}, None)
    found, metrics = printed(capsys)
    assert (found["action"], metrics["Looks"], cloud.moved) == ("none", 1, [])


@pytest.mark.parametrize("event", [{}, None, [], {"look": "away"}, {"look": None}])
def test_an_event_that_names_no_look_is_an_error(event: object) -> None:
    with pytest.raises(ValueError, match="the event must be one of"):
        handler.handler(event, None)


def test_the_policy_is_where_the_image_has_it() -> None:
    assert handler.RULES.is_file()
