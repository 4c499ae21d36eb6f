"""`make experiments`: MLflow's own pages about the recorded runs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from model.commands import main
from model.track import Recorder
from scripts.emulator import free_port
from tests.recorded import LONG, environment, record_two, runs_of
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from model.run import TrainingRun


def answer_of(address: str, path: str, **question: Any) -> Any:
    """The answer of MLflow's server."""
    body = json.dumps(question).encode() if question else None
    request = urllib.request.Request(f"{address}{path}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def command_lines() -> list[str]:
    """The arguments of every process, which every user of this machine may read; an address may hold a password."""
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()


def runs_shown(address: str) -> list[Any]:
    """The runs of the server's first experiment, oldest first."""
    answer = json.loads(
        answer_of(address, "/api/2.0/mlflow/runs/search", experiment_ids=["1"], order_by=["attributes.start_time"])
    )
    return list(answer.get("runs", []))


def until(done: Callable[[], Any], what: str) -> Any:
    """Repeat until the answer is true; a failed request counts as false."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if answer := done():
                return answer
        time.sleep(0.2)
    raise AssertionError(f"{what} did not appear within {LONG:g} seconds")


@contextlib.contextmanager
def experiments(uri: str) -> Iterator[str]:
    """`make experiments` on a database: yields the address, and in the end stops the server if it still runs."""
    if shutil.which("make") is None:
        pytest.skip("needs make: apt-get install make")
    port = free_port()
    server = subprocess.Popen(
        ["make", "--no-print-directory", "experiments", f"PORT={port}"],
        cwd=ROOT,
        env=environment(MLFLOW_TRACKING_URI=uri),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answer_of(address, "/health"), "MLflow's server")
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=LONG)


def test_two_runs_can_be_compared_and_a_server_killed_in_the_middle_loses_none(
    small: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a server that shows two runs, and a third run that is being recorded there
    database = record_two(small, tmp_path)
    uri = f"sqlite:///{database}"
    with experiments(uri) as address:
        page = answer_of(address, "/")
        shown = runs_shown(address)
        named = [command for command in command_lines() if str(database) in command]
        recorder = Recorder("Applicant", environment(MLFLOW_TRACKING_URI=address), LONG)
        until(lambda: len(runs_shown(address)) == 3, "the third run")

    # when: the server dies before the training is over
    said = recorder.record(small.directory)

    # then
    assert "<title>MLflow</title>" in page
    assert named == []
    assert [run["info"]["run_id"] for run in shown] == [run["id"] for run in runs_of(database)[:2]]
    for kind in ("params", "metrics"):
        first, second = ({figure["key"] for figure in run["data"][kind]} for run in shown)
        assert first == second
        assert len(first) > 10
    assert said.startswith("NOT RECORDED: http://127.0.0.1:")

    # and when: it is recorded later, as the message says
    monkeypatch.chdir(database.parent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    code = main(["track", "--artifact", str(small.directory)])

    # then
    assert code == 0
    assert [run["status"] for run in runs_of(database)] == ["FINISHED", "FINISHED", "RUNNING", "FINISHED"]
