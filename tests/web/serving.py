"""The service over HTTP, as `python -m lambda_app.serve` runs it, on a free port of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from scripts.emulator import free_port
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 30


@contextmanager
def serving(directory: Path, log: IO[bytes] | None = None, **environ: str) -> Iterator[str]:
    """Serve an artifact; gives the address, and stops the service at the end."""
    with started(directory, free_port(), log, **environ) as process:
        yield f"http://127.0.0.1:{process.port}"


class Process(subprocess.Popen[bytes]):
    """The service's first process.

    Attributes
    ----------
    port : int
    """

    port: int


@contextmanager
def started(directory: Path, port: int, log: IO[bytes] | None = None, **environ: str) -> Iterator[Process]:
    """Start the service and wait until it answers; it is stopped at the end if it still runs."""
    process = Process(
        [sys.executable, "-m", "lambda_app.serve"],
        cwd=ROOT,
        env={
            **os.environ,
            "MODEL_DIR": str(directory),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "WORKERS": "2",
            **environ,
        },
        stdout=log or subprocess.DEVNULL,
    )
    process.port = port
    try:
        _wait(f"http://127.0.0.1:{port}/live", process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _wait(address: str, process: Process) -> None:
    for _ in range(SECONDS * 20):
        assert process.poll() is None, "the service ended"
        try:
            urllib.request.urlopen(address, timeout=SECONDS).close()  # loopback
        except urllib.error.URLError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the service does not answer")
