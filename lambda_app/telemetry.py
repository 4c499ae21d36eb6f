"""Writes the log to standard output: one JSON line per record, and one of metrics per invocation.

The metrics are in CloudWatch's Embedded Metric Format, which CloudWatch Logs turns into metrics by itself:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import sys
import time

from lambda_app.freshness import SECONDS_A_DAY, Age
from lambda_app.web.messages import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_app.manifest import Manifest
    from lambda_app.web.records import Record

# The shape of every line. A reader that meets a newer one must not guess.
SCHEMA = 1
NAMESPACE = "CreditDecision"
# One set of dimensions to alarm on, which outlives every release, and one to compare versions by.
DIMENSIONS = [["FunctionName"], ["FunctionName", "ModelVersion", "FunctionVersion"]]
# Each metric's name, its unit, and how it is written.
METRICS = (
    ("Decisions", "Count", "%d"),
    ("Approvals", "Count", "%d"),
    ("Refusals", "Count", "%d"),
    ("Failures", "Count", "%d"),
    ("ColdStarts", "Count", "%d"),
    ("Latency", "Milliseconds", "%.3f"),
)
# Left out if the manifest does not say when the model was trained: days, and 0, 1 or 2 for ok, stale and expired.
AGE_METRICS = (("ModelAge", "None", "%.3f"), ("Staleness", "None", "%d"))


class Log:
    """The function's log.

    What is the same in every line is written once, since encoding it anew would be most of the log's cost.

    Parameters
    ----------
    manifest : dict
        Of the model that decides.
    environ : mapping of str to str
        `AWS_LAMBDA_FUNCTION_NAME` and `AWS_LAMBDA_FUNCTION_VERSION`, which Lambda sets.
    """

    __slots__ = ("_age", "_arn", "_cold", "_ending", "_metrics", "_model", "_version")

    def __init__(self, manifest: Manifest, environ: Mapping[str, str]) -> None:
        self._version = environ.get("AWS_LAMBDA_FUNCTION_VERSION") or "$LATEST"
        self._model = manifest["model_version"]
        self._age = Age(manifest)
        self._cold = 1
        self._arn: str | None = None
        self._ending = ""
        metrics = METRICS if self._age.trained is None else (*METRICS, *AGE_METRICS)
        defined = [{"Name": name, "Unit": unit} for name, unit, _ in metrics]
        directive = {"Namespace": NAMESPACE, "Dimensions": DIMENSIONS, "Metrics": defined}
        fixed = to_json(
            {
                "_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]},
                "event": "metrics",
                "schema": SCHEMA,
                "FunctionName": environ.get("AWS_LAMBDA_FUNCTION_NAME") or "local",
                "ModelVersion": self._model,
                "FunctionVersion": self._version,
            }
        )
        fixed = fixed.replace("%", "%%").replace('"Timestamp":0', '"Timestamp":%d', 1)
        numbers = ",".join(f"{to_json(name)}:{form}" for name, _, form in metrics)
        self._metrics = f"{fixed[:-1]},{numbers}}}\n"

    def write(self, records: Sequence[Record], context: object, started: float) -> None:
        """Write an invocation's records and, if a customer asked, its metrics.

        Parameters
        ----------
        records : sequence of dict
            They never hold an applicant's values (`lambda_app.web.records`).
        context : object
            Lambda's; its `invoked_function_arn` names the alias.
        started : float
            When the invocation began, by `time.perf_counter`.
        """
        cold, self._cold = self._cold, 0
        if not records:
            return
        arn = getattr(context, "invoked_function_arn", None)
        if arn != self._arn or not self._ending:
            self._arn = arn
            place = {
                "schema": SCHEMA,
                "model_version": self._model,
                "function_version": self._version,
                "alias": _alias(arn),
            }
            self._ending = f",{to_json(place)[1:]}\n"
        now = time.time()
        ending = f',"time":{int(now * 1000)}{self._ending}'
        decisions = approvals = refusals = failures = 0
        lines = []
        for record in records:
            lines.append(to_json(record)[:-1] + ending)
            if record["event"] == "decision":
                if "check" not in record:
                    decisions += 1
                    approvals += record["prediction"]
            elif record["event"] == "refusal":
                refusals += 1
            else:
                failures += 1
        if decisions or refusals or failures:
            milliseconds = (time.perf_counter() - started) * 1000
            model = self._age
            ages: tuple[float, ...] = ()
            if model.trained is not None:
                ages = ((now - model.trained) / SECONDS_A_DAY, (now >= model.warns) + (now >= model.expires))
            lines.append(
                self._metrics % (now * 1000, decisions, approvals, refusals, failures, cold, milliseconds, *ages)
            )
        sys.stdout.write("".join(lines))


def _alias(arn: object) -> str | None:
    """The alias that was invoked; None if it was a version or nothing in particular."""
    parts = str(arn).split(":")
    return parts[7] if len(parts) == 8 and not parts[7].isdecimal() and parts[7] != "$LATEST" else None
