"""Runs a function once under AWS's runtime interface emulator, and times it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.samples import SAMPLES
from benchmarks.search_path import python_path
from scripts.emulator import INVOKE, free_ports

START_SECONDS = 60


class BenchmarkError(RuntimeError):
    """A contender did not work as expected, so it cannot be measured."""


@dataclass(frozen=True)
class Life:
    """The cost of one life of a function, from its start to its stop.

    Attributes
    ----------
    cold_ms : float
        From the start of the emulator's process to the first answer.
    warm_ms : list of float
        Each later request.
    peak_mb : float
        The peak memory of the function's own process (VmHWM), in MB of 10^6 bytes.
    """

    cold_ms: float
    warm_ms: list[float]
    peak_mb: float


def live(emulator: Path, contender: Contender, warm_requests: int) -> Life:
    """Start a function, send it `1 + warm_requests` requests, and stop it.

    Raises
    ------
    BenchmarkError
        The function did not start, or did not approve the sample.
    """
    port, runtime_api = free_ports(2)
    command = [
        str(emulator),
        "--log-level=error",
        f"--runtime-interface-emulator-address=127.0.0.1:{port}",
        f"--runtime-api-address=127.0.0.1:{runtime_api}",
        # -S skips the start-up hooks (*.pth) of packages on this machine: no Lambda image has them.
        *(sys.executable, "-S", "-m", "awslambdaric", contender.handler),
    ]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": python_path(), "PYTHONNOUSERSITE": "1", **contender.environ}
    body = json.dumps(SAMPLES["approve"])

    started = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with contextlib.closing(_connected(port, process)) as connection:
            answer = _ask(connection, body)
            cold = time.perf_counter() - started
            _check(contender, answer)
            warm = []
            for _ in range(warm_requests):
                sent = time.perf_counter()
                _ask(connection, body)
                warm.append((time.perf_counter() - sent) * 1e3)
        peak = _peak_mb(process.pid)
    finally:
        process.terminate()
        process.wait(10)
    return Life(cold * 1e3, warm, peak)


def _connected(port: int, process: subprocess.Popen[bytes]) -> http.client.HTTPConnection:
    deadline = time.perf_counter() + START_SECONDS
    while time.perf_counter() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            connection.connect()
        except ConnectionRefusedError:
            time.sleep(0.0005)
        else:
            return connection
    raise BenchmarkError("the emulator does not listen")


def _ask(connection: http.client.HTTPConnection, body: str) -> bytes:
    connection.request("POST", INVOKE, body)
    return connection.getresponse().read()


def _check(contender: Contender, answer: bytes) -> None:
    envelope: dict[str, Any] = json.loads(answer)
    if envelope.get("statusCode") != 200 or (contender.decides and json.loads(envelope["body"]).get("prediction") != 1):
        raise BenchmarkError(f"{contender.label} answered {answer.decode()}")


def _peak_mb(emulator: int) -> float:
    for children in Path(f"/proc/{emulator}/task").glob("*/children"):
        for child in children.read_text().split():
            status = Path(f"/proc/{child}/status").read_text()
            found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
            if found is not None:
                return int(found[1]) * 1024 / 1e6
    raise BenchmarkError("the emulator has not started the function")
