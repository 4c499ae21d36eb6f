"""Two hundred thousand requests of every kind leave no more memory behind than a few do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

REQUESTS = 200_000
# Runs in a process of its own: pytest's memory says nothing.
SOAK = """
import json, os, sys
from lambda_app.handler import handler
valid = {"Num_Children": 3, "Income": 52_000, "Own_Car": 0, "Own_Housing": 0}
def http(path, method="POST", body=None):
    return {"rawPath": path, "requestContext": {"http": {"method": method}}, "headers": {}, "body": body}
events = [valid, {**valid, "Income": 500_000}, {**valid, "application_id": "a"}, {}, [valid, {}], 3, "x",
          http("/predict", body=json.dumps(valid)), http("/predict", body="{"), http("/nowhere"),
          http("/health", "GET"), http("/changes", body=json.dumps(valid)), http("/", "GET"),
          http("/predict", "PUT"), {"Items": [valid]}]
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def run(count):
    for number in range(count):
        handler(events[number % len(events)], None)
run(int(sys.argv[1]) // 10)
before = resident()
run(int(sys.argv[1]))
sys.stderr.write(json.dumps([before, resident()]))
"""


def test_memory_does_not_grow(by_hand: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SOAK, str(REQUESTS)],
        cwd=ROOT,
        env={**os.environ, "MODEL_DIR": str(by_hand)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stderr)
    assert after - before < 1_000_000
