"""deploy.sh when something goes wrong: live stays where it was verified, people learn what to do, a rerun converges.

That `live` never points at an unverified version is checked after every run, by `World.deploy` itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.conftest import CREDENTIALS, RESPONSE, Result, World, decided
from tests.deploy.fault_proxy import Fault, Reply, Request, aws_error

if TYPE_CHECKING:
    from collections.abc import Callable

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFLICT = aws_error(
    409, "ResourceConflictException", "The operation cannot be performed at this time. An update is in progress"
)
OUTDATED = aws_error(412, "PreconditionFailedException", "The RevisionId provided does not match the latest RevisionId")
CHANGES = {"UpdateFunctionCode", "PublishVersion", "UpdateAlias", "CreateAlias", "Invoke"}


def assert_stopped(world: World, result: Result, step: str, reason: str, advice: str) -> None:
    """It ended at this step, said so to people and programs, and moved nothing."""
    assert result.status == 1, result.told
    assert result.summary["status"] == "stopped"
    assert result.summary["step"] == step
    assert reason in result.summary["reason"]
    assert advice in result.summary["next"]
    for told in (result.summary["reason"], result.summary["next"]):
        assert told in result.told
    assert world.live() == ("1", world.first_digest)


# What is wrong with the machine or the image, and is mended before the next run.


def _no_docker(docker: dict[str, Any]) -> None:
    docker["running"] = False


def _no_image(docker: dict[str, Any]) -> None:
    docker["images"] = {}


def _other_architecture(docker: dict[str, Any]) -> None:
    docker["images"]["ccapproval-deploy:latest"]["Architecture"] = "arm64"


def _index_here(docker: dict[str, Any]) -> None:
    docker["images"]["ccapproval-deploy:latest"]["Descriptor"] = {"mediaType": INDEX_TYPE}


def _index_in_registry(docker: dict[str, Any]) -> None:
    docker["media"] = INDEX_TYPE


def _gate_failed(docker: dict[str, Any]) -> None:
    docker["manifest"]["gate"] = {"passed": False}


def _gate_absent(docker: dict[str, Any]) -> None:
    del docker["manifest"]["gate"]


def _no_golden_cases(docker: dict[str, Any]) -> None:
    docker["manifest"]["golden"] = []


def _no_manifest(docker: dict[str, Any]) -> None:
    docker["manifest"] = None


def _push_interrupted(docker: dict[str, Any]) -> None:
    docker["push"] = "interrupted"


@pytest.mark.parametrize(
    ("harm", "step", "reason", "advice"),
    [
        pytest.param(_no_docker, "tools", "Docker does not answer", "Start Docker", id="no Docker"),
        pytest.param(_no_image, "image", "no image ccapproval-deploy:latest", "make images", id="image missing"),
        pytest.param(_other_architecture, "image", "linux/arm64", "ARCHITECTURE=x86_64", id="wrong architecture"),
        pytest.param(_index_here, "image", "index", "--provenance=false", id="image index"),
        pytest.param(_index_in_registry, "digest", "index", "--provenance=false", id="image index in the registry"),
        pytest.param(_gate_failed, "image", "not passed its gate", "make run images", id="gate not passed"),
        pytest.param(_gate_absent, "image", "not passed its gate", "make run images", id="never gated"),
        pytest.param(_no_golden_cases, "image", "no golden cases", "make run images", id="nothing to verify with"),
        pytest.param(_no_manifest, "image", "manifest.json", "Dockerfile_Inference_Lambda", id="not our image"),
        pytest.param(_push_interrupted, "push", "interrupted", "Run again", id="push interrupted"),
    ],
)
def test_a_machine_or_image_at_fault(
    world: World, harm: Callable[[dict[str, Any]], None], step: str, reason: str, advice: str
) -> None:
    # given
    sound = json.loads(json.dumps(world.docker))
    harm(world.docker)
    # when
    result = world.deploy()
    # then
    assert_stopped(world, result, step, reason, advice)
    assert not CHANGES & set(world.proxy.operations)
    if step in ("push", "digest"):
        # when the image is mended: built anew it has another id, so an index in the registry keeps its tag
        world.docker = sound
        world.docker["images"]["ccapproval-deploy:latest"]["Id"] = "sha256:" + "3" * 64
        # then
        world.converges()


def test_no_credentials(world: World) -> None:
    # when
    result = world.deploy(**dict.fromkeys(CREDENTIALS, ""))
    # then
    assert_stopped(world, result, "identity", "credentials", "AWS_PROFILE")
    world.converges()


def test_another_account_than_the_one_meant(world: World) -> None:
    # when, then
    assert_stopped(world, world.deploy(AWS_ACCOUNT_ID="999999999999"), "identity", "not 999999999999", "profile")


def test_nothing_answers_at_the_endpoint(world: World) -> None:
    # when, then
    assert_stopped(world, world.deploy(AWS_ENDPOINT_URL="http://127.0.0.1:9"), "identity", "onnect", "AWS_ENDPOINT_URL")


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"])
def test_a_conflict_is_retried(world: World, operation: str) -> None:
    # given an alias that is moved, not created
    assert world.deploy().status == 0
    world.docker["images"]["ccapproval-deploy:latest"]["Id"] = "sha256:" + "4" * 64
    world.proxy.inject(Fault(operation, times=2, answer=lambda _: CONFLICT))
    # when
    result = world.deploy()
    # then
    assert result.status == 0, result.told
    assert result.told.count("another update is under way") == 2


def test_a_conflict_that_does_not_end(world: World) -> None:
    # given
    world.proxy.inject(Fault("UpdateFunctionCode", answer=lambda _: CONFLICT))
    # when, then
    assert_stopped(world, world.deploy(CONFLICT_RETRIES="2"), "update", "ResourceConflict", "Wait for it to end")
    assert world.proxy.operations.count("UpdateFunctionCode") == 3
    world.converges()


@pytest.mark.parametrize(
    ("operation", "step"),
    [
        pytest.param("UpdateFunctionCode", "update", id="update"),
        pytest.param("PublishVersion", "publish", id="publish"),
    ],
)
def test_two_deploys_at_once(world: World, operation: str, step: str) -> None:
    # given: AWS finds that our RevisionId is not the latest
    revisions: list[str] = []

    def outdated(request: Request) -> Reply:
        revisions.append(json.loads(request.body)["RevisionId"])
        return OUTDATED

    world.proxy.inject(Fault(operation, times=1, answer=outdated))
    world.proxy.inject(Fault("GetFunction", alter=_configured(RevisionId="the-latest")))
    # when
    result = world.deploy()
    # then
    assert_stopped(world, result, step, "PreconditionFailed", "Somebody else changed ccapproval")
    assert revisions == ["the-latest"]
    world.converges()


def test_the_alias_is_moved_only_from_where_it_was_seen(world: World) -> None:
    # given
    seen = world.client.get_alias(FunctionName="ccapproval", Name="live")["RevisionId"]
    moves: list[dict[str, str]] = []

    def outdated(request: Request) -> Reply | None:
        if request.path.endswith("/aliases/live"):
            moves.append(json.loads(request.body))
            return OUTDATED
        return None

    world.proxy.inject(Fault("UpdateAlias", answer=outdated))
    # when
    result = world.deploy()
    # then
    assert_stopped(world, result, "traffic", "PreconditionFailed", "Somebody else")
    assert [move["RevisionId"] for move in moves] == [seen]
    world.converges()


def test_another_deploy_came_between(world: World) -> None:
    # given: after our update the function has an image that is not ours
    def other_image(answer: dict[str, Any]) -> None:
        if "UpdateFunctionCode" in world.proxy.operations:
            answer["Code"]["ResolvedImageUri"] = "host/name@sha256:" + "f" * 64

    world.proxy.inject(Fault("GetFunction", alter=other_image))
    # when, then
    assert_stopped(world, world.deploy(), "state", "another deploy", "See who deploys")
    world.converges()


def _configured(**facts: str) -> Callable[[dict[str, Any]], None]:
    return lambda answer: answer["Configuration"].update(facts)


def _after(world: World, operation: str, change: Callable[[dict[str, Any]], None]) -> Fault:
    """GetFunction answers as `change` has it once `operation` was seen."""
    return Fault("GetFunction", alter=lambda answer: change(answer) if operation in world.proxy.operations else None)


def test_an_update_stuck_in_progress(world: World) -> None:
    # given
    stuck = _configured(LastUpdateStatus="InProgress", State="Pending")
    world.proxy.inject(_after(world, "UpdateFunctionCode", stuck))
    # when
    result = world.deploy(UPDATE_TIMEOUT="1")
    # then
    assert_stopped(world, result, "state", "still in progress after 1 s", "Run again")
    # when it is still stuck the next time
    result = world.deploy(UPDATE_TIMEOUT="1")
    # then
    assert_stopped(world, result, "function", "still in progress", "Run again")
    world.converges()


def test_a_run_waits_for_the_update_that_an_earlier_one_began(world: World) -> None:
    # given
    world.proxy.inject(Fault("GetFunction", times=2, alter=_configured(LastUpdateStatus="InProgress")))
    # when
    result = world.deploy()
    # then
    assert result.status == 0, result.told
    assert "waiting for it" in result.told


def test_an_update_that_fails(world: World) -> None:
    # given
    failed = _configured(LastUpdateStatus="Failed", LastUpdateStatusReason="Lambda does not have permission to pull")
    world.proxy.inject(_after(world, "UpdateFunctionCode", failed))
    # when, then
    assert_stopped(world, world.deploy(), "state", "does not have permission to pull", "repository policy")
    world.converges()


def test_an_inactive_function_is_woken(world: World) -> None:
    # given
    def asleep(answer: dict[str, Any]) -> None:
        if "Invoke" not in world.proxy.operations:
            answer["Configuration"]["State"] = "Inactive"

    world.proxy.inject(Fault("GetFunction", alter=asleep))
    # when
    result = world.deploy()
    # then
    assert result.status == 0, result.told
    assert "waking it" in result.told


def test_a_function_that_stays_inactive(world: World) -> None:
    # given
    world.proxy.inject(Fault("GetFunction", alter=_configured(State="Inactive", StateReason="The image is gone")))
    # when, then
    result = world.deploy(UPDATE_TIMEOUT="1")
    assert_stopped(world, result, "state", "Inactive: The image is gone", "get-function")
    world.converges()


WRONG = RESPONSE | {"prediction": 0, "decision": "deny"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(decided({"predictions": [RESPONSE, WRONG]}), "Golden case 1", id="wrong decision"),
        pytest.param(Reply(200, b'{"statusCode": 500, "body": "{}"}'), "status 500", id="internal error"),
        pytest.param(Reply(200, b'{"errorType": "x"}', {"X-Amz-Function-Error": "Unhandled"}), "Unhandled", id="crash"),
    ],
)
def test_a_golden_case_answered_wrongly(world: World, answer: Reply, reason: str) -> None:
    # given: an answer that verifies nothing
    world.proxy.clear()
    world.proxy.inject(Fault("Invoke", answer=lambda _: answer))
    # when
    result = world.deploy()
    # then
    assert_stopped(world, result, "verify", reason, "correct the image")
    assert "Income" not in result.told
    world.converges()
