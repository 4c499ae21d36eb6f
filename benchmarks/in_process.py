"""How long the handler takes by itself: one direct invocation, from the event to the envelope, log lines included.

    python -m benchmarks.in_process RESULT_FILE

The log lines go to standard output, unbuffered as under Lambda's runtime client.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from benchmarks.samples import SAMPLES

CALLS = 20_000
WARM_UP = 2_000
# The denied application, with a log of decisions alone.
WITHOUT_METRICS = "deny, without metrics"


def microseconds(artifacts: Path, result: Path, path: str) -> dict[str, dict[str, float]]:
    """Measure in a fresh interpreter whose standard output is a pipe, as in Lambda.

    Returns
    -------
    dict
        For each of `SAMPLES`, and for `WITHOUT_METRICS`: its `p50` and `p99` in microseconds.
    """
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "MODEL_DIR": str(artifacts)}
    command = [sys.executable, "-S", "-m", "benchmarks.in_process", str(result)]
    subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
    measured: dict[str, dict[str, float]] = json.loads(result.read_text(encoding="utf-8"))
    return measured


def main(result: Path) -> None:
    """Measure in this process."""
    from awslambdaric.bootstrap import Unbuffered

    from lambda_app import handler as service
    from lambda_app.web.messages import to_json

    sys.stdout = Unbuffered(sys.stdout)
    context = SimpleNamespace(aws_request_id="7f8a2c1e-52c4-4f3e-9c3d-0d6f3b1a9e55")
    measured = {name: _percentiles(service.handler, sample, context) for name, sample in SAMPLES.items()}
    lines_alone = SimpleNamespace(
        write=lambda records, *_: sys.stdout.write("".join(f"{to_json(one)}\n" for one in records))
    )
    with mock.patch.object(service, "_log", lines_alone):
        measured[WITHOUT_METRICS] = _percentiles(service.handler, SAMPLES["deny"], context)
    result.write_text(json.dumps(measured), encoding="utf-8")


def _percentiles(handler: Any, event: object, context: object) -> dict[str, float]:
    for _ in range(WARM_UP):
        handler(event, context)
    taken = []
    for _ in range(CALLS):
        started = time.perf_counter_ns()
        handler(event, context)
        taken.append(time.perf_counter_ns() - started)
    taken.sort()
    return {"p50": taken[CALLS // 2] / 1e3, "p99": taken[CALLS * 99 // 100] / 1e3}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
