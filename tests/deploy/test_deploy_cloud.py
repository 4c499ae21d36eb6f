"""A whole release on a local cloud: real images and registry, functions in containers, the installed AWS CLI."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.deploy.clouds import CHANGED_IMAGE, IMAGE, ROOT, WRONG_IMAGE, docker, run
from tests.deploy.fault_proxy import Fault, FaultProxy, Reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.clouds import Cloud

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]


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
