"""Runs an image as Lambda does: only /tmp is writable, no network, no privileges, little memory."""

from __future__ import annotations

import json
import re
import subprocess
import uuid
from dataclasses import dataclass
from typing import Any

from benchmarks.lambda_process import BenchmarkError

HARDENED = (
    *("--read-only", "--tmpfs", "/tmp", "--network", "none"),  # noqa: S108  # the container's own
    *("--cap-drop", "ALL", "--user", "1000", "--memory", "128m"),
)
LIFE_SECONDS = 60
INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
# Without a network, requests can only come from inside the container. The client sends them once the emulator listens
# and its own start is over, so that neither disturbs the measurement.
CLIENT = """
import http.client, json, sys, time
events = json.load(sys.stdin)
deadline = time.monotonic() + 30
while True:
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
    try:
        connection.connect()
        break
    except ConnectionRefusedError:
        if time.monotonic() > deadline:
            sys.exit("the emulator does not listen")
        time.sleep(0.05)
time.sleep(0.3)
answers = []
for event in events:
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
    connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
    answers.append(json.load(connection.getresponse()))
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Life:
    """The answers of one container, and the cost of its start.

    Attributes
    ----------
    answers : list
        One per event.
    init_ms : float
        INIT as reported by the runtime interface emulator.
    log : str
        What the container printed.
    """

    answers: list[Any]
    init_ms: float
    log: str


def live(image: str, events: list[Any], environ: dict[str, str] | None = None) -> Life:
    """Start a hardened container, send it events one after another, and remove it.

    Parameters
    ----------
    image : str
    events : list
        At least one: the emulator starts the function for the first event.
    environ : dict, optional
        Variables for the function.

    Raises
    ------
    BenchmarkError
        The container does not start or does not answer.
    """
    name = f"images-hardened-{uuid.uuid4().hex[:12]}"
    variables = [f"--env={key}={value}" for key, value in (environ or {}).items()]
    _docker("run", "--detach", "--name", name, *HARDENED, *variables, image)
    try:
        answers = json.loads(_docker("exec", "--interactive", name, "python3", "-c", CLIENT, given=json.dumps(events)))
        log = _docker("logs", name)
    finally:
        _docker("rm", "--force", name)
    found = INIT.search(log)
    if found is None:
        raise BenchmarkError(f"{image} does not start: {log[-500:]}")
    return Life(answers, float(found[1]), log)


def _docker(*words: str, given: str | None = None) -> str:
    command = ["docker", *words]
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=LIFE_SECONDS)
    except subprocess.CalledProcessError as err:
        raise BenchmarkError(f"docker {words[0]} failed: {err.stderr.strip()[-500:]}") from err
    except subprocess.TimeoutExpired as err:
        raise BenchmarkError(f"docker {words[0]} did not finish within {LIFE_SECONDS} s") from err
    # The emulator logs to standard error.
    return done.stdout + done.stderr if words[0] == "logs" else done.stdout
