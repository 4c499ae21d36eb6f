"""The service under AWS's runtime interface emulator (RIE): start it, ask it, stop it.

The emulator is a Linux program. On Linux it runs natively; elsewhere it runs in the inference image, which has one.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

HANDLER = "lambda_app.handler.handler"
INVOKE = "/2015-03-31/functions/function/invocations"
HEALTH = {"version": "2.0", "rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}
IMAGE = "ccapproval-deploy:serve"
START_SECONDS = 60
STOP_SECONDS = 10


class ServiceFailed(RuntimeError):
    """The service cannot start, or cannot answer. The message says what to do next."""


class Service:
    """A running service; a context manager that stops what it started.

    Parameters
    ----------
    command : list of str
        What to start; see `on_this_machine` and `in_docker`.
    port : int
        Where it will answer, on the loopback address.
    environ : dict, optional
        Variables added to this process's own.
    log : file, optional
        Where its output goes; by default, where this process's output goes.
    """

    def __init__(
        self, command: list[str], port: int, environ: dict[str, str] | None = None, log: IO[bytes] | None = None
    ) -> None:
        self.port = port
        self._command = command
        self._environ = {**os.environ, **(environ or {})}
        self._log = log

    def __enter__(self) -> Service:
        self._process = subprocess.Popen(self._command, env=self._environ, stdout=self._log, stderr=self._log)
        try:
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()

    def invoke(self, event: object, seconds: float = 30) -> dict[str, Any]:
        """Send one event and return the function's answer.

        Raises
        ------
        ServiceFailed
            The function gave no answer of its own; for example, it failed to start.
        OSError
            No emulator answers.
        """
        # Not urllib: it would ask the environment's proxy for this machine's own address.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request("POST", INVOKE, json.dumps(event))
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "errorMessage" in answer:
            raise ServiceFailed(f"{answer.get('errorType', 'Error')}: {answer['errorMessage']}")
        return answer

    def raise_if_ended(self) -> None:
        """Raise a `ServiceFailed` if the emulator has ended."""
        if self._process.poll() is not None:
            raise ServiceFailed(f"the emulator ended with exit status {self._process.returncode}; start it again")

    def stop(self) -> None:
        """Stop the emulator, which stops the function's process."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                # The first request starts the function's process, so it also shows whether the model loads.
                answer = self.invoke(HEALTH)
            except (OSError, http.client.HTTPException) as err:
                self.raise_if_ended()
                if time.monotonic() > deadline:
                    raise ServiceFailed(f"no answer within {START_SECONDS} seconds") from err
                time.sleep(0.02)
                continue
            if answer.get("statusCode") != 200:
                raise ServiceFailed(f"it reports that it is not healthy: {answer}")
            return


def on_this_machine(emulator: Path, port: int) -> list[str]:
    """The command that runs the service natively, in this interpreter's environment."""
    addresses = [
        f"--runtime-interface-emulator-address=127.0.0.1:{port}",
        f"--runtime-api-address=127.0.0.1:{free_port()}",
    ]
    return [str(emulator), "--log-level=warn", *addresses, sys.executable, "-m", "awslambdaric", HANDLER]


def in_docker(artifacts: Path, port: int) -> list[str]:
    """The command that runs the service in Docker, after building its image.

    Raises
    ------
    ServiceFailed
        Docker is missing, or not running, or cannot build the image.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise ServiceFailed(
            "AWS's runtime interface emulator is a Linux program, and there is no Docker to run it in. "
            "Install Docker (https://docs.docker.com/get-docker/) or, on Windows, use WSL 2; then run this again"
        )
    if subprocess.run([docker, "info"], capture_output=True).returncode:
        raise ServiceFailed("Docker is installed but its engine does not answer: start it, then run this again")
    environ = {**os.environ, "ARTIFACTS": artifacts.resolve().as_posix(), "IMAGE": IMAGE}
    images = Path(__file__).with_name("images.sh").as_posix()
    if subprocess.run(["bash", images, "inference"], env=environ).returncode:
        raise ServiceFailed("the image to run it in could not be built; the lines above say what to do")
    return [docker, "run", "--rm", "--env", "LOG_LEVEL=warn", "--publish", f"127.0.0.1:{port}:8080", IMAGE]


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different ports that nothing listens on at this moment."""
    with contextlib.ExitStack() as probes:
        found = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in found:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in found]


def is_free(port: int) -> bool:
    """Whether a server could listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
