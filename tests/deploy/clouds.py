"""The local cloud of these tests: real images and registry, functions in containers, the installed AWS CLI."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.emulator import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.run import TrainingRun

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "deploy-test-ccapproval:sound"
CHANGED_IMAGE = "deploy-test-ccapproval:changed"
WRONG_IMAGE = "deploy-test-ccapproval:wrong"
SAMPLE = {"Num_Children": 2, "Income": 500000, "Own_Car": 1, "Own_Housing": 1}


def run(*words: object, environment: dict[str, str] | None = None, status: int = 0) -> str:
    """Run a program that must end with this status; returns its standard output."""
    done = subprocess.run(
        list(map(str, words)), env=environment, capture_output=True, text=True, check=False, timeout=900, cwd=ROOT
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def docker(*words: str) -> str:
    return run("docker", *words)


def nameless_images() -> set[str]:
    """The images that nothing names any more, and that only take space."""
    return set(docker("images", "--quiet", "--filter", "dangling=true").split())


@dataclass
class Cloud:
    """A running local cloud: its port, what its first start printed, the environment for the AWS CLI and deploy.sh."""

    port: int
    printed: str
    environment: dict[str, str]

    def aws(self, *words: str) -> Any:
        return json.loads(run("aws", *words, "--output", "json", environment=self.environment))

    def aws_quietly(self, *words: str) -> None:
        """A call that answers nothing."""
        run("aws", *words, environment=self.environment)

    def deploy(self, *options: str, status: int = 0, environment: dict[str, str] | None = None) -> dict[str, str]:
        words = (ROOT / "scripts/deploy.sh", *options)
        summary: dict[str, str] = json.loads(
            run(*words, environment=self.environment | (environment or {}), status=status)
        )
        return summary

    def live(self) -> str:
        version: str = self.aws("lambda", "get-alias", "--function-name", "ccapproval", "--name", "live")[
            "FunctionVersion"
        ]
        return version

    def decide(self, directory: Path) -> dict[str, Any]:
        """The sample's decision, invoked through the alias."""
        payload, answer = directory / "payload.json", directory / "answer.json"
        payload.write_text(json.dumps(SAMPLE), encoding="utf-8")
        words = ("--function-name", "ccapproval", "--qualifier", "live", "--payload", f"fileb://{payload}", str(answer))
        self.aws("lambda", "invoke", *words)
        envelope = json.loads(answer.read_text(encoding="utf-8"))
        assert envelope["statusCode"] == 200
        body: dict[str, Any] = json.loads(envelope["body"])
        return body


@pytest.fixture(scope="session")
def images(small: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A sound image, the same with another label, and one whose golden cases it does not decide as recorded."""
    facts = tmp_path_factory.mktemp("images")
    environment = os.environ | {"ARTIFACTS": str(small.directory), "IMAGE": IMAGE, "IMAGE_FACTS": str(facts)}
    before = nameless_images()
    run(ROOT / "scripts/images.sh", "inference", environment=environment)
    assert nameless_images() <= before, "images.sh has left an image without a name"
    context = tmp_path_factory.mktemp("wrong")
    manifest = json.loads((small.directory / "manifest.json").read_text(encoding="utf-8"))
    manifest["golden"][1]["response"]["prediction"] ^= 1
    (context / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (context / "changed").write_text(f"FROM {IMAGE}\nLABEL changed=yes\n", encoding="utf-8")
    (context / "wrong").write_text(f"FROM {IMAGE}\nCOPY manifest.json model/artifacts/\n", encoding="utf-8")
    docker("build", "--file", str(context / "changed"), "--tag", CHANGED_IMAGE, str(context))
    docker("build", "--file", str(context / "wrong"), "--tag", WRONG_IMAGE, str(context))
    yield
    docker("rmi", "--force", WRONG_IMAGE, CHANGED_IMAGE, IMAGE)


@pytest.fixture(scope="session")
def cloud(images: None) -> Iterator[Cloud]:
    """What `make cloud` runs, on a free port."""
    port = free_port()
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CLOUD_PORT": str(port),
        "IMAGE": IMAGE,
    }
    try:
        printed = run(ROOT / "scripts/cloud_up.sh", environment=environment)
        yield Cloud(
            port,
            printed,
            environment
            | {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "REGISTRY": f"127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_MAX_ATTEMPTS": "1",
            },
        )
    finally:
        run(ROOT / "scripts/cloud_down.sh", environment=environment)
    left = docker("ps", "--all", "--format", "{{.Image}}") + docker("network", "ls", "--format", "{{.Name}}")
    assert str(port) not in left, "cloud_down.sh has left a container or a network"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)), "cloud_down.sh has left MiniStack"
