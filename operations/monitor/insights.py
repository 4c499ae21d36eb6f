"""Counts a decision log where it is, with CloudWatch Logs Insights: only the counts leave the log group.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from operations.errors import UnreadableInput
from operations.monitor import logfile
from operations.monitor.logfile import SCHEMA
from operations.monitor.tally import Pair, Slice, Tallies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from mypy_boto3_logs import CloudWatchLogsClient

    from operations.monitor.tally import Tally

    Row = dict[str, str]

# As many rows as one query can answer with.
MOST_ROWS = 10_000
PAUSE = 1.0
PATIENCE = 300.0
SLICE = "day, model_version, function_version"
DECISIONS = f'filter event = "decision" and schema = {SCHEMA} and not ispresent(check)'


def read(client: CloudWatchLogsClient, group: str, since: datetime, until: datetime, fields: int) -> Tallies:
    """Count the log of a function.

    Parameters
    ----------
    client : boto3 CloudWatch Logs client
    group : str
        The log group's name, such as /aws/lambda/ccapproval.
    since, until : datetime
        With a time zone.
    fields : int
        How many fields the model has.

    Raises
    ------
    UnreadableInput
        A query failed, took too long, or has more rows than CloudWatch answers with.
    botocore.exceptions.ClientError
        CloudWatch refused; for example, there is no such group.
    """
    tallies = Tallies()
    newer = f"filter ispresent(schema) and ispresent(event) and schema != {SCHEMA} | stats count(*) as n by schema"
    for row in _rows(client, group, newer, since, until):
        if "n" not in row:  # the local cloud's Insights finds lines, and counts none
            return logfile.count(_lines(client, group, since, until))
        raise UnreadableInput(group, f"holds lines of schema {row['schema']}, this reads {SCHEMA}")
    for query, add in _queries(fields):
        for row in _rows(client, group, query, since, until):
            add(row, int(float(row["n"])), tallies[_slice(row)])
    return tallies


def _lines(client: CloudWatchLogsClient, group: str, since: datetime, until: datetime) -> Iterator[tuple[str, str]]:
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=int(since.timestamp() * 1000), endTime=int(until.timestamp() * 1000) + 1000
    )
    for page in pages:
        for event in page["events"]:
            for line in event["message"].splitlines():
                yield group, line


def _queries(fields: int) -> Iterator[tuple[str, Callable[[Row, int, Tally], None]]]:
    """Every query, and what becomes of its rows."""
    yield _counted(DECISIONS, {"reason": "reasons.0"}, "prediction, reason, score_bin"), _decisions
    for place in range(fields):
        yield _counted(DECISIONS, {"number": f"bins.{place}"}, "number"), _field(place)
    version = {"challenger": "challenger.model_version"}
    yield (
        _counted(
            f"{DECISIONS} and ispresent(challenger.prediction)",
            {**version, "other": "challenger.prediction"},
            "prediction, score_bin, challenger, other",
        ),
        _pairs,
    )
    yield (
        _counted(
            f"{DECISIONS} and ispresent(challenger.error)",
            {**version, "error": "challenger.error"},
            "challenger, error",
        ),
        _challenger_errors,
    )
    yield _counted(f'filter event in ["refusal", "error"] and schema = {SCHEMA}', {}, "event"), _others
    named = {
        "model_version": "ModelVersion",
        "function_version": "FunctionVersion",
        # As in `operations.monitor.logfile.bucket`.
        "bucket": "floor(log(greatest(Latency, 0.001)) / 0.6931471805599453)",
    }
    yield _counted(f'filter event = "metrics" and schema = {SCHEMA}', named, "Failures, bucket"), _metrics


def _counted(matching: str, named: dict[str, str], by: str) -> str:
    """A query that counts matching lines by day, versions and some more."""
    columns = {"day": "datefloor(@timestamp, 1d)", **named}
    fields = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    return f"{matching} | fields {fields} | stats count(*) as n by {SLICE}, {by}"


def _decisions(row: Row, number: int, tally: Tally) -> None:
    tally.decisions += number
    tally.score[_whole(row["score_bin"])] += number
    if _whole(row["prediction"]):
        tally.approvals += number
    else:
        tally.reasons[row.get("reason") or "none"] += number


def _field(place: int) -> Callable[[Row, int, Tally], None]:
    def add(row: Row, number: int, tally: Tally) -> None:
        tally.fields[place][_whole(row["number"])] += number

    return add


def _pairs(row: Row, number: int, tally: Tally) -> None:
    prediction, other = _whole(row["prediction"]), _whole(row["other"])
    tally.pairs[Pair(row["challenger"], _whole(row["score_bin"]), prediction, other)] += number


def _challenger_errors(row: Row, number: int, tally: Tally) -> None:
    tally.challenger_errors[row.get("challenger") or "None", row["error"]] += number


def _others(row: Row, number: int, tally: Tally) -> None:
    if row["event"] == "refusal":
        tally.refusals += number
    else:
        tally.failures += number


def _metrics(row: Row, number: int, tally: Tally) -> None:
    tally.invocations += number
    tally.failed += number if _whole(row["Failures"]) else 0
    tally.latency[_whole(row["bucket"])] += number


def _whole(text: str) -> int:
    """Insights writes numbers as it likes: 1, 1.0 or 1E0; and true as 1."""
    return int(float(text))


def _slice(row: Row) -> Slice:
    return Slice(row["day"][:10], row["model_version"], row["function_version"])


def _rows(client: CloudWatchLogsClient, group: str, query: str, since: datetime, until: datetime) -> list[Row]:
    started = client.start_query(
        logGroupName=group,
        startTime=min(int(since.timestamp()), int(until.timestamp()) - 1),  # a model may be seconds old
        endTime=int(until.timestamp()),
        queryString=query,
        limit=MOST_ROWS,
    )
    patience = time.monotonic() + PATIENCE
    while True:
        answer = client.get_query_results(queryId=started["queryId"])
        if answer["status"] == "Complete":
            break
        if answer["status"] not in ("Scheduled", "Running") or time.monotonic() > patience:
            raise UnreadableInput(group, f"the query ended with {answer['status']}: {query}")
        time.sleep(PAUSE)
    rows = [{cell["field"]: cell.get("value", "") for cell in row} for row in answer["results"]]
    if len(rows) >= MOST_ROWS:
        raise UnreadableInput(group, "has more kinds of lines than one query can count; look at fewer days")
    return rows
