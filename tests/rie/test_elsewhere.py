"""Where the emulator is not native, the same commands go through Docker, or say what to install."""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.emulator import INVOKE
from tests.rie.conftest import SECONDS, Serving, run_service

if TYPE_CHECKING:
    from model.run import TrainingRun

# Answers like Docker; `run` starts this machine's emulator on the port that the container would publish.
DOCKER = """#!{python}
import json, os, sys
with open({log!r}, "a", encoding="utf-8") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1] == "info":
    sys.exit({engine_status})
if sys.argv[1] == "run":
    from scripts.emulator import on_this_machine
    os.environ["MODEL_DIR"] = {artifacts!r}
    port = next(word for word in sys.argv if word.startswith("127.0.0.1:")).split(":")[1]
    command = on_this_machine({emulator!r}, int(port))
    os.execv(command[0], command)
"""

# Stands in for scripts/images.sh, which is run by `bash`.
BASH = """#!/bin/sh
echo "$IMAGE from $ARTIFACTS by ${{1##*/}} $2" >>{log}
exit {status}
"""


def _program(directory: Path, name: str, text: str) -> None:
    (directory / name).write_text(text, encoding="utf-8")
    (directory / name).chmod(0o755)


def _docker(
    directory: Path, artifacts: Path, emulator: Path | str, engine_status: int = 0, build_status: int = 0
) -> str:
    """Make a directory for the PATH with a `docker` and a `bash` that record their arguments."""
    known = {"python": sys.executable, "artifacts": str(artifacts), "emulator": str(emulator)}
    log = str(directory / "docker.log")
    _program(directory, "docker", DOCKER.format(**known, log=log, engine_status=engine_status))
    _program(directory, "bash", BASH.format(log=directory / "bash.log", status=build_status))
    return str(directory)


@pytest.mark.rie
def test_the_image_is_built_and_run(emulator: Path, small: TrainingRun, tmp_path: Path) -> None:
    # Given a machine with Docker and no emulator of its own
    path = _docker(tmp_path, small.directory, emulator)
    # When the service is to stay up
    with Serving(small.directory, [], {"PATH": path, "PYTHONPATH": "."}) as started:
        connection = HTTPConnection("127.0.0.1", started.port, timeout=SECONDS)
        connection.request("POST", INVOKE, json.dumps({}))
        answer = json.loads(connection.getresponse().read())
        connection.close()
    # Then the inference image was built of this artifact, run on the loopback address, and answers
    built = (tmp_path / "bash.log").read_text(encoding="utf-8").strip()
    asked = [json.loads(line) for line in (tmp_path / "docker.log").read_text(encoding="utf-8").splitlines()]
    assert built == f"ccapproval-deploy:serve from {small.directory} by images.sh inference"
    assert asked[-1][0] == "run"
    assert asked[-1][-1] == "ccapproval-deploy:serve"
    assert answer["statusCode"] == 422
    assert any("runs in Docker" in line for line in started.printed)


def test_without_docker_it_says_what_to_install(small: TrainingRun, tmp_path: Path) -> None:
    # Given neither, when the service is to run
    done = run_service(["run"], small.directory, PATH=str(tmp_path))
    # Then it says so
    assert done.returncode == 1
    assert "Install Docker" in done.stderr


def test_a_stopped_engine_is_named(small: TrainingRun, tmp_path: Path) -> None:
    # Given a Docker whose engine does not answer, when the service is to run
    path = _docker(tmp_path, small.directory, "", engine_status=1)
    done = run_service(["run"], small.directory, PATH=path)
    # Then it says to start it
    assert done.returncode == 1
    assert "its engine does not answer: start it" in done.stderr


def test_a_failed_build_ends_it(small: TrainingRun, tmp_path: Path) -> None:
    # Given a Docker that cannot build the image, when the service is to run
    path = _docker(tmp_path, small.directory, "", build_status=1)
    done = run_service(["run"], small.directory, PATH=path)
    # Then nothing is run
    assert done.returncode == 1
    assert "could not be built" in done.stderr
    assert '"run"' not in (tmp_path / "docker.log").read_text(encoding="utf-8")
