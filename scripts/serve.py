"""Decide an artifact's sample applications, or stay up for yours, under AWS's runtime interface emulator.

    python -m scripts.serve --artifacts model/artifacts --emulator .venv/aws-lambda-rie run
    python -m scripts.serve --artifacts model/artifacts --emulator .venv/aws-lambda-rie --port 9000 serve

`make run` ends with the first, `make serve` with the second. Without --emulator the service runs in Docker.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from model.terminal import print_anything
from scripts.emulator import INVOKE, Service, ServiceFailed, free_port, in_docker, is_free, on_this_machine
from scripts.queueing import Queue

if TYPE_CHECKING:
    from lambda_app.manifest import Answer, Application, Manifest

PORT = 9000


class Terminated(KeyboardInterrupt):
    """SIGTERM, which stops whatever Ctrl-C stops."""


def main(arguments: list[str]) -> int:
    """Run one of the two commands.

    Returns
    -------
    int
        0 for success, and for a `serve` that was stopped; 1 for a service that cannot run; 130 or 143 for a `run` that
        Ctrl-C or SIGTERM ended before it had decided.
    """
    print_anything()
    parser = argparse.ArgumentParser(prog="scripts.serve", description="Run the service under AWS's emulator.")
    parser.add_argument("command", choices=("run", "serve"))
    parser.add_argument("--artifacts", type=Path, required=True, help="the directory of the model artifact")
    parser.add_argument("--emulator", type=Path, help="the emulator's binary; without it, Docker")
    parser.add_argument("--port", type=_port, default=PORT, help="where `serve` answers; default: %(default)s")
    parser.add_argument("--serve-with", default="make serve", help="the command that `run` suggests next")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        if chosen.command == "run":
            return decide_samples(chosen.artifacts, chosen.emulator, chosen.serve_with)
        return serve(chosen.artifacts, chosen.emulator, chosen.port)
    except ServiceFailed as error:
        print(f"The service cannot run: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print("\nStopped.")
        if chosen.command == "serve":
            return 0
        return 128 + (signal.SIGTERM if isinstance(stopped, Terminated) else signal.SIGINT)


def decide_samples(artifacts: Path, emulator: Path | None, serve_with: str) -> int:
    """Decide one approval and one denial from the artifact's golden cases, print them, and stop."""
    golden = _manifest(artifacts)["golden"]
    firsts = [next((case for case in golden if case["response"]["prediction"] == wanted), None) for wanted in (1, 0)]
    samples = [case["request"] for case in firsts if case is not None]
    with tempfile.TemporaryFile() as log:
        try:
            with _service(artifacts, emulator, free_port(), log) as service:
                answers = [service.invoke(sample) for sample in samples]
        except ServiceFailed:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise
    print("\nDecided in AWS's Lambda runtime:\n")
    for sample, answer in zip(samples, answers, strict=True):
        print(shown(sample, json.loads(answer["body"])))
    print(f"Send your own: start `{serve_with}`, then in another terminal\n")
    print(f"  {curl(samples[0], PORT)}\n")
    return 0


def serve(artifacts: Path, emulator: Path | None, port: int) -> int:
    """Answer on a port until Ctrl-C."""
    sample = _manifest(artifacts)["golden"][0]["request"]
    if not is_free(port):
        raise ServiceFailed(f"port {port} is in use; name another: make serve PORT={port + 1}")
    with (
        _service(artifacts, emulator, free_port()) as service,
        Queue(port, service.port, service.raise_if_ended) as queue,
    ):
        print(f"\nServing {artifacts} under AWS's runtime interface emulator; Ctrl-C stops it. Try:\n")
        print(f"  {curl(sample, port)}\n")
        print(f"  {aws(sample, port)}\n", flush=True)
        queue.serve_forever()
    return 0


def shown(application: Application, decision: Answer) -> str:
    """One decision, for people."""
    lines = ["  " + ", ".join(f"{name} {value}" for name, value in application.items())]
    lines.append(f"  → {decision['decision']}  (probability of being creditworthy {decision['probability']:.4f})")
    lines += [f"      {reason['code']}: {reason['text']}" for reason in decision["reasons"]]
    return "\n".join(lines) + "\n"


def curl(application: Application, port: int) -> str:
    """The command line that sends an application with curl."""
    return f"curl -s http://127.0.0.1:{port}{INVOKE} -d {shlex.quote(json.dumps(application))}"


def aws(application: Application, port: int) -> str:
    """The command line that sends an application with the AWS CLI, version 1 or 2, without an account."""
    return (
        f"echo {shlex.quote(json.dumps(application))} >event.json && aws lambda invoke --no-sign-request "
        f"--region us-east-1 --endpoint-url http://127.0.0.1:{port} --function-name function "
        "--payload fileb://event.json out.json && cat out.json"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or len(text) > 5 or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError("a port is a whole number from 1 to 65535")
    return int(text)


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated


def _service(artifacts: Path, emulator: Path | None, port: int, log: IO[bytes] | None = None) -> Service:
    if emulator is None:
        print(f"No runtime interface emulator for {platform.system()}: the service runs in Docker.", file=sys.stderr)
        return Service(in_docker(artifacts, port), port, log=log)
    return Service(on_this_machine(emulator, port), port, {"MODEL_DIR": str(artifacts)}, log)


def _manifest(artifacts: Path) -> Manifest:
    path = artifacts / "manifest.json"
    try:
        manifest: Manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise ServiceFailed(f"there is no {path}: train a model first, with make run") from err
    return manifest


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
