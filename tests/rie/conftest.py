"""`scripts.serve` as a person starts it: in a process of its own, stopped with Ctrl-C."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from scripts.emulator import free_port
from tests.conftest import EMULATOR
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from model.run import TrainingRun

SECONDS = 60


@pytest.fixture(scope="session")
def emulator() -> Path:
    """The emulator's binary, for tests with the marker `rie`."""
    return EMULATOR


@pytest.fixture(scope="module")
def serving(emulator: Path, small: TrainingRun) -> Iterator[Serving]:
    """The service, running under the emulator."""
    with Serving(small.directory, ["--emulator", str(emulator)]) as started:
        yield started


class Serving:
    """`scripts.serve … serve` in a process group of its own, as a terminal starts it.

    Attributes
    ----------
    port : int
        Where it answers.
    printed : list of str
        The lines on standard output until it was ready.
    """

    def __init__(self, artifacts: Path, how: list[str], environ: dict[str, str] | None = None) -> None:
        self.port = free_port()
        self.printed: list[str] = []
        self._command = serve_command(artifacts, [*how, "--port", str(self.port), "serve"])
        self._environ = {**os.environ, **(environ or {})}
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Serving:
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            while not any("aws lambda invoke" in line for line in self.printed):
                self.printed.append(self._lines.get(timeout=SECONDS))
        except queue.Empty:
            self.__exit__()
            raise AssertionError(f"not up within {SECONDS} seconds: {''.join(self.printed)}") from None
        return self

    def __exit__(self, *_raised: object) -> None:
        if self.process.poll() is None:
            self.interrupt()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def interrupt(self) -> int:
        """Press Ctrl-C, as in a terminal, where every process of the group gets it; returns the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(SECONDS)

    def line(self, start: str) -> str:
        """The printed line that starts with this."""
        return next(line.strip() for line in self.printed if line.strip().startswith(start))

    def rest(self) -> str:
        """What it has printed since it was ready; ask once it has ended."""
        return "".join(self._lines.queue)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)


def run_service(arguments: list[str], artifacts: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `scripts.serve` to its end."""
    return subprocess.run(
        serve_command(artifacts, arguments),
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def serve_command(artifacts: Path, arguments: list[str]) -> list[str]:
    """The command that starts `scripts.serve`."""
    return [sys.executable, "-m", "scripts.serve", "--artifacts", str(artifacts), *arguments]
