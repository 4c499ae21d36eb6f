"""The monitor's Lambda function. EventBridge Scheduler starts it; infra/monitor.yaml has its schedules and its role.

It looks at the canary, if one is running, and promotes it or takes it back; or it looks at drift and the challenger.
What it finds is in its log, one line a look, and in metrics beside those of the service.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_app.telemetry import NAMESPACE
from operations import aws
from operations.live import ask_manifest
from operations.moments import read_moment
from operations.monitor import challenger, drift, drift_report, insights
from operations.release import watch
from operations.release.canary import Rules

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = Path(__file__).parents[1] / "policies" / "canary.json"
# As far back as evidence of drift is followed.
DAYS = 365


@dataclass(frozen=True)
class Watched:
    """What is watched: `FUNCTION_NAME`, `ALIAS` (live) and `LOG_GROUP` (Lambda's own) of the environment."""

    function: str
    alias: str
    group: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Watched:
        """Read it from a mapping such as `os.environ`."""
        function = environ["FUNCTION_NAME"]
        return cls(function, environ.get("ALIAS") or "live", environ.get("LOG_GROUP") or f"/aws/lambda/{function}")


def handler(event: object, _context: object) -> dict[str, Any]:
    """Look once.

    Parameters
    ----------
    event : object
        `{"look": "canary"}` or `{"look": "drift"}`.

    Returns
    -------
    dict
        What was found, as logged.

    Raises
    ------
    ValueError
        The event names no such look.
    OperationsError
        A look failed. Lambda counts it as an error, which has an alarm.
    """
    look = LOOKS.get(event.get("look", "") if isinstance(event, dict) else "")
    if look is None:
        raise ValueError(f"the event must be one of {', '.join(json.dumps({'look': name}) for name in LOOKS)}")
    watched = Watched.read(os.environ)
    found, metrics = look(watched)
    _write(found)
    _write(_embedded(watched.function, {"Looks": 1.0, **metrics}))
    return found


def _look_at_canary(watched: Watched) -> tuple[dict[str, Any], dict[str, float]]:
    sharing = watch.find(watched.function, watched.alias)
    if sharing is None:
        return {"event": "canary", "action": "none"}, {}
    rules = Rules.read(RULES)
    verdict = watch.look(sharing, None, watched.group, rules)
    watch.act(sharing, verdict)
    undecided = verdict.action == "wait" and datetime.now(UTC) - sharing.since > timedelta(days=rules.longest_days)
    return watch.history(sharing, verdict), {
        "CanaryPromoted": float(verdict.action == "promote"),
        "CanaryRolledBack": float(verdict.action == "roll back"),
        "CanaryUndecided": float(undecided),
    }


def _look_at_drift(watched: Watched) -> tuple[dict[str, Any], dict[str, float]]:
    until = datetime.now(UTC)
    with aws.client("lambda") as client:
        manifest = ask_manifest(client, watched.function, watched.alias)
    since = max(read_moment(manifest.get("trained_at")) or until, until - timedelta(days=DAYS))
    with aws.client("logs") as client:
        tallies = insights.read(client, watched.group, since, until, len(manifest["bins"]["fields"]))
    found = drift.watch(manifest, tallies)
    compared = [one for one in challenger.compare(tallies) if one.champion == found.model_version]
    metrics = {"DriftedFields": float(len(found.drifted))}
    approvals = next(one for one in found.found if (one.watched.kind, one.watched.name) == ("decision", "approvals"))
    if not found.too_few:
        metrics["ApprovalShift"] = 100 * abs(approvals.seen[0] - approvals.expected[0])
    if compared:
        metrics["ChallengerShift"] = 100 * abs(compared[0].shift)
    told = {key: value for key, value in drift_report.as_data(found).items() if key != "watched"}
    challengers = [{"model_version": one.challenger, "verdict": one.verdict, "pairs": one.pairs} for one in compared]
    names = [one.watched.name for one in found.drifted]
    return {"event": "drift", "drifted": names, "challengers": challengers, **told}, metrics


LOOKS = {"canary": _look_at_canary, "drift": _look_at_drift}


def _embedded(function: str, metrics: Mapping[str, float]) -> dict[str, Any]:
    """A line in CloudWatch's Embedded Metric Format."""
    defined = [{"Name": name, "Unit": "None"} for name in metrics]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": defined}
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "event": "looks",
        "FunctionName": function,
        **metrics,
    }


def _write(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
