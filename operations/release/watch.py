"""One look at a canary: count, judge, move the alias, and write it down."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from operations import aws
from operations.monitor import insights, logfile
from operations.monitor.tally import Slice
from operations.release import alias, canary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from operations.monitor.tally import Tallies
    from operations.release.alias import Sharing
    from operations.release.canary import Rules, Verdict


def find(function: str, name: str) -> Sharing | None:
    """The sharing of an alias; None if no canary is running.

    Raises
    ------
    CloudRefused, UnreadableInput
    """
    with aws.client("lambda") as client:
        return alias.find(client, function, name)


def count(sharing: Sharing, group: str | None) -> Tallies:
    """Count the log of both versions in CloudWatch since the canary was published; and what Lambda counts as errors.

    Raises
    ------
    CloudRefused, UnreadableInput
    """
    now = datetime.now(UTC)
    with aws.client("logs") as client:
        tallies = insights.read(client, group or f"/aws/lambda/{sharing.function}", sharing.since, now, fields=0)
    with aws.client("cloudwatch") as client:
        for version in (sharing.stable, sharing.canary):
            errors = alias.platform_errors(client, sharing, version, now)
            add_errors(tallies, version, errors)
    return tallies


def add_errors(tallies: Tallies, version: str, errors: int) -> None:
    """Count invocations that never came to write their metrics as failed ones."""
    if errors:
        tally = tallies[Slice("", "", version)]
        tally.invocations += errors
        tally.failed += errors


def look(sharing: Sharing, logs: Sequence[Path] | None, group: str | None, rules: Rules) -> Verdict:
    """Judge a canary by its log.

    Parameters
    ----------
    sharing : Sharing
    logs : sequence of Path, optional
        Files; without them CloudWatch counts.
    group : str, optional
        The log group's name, if it is not Lambda's own.
    rules : Rules

    Raises
    ------
    CloudRefused, UnreadableInput
    """
    tallies = logfile.read(logs) if logs else count(sharing, group)
    stable, own = (tallies.of(function_version=version) for version in (sharing.stable, sharing.canary))
    verdict = canary.judge(stable, own, rules)
    if verdict.action == "wait" and datetime.now(UTC) - sharing.since > timedelta(days=rules.longest_days):
        return canary.Verdict("wait", f"not decided after {rules.longest_days:g} days: a person must", verdict.judged)
    return verdict


def act(sharing: Sharing, verdict: Verdict) -> None:
    """Move the alias as the verdict says.

    Raises
    ------
    CloudRefused
        Among others, because somebody else has moved the alias meanwhile.
    """
    with aws.client("lambda") as client:
        if verdict.action == "promote":
            alias.promote(client, sharing)
        elif verdict.action == "roll back":
            alias.end(client, sharing)


def history(sharing: Sharing, verdict: Verdict) -> dict[str, Any]:
    """One line of the history."""
    return {
        "event": "canary",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "function": sharing.function,
        "alias": sharing.alias,
        "stable": sharing.stable,
        "canary": sharing.canary,
        "weight": sharing.weight,
        **canary.as_data(verdict),
    }


def remember(path: Path, line: dict[str, Any]) -> None:
    """Append a line to the history."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
