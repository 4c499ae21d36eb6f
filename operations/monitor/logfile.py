"""Counts the lines of a decision log in files."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from math import floor, log2
from typing import TYPE_CHECKING, Any

from operations.errors import UnreadableInput
from operations.monitor.tally import Pair, Slice, Tallies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from operations.monitor.tally import Tally

    Record = dict[str, Any]

# The newest shape of a line that this code can read; `lambda_app.telemetry` writes it.
SCHEMA = 1


def read(paths: Sequence[Path]) -> Tallies:
    """Count the log in some files.

    Lambda's own lines, and whatever stands before a line's JSON (a time, a stream), are passed over.

    Raises
    ------
    UnreadableInput
        A file cannot be read, or a line is of a newer schema, or lacks what its kind has.
    """
    return count(_lines(paths))


def count(lines: Iterable[tuple[str, str]]) -> Tallies:
    """Count some lines, each with where it stands.

    Raises
    ------
    UnreadableInput
    """
    tallies = Tallies()
    for source, record in _records(lines):
        with complete(source, record):
            COUNTED[record["event"]](record, tallies[_slice(record)])
    return tallies


def records(paths: Sequence[Path]) -> Iterator[tuple[str, Record]]:
    """Every record of the log in some files, with where it stands.

    Raises
    ------
    UnreadableInput
    """
    return _records(_lines(paths))


def _lines(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    yield f"{path}, line {number}", line
        except OSError as err:
            raise UnreadableInput(str(path), str(err.strerror)) from err


def _records(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Record]]:
    for source, line in lines:
        record = _record(line)
        if record is None:
            continue
        if record.get("schema") != SCHEMA:
            raise UnreadableInput(source, f"is of schema {record.get('schema')!r}, this reads {SCHEMA}")
        yield source, record


def _record(line: str) -> Record | None:
    start = line.find("{")
    if start < 0 or '"event"' not in line:
        return None
    try:
        record = json.loads(line[start:])
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("event") in COUNTED else None


@contextmanager
def complete(source: str, record: Record) -> Iterator[None]:
    """Turn what a record lacks, or holds in vain, into UnreadableInput."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, OSError) as err:
        raise UnreadableInput(source, f"is no complete {record['event']} ({type(err).__name__})") from err


def _slice(record: Record) -> Slice:
    if record["event"] == "metrics":
        milliseconds = record["_aws"]["Timestamp"]
        return Slice(day_of(milliseconds), str(record["ModelVersion"]), str(record["FunctionVersion"]))
    return Slice(day_of(record["time"]), str(record["model_version"]), str(record["function_version"]))


def day_of(milliseconds: float) -> str:
    """The day of a line's time, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def _decision(record: Record, tally: Tally) -> None:
    if record.get("check"):
        return
    prediction, score_bin = int(record["prediction"]), int(record["score_bin"])
    bins = [int(number) for number in record["bins"]]
    first_reason = None if prediction else str((record["reasons"] or ["none"])[0])
    tally.decisions += 1
    tally.approvals += prediction
    tally.score[score_bin] += 1
    for place, number in enumerate(bins):
        tally.fields[place][number] += 1
    if first_reason is not None:
        tally.reasons[first_reason] += 1
    challenger = record.get("challenger")
    if challenger is None:
        return
    version = str(challenger["model_version"])
    if "error" in challenger:
        tally.challenger_errors[version, str(challenger["error"])] += 1
    else:
        tally.pairs[Pair(version, score_bin, prediction, int(challenger["prediction"]))] += 1


def _refusal(_record: Record, tally: Tally) -> None:
    tally.refusals += 1


def _failure(_record: Record, tally: Tally) -> None:
    tally.failures += 1


def _metrics(record: Record, tally: Tally) -> None:
    latency = bucket(float(record["Latency"]))
    tally.failed += record["Failures"] > 0
    tally.invocations += 1
    tally.latency[latency] += 1


def bucket(milliseconds: float) -> int:
    """The whole part of the base-2 logarithm, down to a thousandth of a millisecond.

    >>> bucket(1.5), bucket(4), bucket(0)
    (0, 2, -10)
    """
    return floor(log2(max(milliseconds, 0.001)))


COUNTED = {"decision": _decision, "refusal": _refusal, "error": _failure, "metrics": _metrics}
