"""A log is counted as it is: checks of releases are left out, and what cannot be understood is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from operations.errors import UnreadableInput
from operations.monitor.logfile import read
from operations.monitor.tally import Pair
from tests.operations.monitor.logs import applications, decide, records

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun

DECISION: dict[str, Any] = {
    "event": "decision",
    "decision_id": "r/0",
    "source": "direct",
    "prediction": 0,
    "reasons": ["INCOME"],
    "bins": [1, 2],
    "score_bin": 3,
    "time": 1_764_280_800_000,
    "schema": 1,
    "model_version": "abc",
    "function_version": "7",
    "alias": "live",
}


def written(directory: Path, *lines: object) -> Path:
    path = directory / "some.log"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def test_counts_are_those_of_the_lines(small: TrainingRun, tmp_path: Path) -> None:
    sent = [*applications(2_500, 3), {"Income": "much"}, {"Income": 1, "application_id": "release-check"}]
    checks = [{**one, "application_id": "release-check"} for one in applications(40, 4)]
    log = decide(small.directory, [*sent, *checks], tmp_path / "service.log", AWS_LAMBDA_FUNCTION_VERSION="7")

    tallies = read([log])

    (key,) = tallies
    tally = tallies[key]
    customers = [record for record in records(log) if "check" not in record]
    assert key.function_version == "7"
    assert tally.decisions == len(customers) == 2_500
    assert tally.approvals == sum(record["prediction"] for record in customers)
    assert tally.refusals == 2
    for place in range(4):
        assert tally.fields[place].total() == 2_500
        assert tally.fields[place][0] == sum(record["bins"][place] == 0 for record in customers)
    assert tally.reasons.total() == tally.denials
    assert tally.invocations == tally.latency.total() == 3


def test_lines_of_others_and_what_stands_before_are_passed_over(tmp_path: Path) -> None:
    log = written(
        tmp_path,
        "START RequestId: 1 Version: 7",
        "2026-11-27T22:00:00 " + json.dumps(DECISION),
        '{"event": "something else"}',
        '{"event": "decision", cut off',
        "[1]",
        "",
    )
    (tally,) = read([log]).values()
    assert (tally.decisions, tally.reasons) == (1, {"INCOME": 1})


def test_the_challengers_outcomes_are_pairs(tmp_path: Path) -> None:
    log = written(
        tmp_path,
        {**DECISION, "challenger": {"model_version": "new", "prediction": 1, "score_bin": 4}},
        {**DECISION, "challenger": {"model_version": "new", "error": "TooSlow"}},
    )
    (tally,) = read([log]).values()
    assert tally.pairs == {Pair("new", 3, 0, 1): 1}
    assert tally.challenger_errors == {("new", "TooSlow"): 1}


def test_days_and_versions_are_kept_apart(tmp_path: Path) -> None:
    later = {**DECISION, "time": DECISION["time"] + 86_400_000}
    tallies = read([written(tmp_path, DECISION, later, {**later, "model_version": "new", "function_version": "8"})])
    assert tallies.models == {"abc": 2, "new": 1}
    assert [day for day, _ in tallies.daily("abc")] == ["2025-11-27", "2025-11-28"]
    assert tallies.of(function_version="8").decisions == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**DECISION, "schema": 2}, "line 1: is of schema 2, this reads 1"),
        ({**DECISION, "schema": None}, "is of schema None"),
        ({key: value for key, value in DECISION.items() if key != "bins"}, "is no complete decision (KeyError)"),
        ({**DECISION, "prediction": "yes"}, "is no complete decision (ValueError)"),
        ({**DECISION, "time": "today"}, "is no complete decision (TypeError)"),
        ({**DECISION, "time": 1e30}, "is no complete decision"),
        ({**DECISION, "challenger": []}, "is no complete decision"),
        ({"event": "metrics", "schema": 1, "Latency": 1}, "is no complete metrics"),
    ],
    ids=str,
)
def test_a_line_that_is_not_complete_is_named(line: object, reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput) as caught:
        read([written(tmp_path, line)])
    assert reason in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="No such file"):
        read([tmp_path / "none.log"])
