"""What deploy.sh meets: moto's AWS behind the fault proxy, a stand-in for Docker, a function with a live version."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.deploy import docker_stand_in, warm_aws
from tests.deploy.clouds import cloud, images  # noqa: F401  # fixtures
from tests.deploy.fault_proxy import Fault, FaultProxy, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "scripts" / "deploy.sh"
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
RESPONSE = {
    "prediction": 1,
    "decision": "approve",
    "probability": 0.75,
    "reasons": [],
    "model_version": "m2",
    "request_id": "golden",
}
MANIFEST = {
    "model_version": "m2",
    "gate": {"passed": True},
    "golden": [{"request": {"Income": number}, "response": RESPONSE} for number in (1, 2)],
}


@dataclass
class Result:
    """How a run of deploy.sh ended: its exit status, its JSON summary, and its messages to people."""

    status: int
    summary: dict[str, str]
    told: str


@dataclass
class World:
    """What a run of deploy.sh runs against, and the means to look at it afterwards."""

    proxy: FaultProxy
    directory: Path
    environment: dict[str, str]
    docker: dict[str, Any]
    first_digest: str
    client: Any
    verified: set[str] = field(default_factory=lambda: {"1"})

    def deploy(
        self, *options: str, kill_at: str | None = None, end_at: str | None = None, **environment: str
    ) -> Result:
        """Run deploy.sh, from a directory that is not the repository's.

        `kill_at` kills it and everything it started when it prints a line that contains this; `end_at` only asks the
        script itself to end. Returns once no process holds its output open.
        """
        (self.directory / "docker.json").write_text(json.dumps(self.docker), encoding="utf-8")
        told = []
        with subprocess.Popen(
            [str(DEPLOY), *options],
            env=self.environment | environment,
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stderr:
                told.append(line)
                if kill_at and kill_at in line:
                    os.killpg(process.pid, signal.SIGKILL)
                if end_at and end_at in line:
                    process.send_signal(signal.SIGTERM)
            output = process.stdout.read()
        self._assert_live_is_verified()
        return Result(process.returncode, json.loads(output) if output.startswith("{") else {}, "".join(told))

    def live(self) -> tuple[str, str]:
        """The version that the alias names, and the digest of that version's image."""
        version = self.client.get_alias(FunctionName="ccapproval", Name="live")["FunctionVersion"]
        function = self.client.get_function(FunctionName="ccapproval", Qualifier=version)
        return version, function["Code"]["ResolvedImageUri"].rpartition("@")[2]

    def seen(self, operation: str) -> list[Request]:
        """A list that collects the requests of one operation, which still go on to AWS."""
        requests: list[Request] = []
        self.proxy.inject(Fault(operation, answer=lambda request: requests.append(request)))
        return requests

    def build_another(self, digit: str = "4") -> None:
        """Build the image again, so that there is something to release."""
        self.docker["images"]["ccapproval-deploy:latest"]["Id"] = "sha256:" + digit * 64

    def answer_golden(self, request: Request) -> Reply:
        """Answer an invoke: moto can't run an image, so every version answers as the manifest records."""
        event = json.loads(request.body)
        self.verified.update(request.query.get("Qualifier", []))
        if isinstance(event, list):
            return decided({"predictions": [RESPONSE | {"request_id": "other"} for _ in event]})
        return decided(RESPONSE | {"request_id": "other"})

    def assert_stopped(self, result: Result, step: str, reason: str, advice: str) -> None:
        """Assert that it ended at this step, said so to people and programs, and moved nothing."""
        assert result.status == 1, result.told
        assert result.summary["status"] == "stopped"
        assert result.summary["step"] == step
        assert reason in result.summary["reason"]
        assert advice in result.summary["next"]
        for told in (result.summary["reason"], result.summary["next"]):
            assert told in result.told
        assert self.live() == ("1", self.first_digest)

    def converges(self) -> Result:
        """Run again without faults: the alias must end at a verified version of the new image."""
        self.proxy.clear()
        self.proxy.inject(Fault("Invoke", answer=self.answer_golden))
        result = self.deploy()
        assert result.status == 0, result.told
        version, digest = self.live()
        assert digest == result.summary["digest"] != self.first_digest
        assert version == result.summary["live_version"]
        return result

    def _assert_live_is_verified(self) -> None:
        version, _ = self.live()
        assert version in self.verified, f"live is at version {version}, which nobody has verified"


def decided(body: dict[str, Any]) -> Reply:
    """A function's answer with this body."""
    envelope = {"statusCode": 200, "headers": {}, "body": json.dumps(body)}
    return Reply(200, json.dumps(envelope).encode(), {"Content-Type": "application/json"})


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Moto's server on a free port, which checks that an image is in its ECR."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_LAMBDA_STUB_ECR", "false")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for the PATH with aws, docker and python3."""
    directory = tmp_path_factory.mktemp("bin")
    address = str(directory / "aws.socket")
    docker = directory / "docker"
    docker.write_text(f'#!/bin/sh\nexec {sys.executable} -SEs {docker_stand_in.__file__} "$@"\n', encoding="utf-8")
    docker.chmod(0o755)
    (directory / "python3").symlink_to(sys.executable)
    warm_aws.install(directory, address)
    with subprocess.Popen([sys.executable, warm_aws.__file__, address]) as server:
        deadline = time.monotonic() + 60
        while not Path(address).exists():
            assert server.poll() is None, "the warm AWS CLI did not start"
            assert time.monotonic() < deadline, "the warm AWS CLI did not start in time"
            time.sleep(0.05)
        yield directory
        server.terminate()


@pytest.fixture
def world(moto_url: str, programs: Path, tmp_path: Path) -> Iterator[World]:
    """Version 1 of the function is live; a new image is built and not yet pushed."""
    with urllib.request.urlopen(urllib.request.Request(moto_url + "/moto-api/reset", method="POST")) as reset:
        assert reset.status == 200
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    iam = session.client("iam", endpoint_url=moto_url)
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    ecr = session.client("ecr", endpoint_url=moto_url)
    repository = ecr.create_repository(repositoryName="ccapproval-deploy")["repository"]["repositoryUri"]
    digest = docker_stand_in.put_image(moto_url, "ccapproval-deploy", "m1", "sha256:" + "1" * 64, MANIFEST_TYPE)
    function = session.client("lambda", endpoint_url=moto_url)
    function.create_function(
        FunctionName="ccapproval", PackageType="Image", Code={"ImageUri": f"{repository}@{digest}"}, Role=role
    )
    function.publish_version(FunctionName="ccapproval")
    function.create_alias(FunctionName="ccapproval", Name="live", FunctionVersion="1")

    proxy = FaultProxy(moto_url)
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "DOCKER_STAND_IN": str(tmp_path / "docker.json"),
        "AWS_ENDPOINT_URL": proxy.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "CONFLICT_WAIT": "0.1",
        **CREDENTIALS,
    }
    image = {"Id": "sha256:" + "2" * 64, "Os": "linux", "Architecture": "amd64", "Config": {"Env": ["PATH=/usr/bin"]}}
    docker = {
        "running": True,
        "images": {"ccapproval-deploy:latest": image},
        "manifest": json.loads(json.dumps(MANIFEST)),
        "model": "a model",
        "push": "works",
        "pull": "works",
        "media": MANIFEST_TYPE,
        "registry": moto_url,
    }
    world = World(proxy, tmp_path, environment, docker, digest, function)
    proxy.inject(Fault("Invoke", answer=world.answer_golden))
    yield world
    proxy.close()
    for client in (iam, ecr, function):
        client.close()
