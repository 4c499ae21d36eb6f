"""Answers the queries of `operations.monitor.insights` from lines of a log, as CloudWatch Logs Insights would.

It knows only the forms that are used, and fails on any other: filter with `and`, `not`, `in`, comparisons and
ispresent; fields with aliases; stats count(*).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from math import floor, log
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

FORM = re.compile(
    r"filter (?P<filter>[^|]+?)(?: \| fields (?P<fields>[^|]+?))? \| stats count\(\*\) as n by (?P<by>[\w, ]+)"
)
BUCKET = "floor(log(greatest(Latency, 0.001)) / 0.6931471805599453)"


class InsightsStandIn:
    """A client for CloudWatch Logs, as far as queries go.

    Parameters
    ----------
    lines : iterable of str
        The log.
    endings : list of str
        The statuses that a query has before it is complete.
    """

    def __init__(self, lines: Iterable[str], endings: Iterable[str] = ("Running",)) -> None:
        self._records = [_flat(json.loads(line)) for line in lines]
        self._endings = list(endings)
        self._left: list[str] = []
        self._query = ""
        self.asked: list[str] = []

    def start_query(self, *, queryString: str, **window: Any) -> dict[str, str]:  # noqa: N803  # as boto3 names it
        """Take a query."""
        assert window["startTime"] < window["endTime"]
        self._query = queryString
        self._left = list(self._endings)
        self.asked.append(queryString)
        return {"queryId": "q"}

    def get_query_results(self, **_: Any) -> dict[str, Any]:
        """Its status, and at last its rows."""
        if self._left:
            return {"status": self._left.pop(0), "results": []}
        return {"status": "Complete", "results": self._answer()}

    def _answer(self) -> list[list[dict[str, str]]]:
        form = FORM.fullmatch(self._query)
        assert form, self._query
        named = (one.rsplit(" as ", 1) for one in re.split(r", (?=[^()]*(?:\(|$))", form["fields"] or "") if one)
        columns = {name: expression for expression, name in named}
        by = [name.strip() for name in form["by"].split(",")]
        counts = Counter(
            tuple(_value(record, columns.get(name, name)) for name in by)
            for record in self._records
            if all(_holds(record, part) for part in re.split(r" and ", form["filter"]))
        )
        return [
            [{"field": name, "value": text} for name, text in zip(by, values, strict=True) if text is not None]
            + [{"field": "n", "value": str(number)}]
            for values, number in counts.items()
        ]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with dots in its names, as Insights sees it."""
    flat: dict[str, Any] = {"@timestamp": record.get("time") or record["_aws"]["Timestamp"]}
    for name, value in record.items():
        inner = (
            enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else [("", value)]
        )
        for key, one in inner:
            flat[f"{name}.{key}" if key != "" else name] = one
    return flat


def _holds(record: dict[str, Any], condition: str) -> bool:
    if condition.startswith("not "):
        return not _holds(record, condition[4:])
    if present := re.fullmatch(r"ispresent\(([\w.]+)\)", condition):
        return present[1] in record
    if among := re.fullmatch(r"(\w+) in (\[.*\])", condition):
        return record.get(among[1]) in json.loads(among[2])
    compared = re.fullmatch(r'(\w+) (=|!=) ("\w+"|\d+)', condition)
    assert compared, condition
    same: bool = record.get(compared[1]) == json.loads(compared[3])
    return same == (compared[2] == "=")


def _value(record: dict[str, Any], expression: str) -> str | None:
    if expression == "datefloor(@timestamp, 1d)":
        return f"{datetime.fromtimestamp(record['@timestamp'] / 1000, UTC):%Y-%m-%d} 00:00:00.000"
    if expression == BUCKET:
        return str(float(floor(log(max(record["Latency"], 0.001)) / 0.6931471805599453)))
    assert re.fullmatch(r"[\w.]+", expression), expression
    return None if expression not in record else str(record[expression])
