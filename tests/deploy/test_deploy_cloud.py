"""A whole release on a local cloud: real images and registry, functions in containers, the installed AWS CLI."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.emulator import free_port
from tests.deploy.fault_proxy import Fault, FaultProxy, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.run import TrainingRun

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


def test_make_cloud_ends_with_the_samples_decision_by_invoke_and_by_url(cloud: Cloud) -> None:
    # when: what it prints is copied into a shell of somebody who has not set anything up
    commands = re.findall(r"^== (.+(?:\n  --.+)*)", cloud.printed, re.MULTILINE)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
    answers = [json.loads(run("bash", "-c", command, environment=environment)) for command in commands]
    # then
    invoked, by_url = json.loads(answers[0]["body"]), answers[1]
    assert invoked["decision"] == by_url["decision"] == "approve"
    assert invoked["request_id"] != by_url["request_id"]
    assert f"http://127.0.0.1:{cloud.port}" in cloud.printed


def test_make_cloud_is_safe_to_repeat(cloud: Cloud) -> None:
    # when
    again = run(ROOT / "scripts/cloud_up.sh", environment=cloud.environment)
    # then
    assert '"decision":"approve"' in again.replace(" ", "").replace("\\", "")


def test_a_function_runs_on_a_network_of_its_own_and_publishes_no_port(cloud: Cloud, tmp_path: Path) -> None:
    # given
    cloud.decide(tmp_path)
    # when
    containers = docker("ps", "--filter", f"network=ccapproval-cloud-{cloud.port}", "--format", "{{.Image}} {{.Ports}}")
    # then
    assert containers.split() == [f"127.0.0.1:{cloud.port}/ccapproval-deploy"] * len(containers.splitlines())
    assert containers


def test_a_release_moves_live_and_a_rollback_moves_it_back(cloud: Cloud, tmp_path: Path) -> None:
    # given
    before = cloud.live()
    # when
    released = cloud.deploy(environment={"IMAGE": CHANGED_IMAGE})
    # then
    assert cloud.live() == released["live_version"] != before
    assert cloud.decide(tmp_path)["decision"] == "approve"
    # when
    back = cloud.deploy("--rollback")
    # then
    assert cloud.live() == back["live_version"] == before
    assert cloud.decide(tmp_path)["decision"] == "approve"


def test_an_image_that_decides_a_golden_case_otherwise_gets_no_traffic(cloud: Cloud, tmp_path: Path) -> None:
    # given
    before = cloud.live()
    # when
    stopped = cloud.deploy(status=1, environment={"IMAGE": WRONG_IMAGE})
    # then
    assert (stopped["step"], stopped["reason"]) == ("verify", "Golden case 1 is not decided as recorded.")
    assert cloud.live() == stopped["live_version"] == before
    assert cloud.decide(tmp_path)["decision"] == "approve"


def test_a_push_that_breaks_off_leaves_no_image_and_the_next_run_completes_it(cloud: Cloud, tmp_path: Path) -> None:
    # given: the connection breaks when the layers are there and their manifest is sent
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nLABEL pushed=later\n", encoding="utf-8")
    docker("build", "--tag", "deploy-test-ccapproval:later", str(tmp_path))
    before = cloud.live()
    proxy = FaultProxy(cloud.environment["AWS_ENDPOINT_URL"])
    through_proxy = {
        "IMAGE": "deploy-test-ccapproval:later",
        "AWS_ENDPOINT_URL": proxy.url,
        "REGISTRY": proxy.url.removeprefix("http://"),
        "DOCKER_CONFIG": str(tmp_path),
    }
    proxy.inject(Fault("PutManifest", answer=lambda _: Reply(0)))
    try:
        # when
        stopped = cloud.deploy(status=1, environment=through_proxy)
        # then
        assert stopped["step"] == "push"
        assert cloud.live() == before
        assert cloud.deploy("--dry-run", environment=through_proxy).get("digest") is None
        # when
        proxy.clear()
        pushed = cloud.deploy("--push", environment=through_proxy)
        # then
        assert pushed["status"] == "pushed"
    finally:
        proxy.close()
        for name in docker("images", "--format", "{{.Repository}}:{{.Tag}}").split():
            if name.startswith(through_proxy["REGISTRY"]) and not name.endswith("<none>"):
                docker("rmi", name)
        docker("rmi", "deploy-test-ccapproval:later")
    # when
    released = cloud.deploy(environment={"IMAGE": CHANGED_IMAGE})
    # then
    assert cloud.live() == released["live_version"] != before


def provision(cloud: Cloud, *parameters: str) -> None:
    run(ROOT / "scripts/provision.sh", *parameters, environment=cloud.environment | {"IMAGE": IMAGE})


def test_provisioning_moves_neither_code_nor_traffic(cloud: Cloud) -> None:
    # given a release, and another image on the administrator's machine
    cloud.deploy(environment={"IMAGE": CHANGED_IMAGE})
    alias = cloud.aws("lambda", "get-alias", "--function-name", "ccapproval", "--name", "live")
    code = cloud.aws("lambda", "get-function", "--function-name", "ccapproval")["Code"]
    versions = cloud.aws("lambda", "list-versions-by-function", "--function-name", "ccapproval")["Versions"]
    for days in (731, 2192):
        # when
        provision(cloud, f"LogRetentionDays={days}")
        # then
        assert cloud.aws("lambda", "get-alias", "--function-name", "ccapproval", "--name", "live") == alias
        assert cloud.aws("lambda", "get-function", "--function-name", "ccapproval")["Code"] == code
        found = cloud.aws("lambda", "list-versions-by-function", "--function-name", "ccapproval")["Versions"]
        assert [version["Version"] for version in found] == [version["Version"] for version in versions]


def test_deleted_created_and_released_again(cloud: Cloud, tmp_path: Path) -> None:
    # given
    for stack in ("ccapproval", "ccapproval-registry"):
        cloud.aws_quietly("cloudformation", "delete-stack", "--stack-name", stack)
        cloud.aws_quietly("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack)
    # when
    provision(cloud)
    released = cloud.deploy(environment={"IMAGE": IMAGE})
    # then
    assert cloud.live() == released["live_version"]
    assert cloud.decide(tmp_path)["decision"] == "approve"
