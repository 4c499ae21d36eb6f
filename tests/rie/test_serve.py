"""`make serve` and `make run`: the service in AWS's Lambda runtime, called as its own output says."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.emulator import INVOKE
from tests.rie.conftest import SECONDS, Serving, run_service
from tests.serving import ROOT

if TYPE_CHECKING:
    from model.run import TrainingRun

pytestmark = pytest.mark.rie


CANARY = "7319246"


def _ask(port: int, event: object) -> dict[str, Any]:
    return _send(port, json.dumps(event))


def _send(port: int, payload: str) -> dict[str, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("POST", INVOKE, payload)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer


def _shell(line: str, directory: Path) -> str:
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(directory), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["bash", "-euc", line],
        cwd=directory,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _children(process: int) -> list[int]:
    return [
        int(child)
        for children in Path(f"/proc/{process}/task").glob("*/children")
        for child in children.read_text().split()
    ]


def test_the_printed_curl_line_decides(serving: Serving, tmp_path: Path) -> None:
    # When the line that `serve` prints is pasted into a shell
    answer = json.loads(_shell(serving.line("curl"), tmp_path))
    # Then the tutorial's sample is approved
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["decision"] == "approve"


def test_the_printed_aws_line_decides(serving: Serving, tmp_path: Path) -> None:
    if shutil.which("aws", path=ROOT / ".venv" / "bin") is None:
        pytest.skip("the AWS CLI is missing: make .venv/development")
    # When the AWS CLI invokes the service as if it were in an account
    _shell(serving.line("echo"), tmp_path)
    # Then its output file holds the decision
    answer = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert json.loads(answer["body"])["prediction"] == 1


def test_all_golden_cases_are_decided_as_at_the_export(serving: Serving, small: TrainingRun) -> None:
    # Given what the artifact decided in the process that exported it
    golden = small.manifest["golden"]
    # When the same applications go through the runtime as one batch
    answer = _ask(serving.port, [case["request"] for case in golden])
    # Then each decision is the same, but for the request's name
    decided = [{**found, "request_id": "golden"} for found in json.loads(answer["body"])["predictions"]]
    assert decided == [case["response"] for case in golden]


def test_requests_at_once_are_all_answered(serving: Serving, small: TrainingRun) -> None:
    # Given several clients, which the emulator by itself does not survive
    sample = small.manifest["golden"][0]["request"]
    # When they ask at once
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _turn: _ask(serving.port, sample), range(32)))
    # Then each is answered
    assert [answer["statusCode"] for answer in answers] == [200] * 32


def test_the_last_of_a_key_given_twice_counts_in_a_direct_invoke(serving: Serving, small: TrainingRun) -> None:
    # Given a payload that names a field twice, which over HTTP would be refused
    denied = next(case["request"] for case in small.manifest["golden"] if case["response"]["prediction"] == 0)
    approved = next(case["request"] for case in small.manifest["golden"] if case["response"]["prediction"] == 1)
    twice = json.dumps(denied)[:-1] + "," + json.dumps(approved)[1:]
    # When it is sent, then the runtime client has kept the last of each
    assert json.loads(_send(serving.port, twice)["body"])["decision"] == "approve"


def test_what_the_runtime_client_cannot_read_fails_without_a_value(emulator: Path, small: TrainingRun) -> None:
    # Given payloads that over HTTP would get a problem document of this service
    payloads = {
        "NaN": f'{{"Income":{CANARY},"Own_Car":NaN}}',
        "infinity": f'{{"Income":{CANARY},"Own_Car":-Infinity}}',
        "digits": f'{{"Income":{CANARY * 720}}}',
        "deep": "[" * 100_000 + CANARY + "]" * 100_000,
        "no JSON": f'{{"Income":{CANARY},{CANARY}}}',
    }
    with Serving(small.directory, ["--emulator", str(emulator)]) as started:
        # When they are sent as direct invokes
        answers = {name: _send(started.port, payload) for name, payload in payloads.items()}
        # And an application after them
        after = _ask(started.port, small.manifest["golden"][0]["request"])
        started.interrupt()
    # Then AWS's runtime client has refused each, and neither its answer nor the log repeats a value
    assert {name: answer["errorType"] for name, answer in answers.items()} == dict.fromkeys(
        payloads, "Runtime.UnmarshalError"
    )
    assert started.rest().count("Runtime.UnmarshalError") == len(payloads)
    assert CANARY not in json.dumps(answers) + started.rest()
    assert after["statusCode"] == 200


def test_an_emulator_that_ends_ends_the_service(emulator: Path, small: TrainingRun) -> None:
    # Given a service whose emulator is killed
    with Serving(small.directory, ["--emulator", str(emulator)]) as started:
        (running,) = _children(started.process.pid)
        os.kill(running, signal.SIGKILL)
        # When nothing else happens, then it ends and says so
        assert started.process.wait(SECONDS) == 1
    assert "the emulator ended" in started.rest()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "kill"])
def test_stopping_leaves_nothing_behind(emulator: Path, small: TrainingRun, how: signal.Signals) -> None:
    # Given a service that has answered, so that the function's process runs
    with Serving(small.directory, ["--emulator", str(emulator)]) as started:
        (running,) = _children(started.process.pid)
        (function,) = _children(running)
        # When it is stopped
        if how is signal.SIGINT:
            status = started.interrupt()
        else:
            started.process.send_signal(how)
            status = started.process.wait(SECONDS)
    # Then it ends well, and neither emulator nor function is left
    assert status == 0
    assert not Path(f"/proc/{running}").exists()
    assert not Path(f"/proc/{function}").exists()


def test_a_taken_port_is_named(emulator: Path, small: TrainingRun) -> None:
    # Given a port on which another program listens
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        # When the service is to use it
        done = run_service(["--emulator", str(emulator), "--port", str(port), "serve"], small.directory)
    # Then it says so, and how to name another
    assert done.returncode == 1
    assert f"port {port} is in use; name another: make serve PORT={port + 1}" in done.stderr


def test_run_shows_an_approval_and_an_explained_denial(emulator: Path, small: TrainingRun) -> None:
    # Given the decisions that the artifact vouches for
    approved, denied = (case["response"] for case in small.manifest["golden"][:2])
    # When `make run` comes to its end
    done = run_service(["--emulator", str(emulator), "--serve-with", "make serve X=1", "run"], small.directory)
    # Then both decisions stand there, the denial with every reason, and how to go on
    assert done.returncode == 0, done.stderr
    assert (approved["prediction"], denied["prediction"]) == (1, 0)
    assert done.stdout.index("→ approve") < done.stdout.index("→ deny")
    assert denied["reasons"]
    for reason in denied["reasons"]:
        assert f"{reason['code']}: {reason['text']}" in done.stdout
    assert "`make serve X=1`" in done.stdout
    assert "curl -s http://127.0.0.1:9000" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_run_is_readable_on_a_terminal_that_lacks_the_arrow(
    encoding: str, emulator: Path, small: TrainingRun, tmp_path: Path
) -> None:
    # Given an artifact in a directory with a space in its name
    artifacts = tmp_path / "an artifact"
    shutil.copytree(small.directory, artifacts)
    # When `make run` comes to its end on a terminal of another encoding
    done = run_service(["--emulator", str(emulator), "run"], artifacts, PYTHONIOENCODING=encoding)
    # Then it tells the same
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("-> approve") < done.stdout.index("-> deny")
    assert "UnicodeEncodeError" not in done.stderr


def test_a_broken_artifact_is_named(emulator: Path, small: TrainingRun, tmp_path: Path) -> None:
    # Given an artifact with one byte changed
    for name in ("manifest.json", "model.joblib"):
        shutil.copy(small.directory / name, tmp_path)
    content = bytearray((tmp_path / "model.joblib").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model.joblib").write_bytes(content)
    # When it is to serve
    done = run_service(["--emulator", str(emulator), "run"], tmp_path)
    # Then the service says what is wrong, and decides nothing
    assert done.returncode == 1
    assert "ArtifactCorrupt" in done.stderr
    assert done.stdout == ""


def test_a_missing_artifact_says_to_train(emulator: Path, tmp_path: Path) -> None:
    # Given a directory without a model, when it is to serve
    done = run_service(["--emulator", str(emulator), "run"], tmp_path)
    # Then it says what to do
    assert done.returncode == 1
    assert "train a model first, with make run" in done.stderr
