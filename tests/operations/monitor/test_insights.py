"""CloudWatch counts what the files would: the same tallies from both."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from operations.errors import UnreadableInput
from operations.monitor import insights
from operations.monitor.logfile import read
from tests.operations.monitor.insights_stand_in import InsightsStandIn
from tests.operations.monitor.logs import applications, decide

if TYPE_CHECKING:
    from model.run import TrainingRun

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def counted(client: Any, fields: int = 4) -> Any:
    return insights.read(client, "/aws/lambda/ccapproval", NOW - timedelta(days=30), NOW, fields)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insights, "PAUSE", 0)


def test_both_sources_count_alike(small: TrainingRun, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(small.directory, tmp_path / "both"))
    shutil.copytree(small.directory, directory / "challenger")
    checks = [{**one, "application_id": "release-check"} for one in applications(10, 1)]
    log = decide(directory, [*applications(1_500, 2), {"Income": 1}, *checks], tmp_path / "service.log")
    broken = Path(shutil.copytree(small.directory, tmp_path / "broken"))
    (broken / "challenger").mkdir()
    decide(broken, applications(20, 3), log, AWS_LAMBDA_FUNCTION_VERSION="8")

    client = InsightsStandIn(log.read_text(encoding="utf-8").splitlines())

    assert counted(client) == read([log])
    assert all(len(query) <= 10_000 for query in client.asked)


def test_a_newer_schema_is_refused() -> None:
    line = json.dumps({"event": "decision", "schema": 2, "time": 1})
    with pytest.raises(UnreadableInput, match="holds lines of schema 2, this reads 1"):
        counted(InsightsStandIn([line]))


def test_a_failed_query_is_named() -> None:
    with pytest.raises(UnreadableInput, match="the query ended with Failed: filter"):
        counted(InsightsStandIn([], ["Scheduled", "Running", "Failed"]))


def test_more_rows_than_an_answer_holds_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(insights, "MOST_ROWS", 1)
    line = json.dumps({"event": "refusal", "schema": 1, "time": 1, "model_version": "m", "function_version": "1"})
    with pytest.raises(UnreadableInput, match="look at fewer days"):
        counted(InsightsStandIn([line]))


class OnlyLines:
    """The local cloud's CloudWatch Logs: whatever is asked, it answers with lines."""

    def __init__(self, messages: list[str]) -> None:
        self._messages = messages

    def start_query(self, **_: Any) -> dict[str, str]:
        return {"queryId": "q"}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        rows = [[{"field": "@message", "value": message}] for message in self._messages]
        return {"status": "Complete", "results": rows}

    def get_paginator(self, _name: str) -> OnlyLines:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"events": [{"message": message}]} for message in self._messages]


def test_a_cloud_that_counts_nothing_is_counted_here(small: TrainingRun, tmp_path: Path) -> None:
    log = decide(small.directory, applications(50, 2), tmp_path / "service.log")
    assert counted(OnlyLines([log.read_text(encoding="utf-8"), "END RequestId: 1"])) == read([log])
