"""How `scripts.serve` ends when it is stopped, or given a port that cannot be: by its exit status."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.rie.conftest import SECONDS, run_service, serve_command
from tests.serving import ROOT

# Stands in for an emulator that starts and never answers.
SILENT = """#!/bin/sh
echo $$ >{pid}.new
mv {pid}.new {pid}
exec sleep 600
"""


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "kill"])
def test_interrupted_run_does_not_end_in_success(how: signal.Signals, status: int, tmp_path: Path) -> None:
    # Given a run that waits for its emulator
    pid = tmp_path / "pid"
    silent = tmp_path / "silent"
    silent.write_text(SILENT.format(pid=pid), encoding="utf-8")
    silent.chmod(0o755)
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    (artifacts / "manifest.json").write_text('{"golden": []}', encoding="utf-8")
    started = subprocess.Popen(
        serve_command(artifacts, ["--emulator", str(silent), "run"]),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + SECONDS
    while not pid.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    # When it is stopped
    started.send_signal(how)
    said, complained = started.communicate(timeout=SECONDS)
    # Then its status says by what, as a shell's would, it has decided nothing, and the emulator is stopped too
    assert started.returncode == status
    assert said.strip() == "Stopped."
    assert complained == ""
    assert not Path(f"/proc/{pid.read_text(encoding='utf-8').strip()}").exists()


@pytest.mark.parametrize(
    "port", ["99999", "65536", "0", "-1", "9" * 5_000, "http", "9000.0", "٩٠٠٠٠"], ids=lambda port: port[:8]
)
def test_impossible_port_is_named(port: str, tmp_path: Path) -> None:
    # Given a port that no server can have, when the service is to use it
    done = run_service([f"--port={port}", "serve"], tmp_path)
    # Then it says what a port is, in one line
    assert done.returncode == 2
    assert "argument --port: a port is a whole number from 1 to 65535" in done.stderr
    assert "Traceback" not in done.stderr
